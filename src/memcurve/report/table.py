"""The table that a run prints: designs against each other, at most 100 columns wide."""

import sys
import textwrap
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from memcurve.compare.metrics import METRICS, Metric
from memcurve.model.outcome import State
from memcurve.report.causes import lost_reference_line
from memcurve.report.crossings import crossing_message
from memcurve.report.sentences import SYMBOLS
from memcurve.report.standings import metric_amount, standing_brief, standing_summary
from memcurve.report.view import DesignView, RunView, ScenarioView

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_COLUMNS = 100
MOST_LEADS = 3
_STYLES: dict[State, str] = {
    "failed": "bold red",
    "growing": "red",
    "rising": "magenta",
    "inconclusive": "yellow",
    "plateaued": "cyan",
    "flat": "green",
}
_HEADS = {"rss_peak": "peak RSS", "fds": "fds", "connections": "conns"}


def print_table(view: RunView, file: IO[str] | None = None) -> None:
    """Print the table of a run, in colour on a terminal unless NO_COLOR is set."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=file or sys.stdout, highlight=False)
    console.width = min(console.width, MOST_COLUMNS) if console.is_terminal else MOST_COLUMNS
    with console.capture() as capture:
        for part in _parts(view, console):
            console.print(part)
        for crossing in view.crossings:  # not wrapped: it ends with a command to copy
            console.print(Text(f"✕ {crossing_message(crossing)}", style="red"), soft_wrap=True)
    for line in capture.get().splitlines():
        console.file.write(line.rstrip() + "\n")


def _parts(view: RunView, console: "Console") -> list[object]:
    from rich.text import Text

    roomy = _grid(view, 2)
    wide = console.options.update(max_width=10 * MOST_COLUMNS)
    fits = console.measure(roomy, options=wide).maximum <= console.width
    parts: list[object] = [roomy if fits else _grid(view, 1)]
    for scenario in view.scenarios:
        if scenario.standings:  # nobody wins where there is one
            won = f"{scenario.winner} wins *" if scenario.winner else "nobody wins"
            parts.append(Text(f"\n{scenario.name}: {won}", style="bold"))
            parts.extend(Text(line) for line in lead_lines(scenario))
    parts.extend(Text(line) for line in _lost_lines(view))
    style = "bold green" if view.passed else "bold red"
    parts.append(Text(f"\n{view.status}: {view.headline}", style=style))
    return parts


def _lost_lines(view: RunView) -> list[str]:
    """Return which objects lose references, a line each."""
    lines = [
        f"{scenario.name}, {design.name}: {lost_reference_line(lost)}"
        for scenario in view.scenarios
        for design in scenario.designs
        for lost in design.lost_references or ()
    ]
    return ["", *lines] if lines else []


def _grid(view: RunView, space: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, space, 0, 0), header_style="bold")
    grid.add_column("")
    for metric in METRICS:
        grid.add_column(_head(metric), justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    for heading, scenario in _headed(view):
        if heading:
            grid.add_row(Text(heading, style="bold"))
        for design in scenario.designs:
            won = design.name == scenario.winner
            label = Text(f"{SYMBOLS[design.state]} {design.label}", style=_STYLES[design.state])
            name = Text(f"  {design.name}{' *' if won else ''}")
            grid.add_row(name, *cells(design), label)
    return grid


def _headed(view: RunView) -> Iterator[tuple[str, ScenarioView]]:
    """Yield each scenario with the line above it: its name; of tests the file, once."""
    for name, group in view.groups:
        for number, scenario in enumerate(group):
            yield name if number == 0 else "", scenario


def _head(metric: Metric) -> str:
    head = _HEADS.get(metric.key, metric.title)
    return f"{head}\n/call" if metric.per_call else head


def cells(design: DesignView) -> list[str]:
    """Return the figures of a design in the order of `METRICS`; "-" was not measured."""
    return [design.retained, *(show(metric, design) for metric in METRICS[1:])]


def show(metric: Metric, design: DesignView) -> str:
    """Return one figure with its unit; growth over the run has a sign."""
    value = design.metrics.get(metric)
    if value is None:
        return "-"
    plus = "+" if metric.key in ("rss_peak", "fds") and value >= 0 else ""
    return plus + metric_amount(metric, value)


def lead_lines(scenario: ScenarioView) -> list[str]:
    """Return who wins and by how much, a paragraph for each design against the reference.

    Of many designs only the winner, or the last one, is told in words.
    """
    told = scenario.standings
    if len(told) > MOST_LEADS:
        told = tuple(one for one in told if one.design == scenario.winner) or told[-1:]
    return [
        textwrap.fill(
            f"{one.design} against {one.over}: {standing_summary(one)}: {standing_brief(one)}",
            width=MOST_COLUMNS - 1,
            initial_indent="  ",
            subsequent_indent="    ",
        )
        for one in told
    ]
