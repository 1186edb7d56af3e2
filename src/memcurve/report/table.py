"""The table that a run prints: designs against each other, at most 100 columns wide."""

import sys
import textwrap
from typing import IO, TYPE_CHECKING

from memcurve.report.figures import METRICS, Metric
from memcurve.report.page import DesignView, Page, ScenarioView
from memcurve.report.sentences import SYMBOLS, State

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST_COLUMNS = 100
MOST_LEADS = 3
_STYLES: dict[State, str] = {
    "failed": "bold red",
    "growing": "red",
    "inconclusive": "yellow",
    "plateaued": "cyan",
    "flat": "green",
}
_HEADS = {"rss_peak": "peak RSS", "fds": "fds", "connections": "conns"}


def print_table(page: Page, file: IO[str] | None = None) -> None:
    """Print the table of a run, in colour on a terminal unless NO_COLOR is set."""
    from rich.console import Console
    from rich.text import Text

    console = Console(file=file or sys.stdout, highlight=False)
    console.width = min(console.width, MOST_COLUMNS) if console.is_terminal else MOST_COLUMNS
    with console.capture() as capture:
        for part in _parts(page, console):
            console.print(part)
        for crossing in page.crossings:  # not wrapped: it ends with a command to copy
            console.print(Text(f"✕ {crossing.message}", style="red"), soft_wrap=True)
    for line in capture.get().splitlines():
        console.file.write(line.rstrip() + "\n")


def _parts(page: Page, console: "Console") -> list[object]:
    from rich.text import Text

    roomy = _grid(page, 2)
    wide = console.options.update(max_width=10 * MOST_COLUMNS)
    fits = console.measure(roomy, options=wide).maximum <= console.width
    parts: list[object] = [roomy if fits else _grid(page, 1)]
    for scenario in page.scenarios:
        if scenario.leads:
            won = f"{scenario.winner} wins *" if scenario.winner else "nobody wins"
            parts.append(Text(f"\n{scenario.name}: {won}", style="bold"))
            parts.extend(Text(line) for line in lead_lines(scenario))
    style = "bold green" if page.passed else "bold red"
    parts.append(Text(f"\n{page.status}: {page.headline}", style=style))
    return parts


def _grid(page: Page, space: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, padding=(0, space, 0, 0), header_style="bold")
    grid.add_column("")
    for metric in METRICS:
        grid.add_column(_head(metric), justify="right", no_wrap=True)
    grid.add_column("verdict", no_wrap=True)
    for scenario in page.scenarios:
        grid.add_row(Text(scenario.name, style="bold"))
        for design in scenario.designs:
            won = design.name == scenario.winner
            label = Text(f"{SYMBOLS[design.state]} {design.label}", style=_STYLES[design.state])
            name = Text(f"  {design.name}{' *' if won else ''}")
            grid.add_row(name, *cells(design), label)
    return grid


def _head(metric: Metric) -> str:
    head = _HEADS.get(metric.key, metric.title)
    return f"{head}\n/call" if metric.per_call else head


def cells(design: DesignView) -> list[str]:
    """Return the figures of a design in the order of `METRICS`; "-" was not measured."""
    return [design.retained, *(show(metric, design) for metric in METRICS[1:])]


def show(metric: Metric, design: DesignView) -> str:
    """Return one figure with its unit; growth over the run has a sign."""
    value = design.figures.get(metric)
    if value is None:
        return "-"
    plus = "+" if metric.key in ("rss_peak", "fds") and value >= 0 else ""
    return plus + metric.show(value)


def lead_lines(scenario: ScenarioView) -> list[str]:
    """Return who wins and by how much, a paragraph for each design against the reference.

    Of many designs only the winner, or the last one, is told in words.
    """
    told = scenario.leads
    if len(told) > MOST_LEADS:
        told = tuple(lead for lead in told if lead.design == scenario.winner) or told[-1:]
    return [
        textwrap.fill(
            f"{lead.design} against {lead.over}: {lead.summary}: {lead.brief}",
            width=MOST_COLUMNS - 1,
            initial_indent="  ",
            subsequent_indent="    ",
        )
        for lead in told
    ]
