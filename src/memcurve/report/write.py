"""Write every report of a run into a folder: the one door for whoever has a run."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from memcurve.baseline import Baseline
from memcurve.judge.comparison import Run
from memcurve.report.page import build_page


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
    out.mkdir(parents=True, exist_ok=True)
    written = [
        _replace(out / "index.html", render_html(page, out).encode()),
        _replace(out / "summary.json", summary_json(page).encode()),
        _replace(out / "summary.md", markdown(page).encode()),
    ]
    pictures = [(scenario, form) for scenario in page.scenarios for form in formats]
    for scenario, form in pictures:
        data = draw(page, scenario, form)
        written.append(_replace(out / f"{scenario.name}.{form}", data))
    return written


def _replace(path: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
