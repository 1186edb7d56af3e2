"""Write every report of a run into a folder: the one door for whoever has a run."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from memcurve.model.baseline import Baseline
from memcurve.model.findings import NOT_EXPLAINED, Culprit
from memcurve.model.outcome import Outcome, Run
from memcurve.report.arrange import view_of
from memcurve.report.phrases import culprit_file
from memcurve.report.picture import Format
from memcurve.report.view import RunView
from memcurve.store.excerpts import excerpt_of
from memcurve.store.files import replace_file

EXTRA = frozenset({"jinja2", "markupsafe", "matplotlib"})
"""What the extra `report` installs: another module that is missing is a fault of ours."""


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """A report that could not be written for want of a package."""

    report: str
    package: str


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """The files that were written, and what could not be."""

    paths: tuple[Path, ...]
    missing: tuple[Missing, ...] = ()

    @property
    def first(self) -> Path:
        """The file to open: the page, or the summary where there is none."""
        return self.paths[0]

    @property
    def complaint(self) -> str:
        """What is missing and what to do about it, in one line; empty where nothing is."""
        parts = " and ".join(f"no {one.report} ({one.package} is missing)" for one in self.missing)
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
    view = view_of(run, baselines)
    missing: list[Missing] = []

    def drawn(report: str, write: Callable[[], list[Path]]) -> list[Path]:
        try:
            return write()
        except ModuleNotFoundError as error:
            package = str(error.name).split(".", 1)[0]
            if package not in EXTRA:
                raise
            missing.append(Missing(report=report, package=package))
            return []

    paths = [
        *drawn("page", lambda: _page(view, out)),
        *_summaries(view, out),
        *drawn("pictures", lambda: _pictures(view, out, formats)),
    ]
    return Written(paths=tuple(paths), missing=tuple(missing))


def write_culprit(outcome: Outcome, culprit: Culprit, path: Path, back: str = "") -> Path:
    """Write the page of one culprit, with the code of the places that are there to read."""
    from memcurve.report.culprit_page import render_culprit

    places = dict.fromkeys(filter(None, (culprit.user_site, culprit.site)))
    excerpts = [excerpt_of(place, Path.cwd()) for place in places]
    return _written(path, render_culprit(outcome, culprit, excerpts, back=back).encode())


def _page(view: RunView, out: Path) -> list[Path]:
    """Write the page of a run, and one of each culprit that it links to."""
    from memcurve.report.html import render_html

    page = _written(out / "index.html", render_html(view, out).encode())
    return [page, *_culprit_pages(view, out)]


def _culprit_pages(view: RunView, out: Path) -> Iterator[Path]:
    for scenario in view.scenarios:
        for design in scenario.designs:
            for number, culprit in enumerate(design.culprits, 1):
                if culprit.type != NOT_EXPLAINED:
                    path = out / culprit_file(scenario.name, design.name, number)
                    yield write_culprit(design.outcome, culprit, path, back="../index.html")


def _summaries(view: RunView, out: Path) -> list[Path]:
    from memcurve.report.json.summary import summary_json
    from memcurve.report.markdown import markdown

    return [
        _written(out / "summary.json", summary_json(view)),
        _written(out / "summary.md", markdown(view).encode()),
    ]


def _pictures(view: RunView, out: Path, formats: Iterable[Format]) -> list[Path]:
    from memcurve.report.picture import draw

    pictures = [(scenario, form) for form in formats for scenario in view.scenarios]
    return [_written(out / f"{one.name}.{form}", draw(view, one, form)) for one, form in pictures]


def _written(path: Path, data: bytes) -> Path:
    replace_file(path, data)
    return path
