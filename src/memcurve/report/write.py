"""Write every report of a run into a folder: the one door for whoever has a run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from memcurve.baseline import Baseline
from memcurve.judge.comparison import Run
from memcurve.report.page import build_page
from memcurve.store import replace_file


def write_all(
    run: Run,
    out: Path,
    *,
    baselines: Mapping[str, Baseline] | None = None,
    formats: Iterable[Literal["png", "svg"]] = ("png",),
) -> list[Path]:
    """Write index.html, summary.json, summary.md and a picture a scenario; return their paths.

    `baselines` by scenario name add who accepted what and why; `formats` are those of the pictures
    (``png``, ``svg``). Every file is replaced in one step, so a reader never sees half of one.
    Costs a second a picture.
    """
    from memcurve.report.html import render_html
    from memcurve.report.markdown import markdown
    from memcurve.report.plot import draw
    from memcurve.report.summary import summary_json

    page = build_page(run, baselines)
    written = [
        _written(out / "index.html", render_html(page, out).encode()),
        _written(out / "summary.json", summary_json(page).encode()),
        _written(out / "summary.md", markdown(page).encode()),
    ]
    pictures = [(scenario, form) for scenario in page.scenarios for form in formats]
    for scenario, form in pictures:
        data = draw(page, scenario, form)
        written.append(_written(out / f"{scenario.name}.{form}", data))
    return written


def _written(path: Path, data: bytes) -> Path:
    replace_file(path, data)
    return path
