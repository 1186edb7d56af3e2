"""Write every report of a run into a folder: the one door for whoever has a run."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from memcurve.model.baseline import Baseline
from memcurve.model.outcome import Run
from memcurve.report.page import Page, build_page
from memcurve.report.plot import Format
from memcurve.store.files import replace_file


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were written, and what could not be for want of a package: (what, package)."""

    paths: tuple[Path, ...]
    missing: tuple[tuple[str, str], ...] = ()

    @property
    def first(self) -> Path:
        """The file to open: the page, or the summary where there is none."""
        return self.paths[0]

    @property
    def complaint(self) -> str:
        """What is missing and what to do about it, in one line; empty where nothing is."""
        parts = " and ".join(f"no {what} ({package} is missing)" for what, package in self.missing)
        return f"{parts}; pip install 'memcurve[report]', then memcurve report" if parts else ""


def write_all(
    run: Run,
    out: Path,
    *,
    baselines: Mapping[str, Baseline] | None = None,
    formats: Iterable[Format] = ("png",),
) -> Written:
    """Write index.html, summary.json, summary.md and a picture a scenario; return their paths.

    `baselines` by scenario name add who accepted what and why; `formats` are those of the pictures
    (``png``, ``svg``). Every file is replaced in one step, so a reader never sees half of one.
    Without the extra `report` the page and the pictures are left out, and that is said.
    Costs a second a picture.
    """
    page = build_page(run, baselines)
    missing: list[tuple[str, str]] = []

    def drawn(what: str, write: Callable[[], list[Path]]) -> list[Path]:
        try:
            return write()
        except ModuleNotFoundError as error:
            missing.append((what, str(error.name)))
            return []

    paths = [
        *drawn("page", lambda: _page(page, out)),
        *_summaries(page, out),
        *drawn("pictures", lambda: _pictures(page, out, formats)),
    ]
    return Written(paths=tuple(paths), missing=tuple(missing))


def _page(page: Page, out: Path) -> list[Path]:
    from memcurve.report.html import render_html

    return [_written(out / "index.html", render_html(page, out).encode())]


def _summaries(page: Page, out: Path) -> list[Path]:
    from memcurve.report.markdown import markdown
    from memcurve.report.summary import summary_json

    return [
        _written(out / "summary.json", summary_json(page).encode()),
        _written(out / "summary.md", markdown(page).encode()),
    ]


def _pictures(page: Page, out: Path, formats: Iterable[Format]) -> list[Path]:
    from memcurve.report.plot import draw

    pictures = [(scenario, form) for form in formats for scenario in page.scenarios]
    return [_written(out / f"{one.name}.{form}", draw(page, one, form)) for one, form in pictures]


def _written(path: Path, data: bytes) -> Path:
    replace_file(path, data)
    return path
