"""One panel of a picture: lines with their names at their ends, bands, and axes in round units."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from memcurve.model.baseline import AcceptedCurve
from memcurve.model.outcome import Crossing, LeftBand
from memcurve.model.units import KIB, counter_of, format_value
from memcurve.report.axis import ticks
from memcurve.report.downsampling import thin
from memcurve.report.palette import Ink
from memcurve.report.panels import Line, Panel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID, TEXT, FAINT, ALARM = "#e4e7eb", "#1c2329", "#5a6570", "#b3261e"
LEAST_SPAN = {"bytes": 4.0 * KIB, "count": 4.0, "ns": 1e6}
BUCKETS = 500
MOST_NAMED = 5
POINTS_AN_INCH = 72
LONGEST_LARGE, LONGEST_SMALL = 26, 11


class PanelDrawing:
    """Draws one panel on one pair of axes, and is thrown away."""

    def __init__(self, axes: "Axes", panel: Panel, ink: Mapping[str, Ink], *, large: bool) -> None:
        self._axes, self._panel, self._ink, self._large = axes, panel, ink, large
        self._size = 8.5 if large else 7.0

    def draw(self, crossings: Sequence[Crossing] = ()) -> None:
        """Draw everything; `crossings` are marked where their counter is that of the panel."""
        panel = self._panel
        low, high = self._range()
        self._frame(low, high)
        for line in panel.lines:
            self._band(line)
        for line in panel.lines:
            self._line(line)
        for crossing in crossings:
            self._cross(crossing)
        self._labels(low, high)

    def _range(self) -> tuple[float, float]:
        values: list[float] = [0.0]
        for line in self._panel.lines:
            values.extend(line.curve.head(self._panel.calls).values)
            if line.band is not None:
                values.extend(_shown(line.band, line.band.low, self._panel.calls))
                values.extend(_shown(line.band, line.band.high, self._panel.calls))
        low, high = min(values), max(values)
        high = max(high, low + LEAST_SPAN[self._panel.unit])
        margin = (high - low) * 0.05
        return (low - margin if low < 0 else low), high + margin

    def _frame(self, low: float, high: float) -> None:
        axes, panel = self._axes, self._panel
        axes.patch.set_visible(False)  # or it would cover labels of the neighbour to the left
        axes.set_xlim(0, max(panel.calls, 1))
        axes.set_ylim(low, high)
        marks = ticks(low, high, panel.unit, 6 if self._large else 4)
        axes.set_yticks([v for v, _ in marks], [label for _, label in marks])
        across = ticks(0, panel.calls, "count", 6 if self._large else 3)
        axes.set_xticks([v for v, _ in across], [label for _, label in across])
        axes.tick_params(length=0, labelsize=self._size, labelcolor=FAINT, pad=4)
        axes.grid(axis="y", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        for name, spine in axes.spines.items():
            spine.set_visible(name == "bottom")
            spine.set_color("#9aa5b1")
        axes.axhline(0, color="#9aa5b1", linewidth=0.8)
        axes.set_title(
            panel.title, loc="left", fontsize=self._size + 2.5, weight="bold", color=TEXT, pad=7
        )
        if self._large:
            axes.set_title(panel.note, loc="right", fontsize=7, color=FAINT, pad=7)
            below = "calls; shaded: the band of the accepted baseline" if panel.banded else "calls"
            axes.set_xlabel(below, fontsize=self._size, color=FAINT, labelpad=5)

    def _band(self, line: Line) -> None:
        band = line.band
        if band is None:
            return
        calls = [call for call in band.calls if call <= self._panel.calls]
        low, high = band.low[: len(calls)], band.high[: len(calls)]
        colour = self._ink[line.design].light
        self._axes.fill_between(calls, low, high, color=colour, alpha=0.14, linewidth=0)
        self._axes.plot(calls, high, color=colour, alpha=0.5, linewidth=0.7)

    def _line(self, line: Line) -> None:
        ink = self._ink[line.design]
        curve = thin(line.curve.head(self._panel.calls), BUCKETS)
        self._axes.plot(
            curve.calls,
            curve.values,
            color=ink.light,
            linewidth=ink.width * (1.0 if self._large else 0.75),
            dashes=ink.dashes or (None, None),
            solid_capstyle="round",
            clip_on=False,
        )

    def _cross(self, crossing: Crossing) -> None:
        """Mark where a curve left its band for good."""
        line = next((one for one in self._panel.lines if one.design == crossing.design), None)
        if not isinstance(crossing, LeftBand) or line is None:
            return
        if line.curve.counter != crossing.counter:
            return
        self._axes.axvline(crossing.call, color=ALARM, linewidth=0.9, dashes=(3, 2))
        self._axes.plot([crossing.call], [line.curve.at(crossing.call)], "o", color=ALARM, ms=5)
        self._axes.annotate(
            f"call {crossing.call}: {crossing.design} leaves its band",
            (crossing.call, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(5, -10),
            textcoords="offset points",
            fontsize=self._size,
            color=ALARM,
        )

    def _labels(self, low: float, high: float) -> None:
        """Write each line's name and last value at its end, pushed apart where they collide."""
        axes, unit = self._axes, counter_of(self._panel.lines[0].curve.counter)
        ends = {
            line.design: float(line.curve.head(self._panel.calls).values[-1])
            for line in self._panel.lines
        }
        fractions = {name: (value - low) / (high - low) for name, value in ends.items()}
        named = self._named(ends)
        fractions = {name: place for name, place in fractions.items() if name in named}
        points = axes.get_position().height * axes.figure.get_figheight() * POINTS_AN_INCH  # type: ignore[union-attr]
        rows = 2 if self._large and len(ends) <= MOST_NAMED else 1
        apart = spread(fractions, gap=self._size * (rows * 1.15 + 0.1) / points)
        last = {line.design: line.curve.last_call for line in self._panel.lines}
        for name, place in apart.items():
            ended = f"ends at {last[name]}" if last[name] < self._panel.calls else ""
            value = ended or format_value(unit, ends[name])
            text = f"{name}\n{value}" if rows == 2 else self._short(name, ended)
            axes.annotate(
                text,
                (1.0, place),
                xycoords="axes fraction",
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=self._size,
                weight="bold",
                color=self._ink[name].light,
                annotation_clip=False,
            )

    def _short(self, name: str, ended: str) -> str:
        most = LONGEST_LARGE if self._large else LONGEST_SMALL
        text = name if len(name) <= most else f"{name[: most - 1]}…"
        return f"{text} {ended}" if self._large and ended else text

    def _named(self, ends: Mapping[str, float]) -> set[str]:
        """Choose the lines with names: all, or of many in a small panel the ones at its edges."""
        if self._large or len(ends) <= MOST_NAMED:
            return set(ends)
        return {next(iter(ends)), max(ends, key=ends.__getitem__), min(ends, key=ends.__getitem__)}


def _shown(band: AcceptedCurve, edge: Sequence[float], calls: int) -> list[float]:
    return [value for call, value in zip(band.calls, edge, strict=True) if call <= calls]


def spread(places: Mapping[str, float], gap: float) -> dict[str, float]:
    """Move places (0 to 1) apart until neighbours are `gap` apart, as little as that takes.

    Labels that collide are laid out around their mean; none comes nearer to either end than half a
    gap, unless they are too many for that.
    """
    clusters = [([name], place) for name, place in sorted(places.items(), key=lambda p: p[1])]
    merged: list[tuple[list[str], float]] = []
    for cluster in clusters:
        merged.append(cluster)
        while len(merged) > 1 and _collide(merged[-2], merged[-1], gap):
            (upper, above), (lower, below) = merged.pop(), merged.pop()
            mean = (above * len(upper) + below * len(lower)) / (len(upper) + len(lower))
            merged.append((lower + upper, mean))
    found: dict[str, float] = {}
    for names, centre in merged:
        height = gap * (len(names) - 1)
        start = max(min(centre - height / 2, 1 - gap / 2 - height), gap / 2)
        found |= {name: start + gap * i for i, name in enumerate(names)}
    return found


def _collide(below: tuple[list[str], float], above: tuple[list[str], float], gap: float) -> bool:
    return above[1] - below[1] < gap * (len(below[0]) + len(above[0])) / 2
