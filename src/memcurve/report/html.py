"""index.html: the whole report in one file that asks the network for nothing.

The template writes every word and figure, so the page reads without scripts; the curves are drawn
from the data in the page by `report.js`, thinned as `downsampling` says.
"""

import json
import os
from pathlib import Path
from typing import Any

from memcurve.model.baseline import AcceptedCurve
from memcurve.model.findings import NOT_EXPLAINED
from memcurve.model.outcome import Crossing, LeftBand
from memcurve.report.causes import lost_reference_line, made_at
from memcurve.report.cycle_drawing import draw_cycle
from memcurve.report.downsampling import thin_parts
from memcurve.report.panels import Line, Panel
from memcurve.report.phrases import culprit_file
from memcurve.report.sentences import SYMBOLS
from memcurve.report.sparklines import spark_points
from memcurve.report.templating import read, template
from memcurve.report.view import RunView, ScenarioView

BAND_BUCKETS = 60


def render_html(view: RunView, folder: Path | None = None) -> str:
    """Return the page; costs about 0.1 s, and 0.2 s more the first time.

    Links to other files are written relative to `folder`, where the page will stand.
    """
    from markupsafe import Markup

    charts = _Charts()
    hero = view.hero
    return template("index.html").render(
        page=view,
        hero=hero,
        hero_panel=hero and (hero.panel("retained") or next(iter(hero.panels), None)),
        inks={design.name: design.ink for s in view.scenarios for design in s.designs},
        symbols=SYMBOLS,
        chart=charts.add,
        data=lambda: Markup(_embedded({"charts": charts.found})),
        spark=spark_points,
        draw_cycle=draw_cycle,
        made_at=made_at,
        lost_reference_line=lost_reference_line,
        culprit_file=culprit_file,
        not_explained=NOT_EXPLAINED,
        link=lambda path: _link(path, folder),
        css=Markup(read("report.css")),
        js=Markup(read("report.js")),
    )


def _link(path: str, folder: Path | None) -> str:
    target = Path(path)
    return os.path.relpath(target, folder).replace(os.sep, "/") if folder else target.name


def _embedded(value: object) -> str:
    """Return JSON that can stand inside a script element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for special in "<>&\u2028\u2029":
        text = text.replace(special, f"\\u{ord(special):04x}")
    return text


class _Charts:
    """Collects the data of the charts while the template names them."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def add(self, scenario: ScenarioView, panel: Panel) -> int:
        """Return the number under which the script finds that panel."""
        key = (scenario.name, panel.key)
        if key not in self._numbers:
            self._numbers[key] = len(self.found)
            self.found.append(_chart(scenario, panel))
        return self._numbers[key]


def _chart(scenario: ScenarioView, panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "unit": panel.unit,
        "each": panel.key == "deferred",
        "calls": panel.calls,
        "last": panel.last_call,
        "lines": [_line(line, panel) for line in panel.lines],
        "marks": [
            {"design": crossing.design, "call": crossing.call}
            for crossing in scenario.crossings
            if any(_left(line, crossing) for line in panel.lines)
        ],
    }


def _left(line: Line, crossing: Crossing) -> bool:
    """Whether it is this line that left its band."""
    same = line.design == crossing.design and line.curve.counter == crossing.counter
    return isinstance(crossing, LeftBand) and same and line.band is not None


def _line(line: Line, panel: Panel) -> dict[str, Any]:
    curve = thin_parts(line.curve, panel.calls)
    found: dict[str, Any] = {"design": line.design, "c": curve.calls, "v": curve.values}
    if line.band is not None:
        found["band"] = _band(line.band)
    return found


def _band(band: AcceptedCurve) -> dict[str, list[float]]:
    stride = max(len(band.calls) // BAND_BUCKETS, 1)
    kept = sorted({*range(0, len(band.calls), stride), len(band.calls) - 1})
    return {
        "c": [band.calls[i] for i in kept],
        "lo": [round(band.low[i]) for i in kept],
        "hi": [round(band.high[i]) for i in kept],
    }
