"""Filters of the page's template: quantities and the small tables behind its pictures."""

import re
from collections.abc import Callable
from typing import Any

from memcurve.model.findings import Ledger
from memcurve.model.outcome import CounterChange
from memcurve.model.units import format_bytes, format_count, format_duration, format_value
from memcurve.report.figures import METRICS, Metric, counter_of
from memcurve.report.leads import Gap
from memcurve.report.page import DesignView, Page, ScenarioView
from memcurve.report.panels import Panel
from memcurve.report.sentences import without_verdict
from memcurve.report.table import show

_LEDGER = {
    "retained_python": "retained, Python heap",
    "retained_malloc": "retained, malloc",
    "deferred": "deferred",
    "allocator_slack": "allocator slack",
    "other_mappings": "other mappings",
    "residual": "not explained",
}
_ROWS = 8


def value_rows(panel: Panel) -> list[tuple[int, list[str]]]:
    """Return a few (call, values in the order of the lines) of a panel, for a table."""
    calls = sorted({0, 1, panel.calls, *(panel.calls * i // (_ROWS - 2) for i in range(_ROWS))})
    unit = counter_of(panel.lines[0].curve.counter)
    rows = []
    for call in (c for c in calls if c <= panel.calls):
        cells = []
        for line in panel.lines:
            inside = line.curve.calls[0] <= call <= line.curve.last_call
            cells.append(format_value(unit, line.curve.at(call)) if inside else "-")
        rows.append((call, cells))
    return rows


def ledger_rows(ledger: Ledger) -> list[tuple[str, str, int, float]]:
    """Return (key, title, bytes, share of what grew in percent) for each part of the ledger."""
    parts = {key: int(getattr(ledger, key)) for key in _LEDGER}
    whole = sum(max(value, 0) for value in parts.values()) or 1
    return [(k, _LEDGER[k], value, max(value, 0) * 100 / whole) for k, value in parts.items()]


def cells(design: DesignView, scenario: ScenarioView) -> list[tuple[Metric, str, Gap | None]]:
    """Return each figure of a design with how it stands to the reference."""
    gaps = {
        g.metric.key: g for lead in scenario.leads if lead.design == design.name for g in lead.gaps
    }
    found = []
    for metric in METRICS:
        text = design.retained if metric.key == "retained" else show(metric, design)
        found.append((metric, text, gaps.get(metric.key)))
    return found


def change_cells(change: CounterChange) -> tuple[str, str, str]:
    """Return (counter, accepted, measured) of one line of a comparison."""
    counter = counter_of(change.counter)
    accepted, measured = (format_value(counter, v) for v in (change.accepted, change.measured))
    return counter.title, accepted, measured


def kept_together(text: str) -> str:
    """Bind numbers to their units, so that no line breaks between them."""
    return re.sub(r"(?<=\d) (?=%|B\b|[KMG]iB\b|ms\b|s\b)|(?<=≤) ", "\u00a0", text)


def slug(name: str) -> str:
    """Return a name as a class of a style sheet can hold it; the script does the same."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def counted(value: float, noun: str) -> str:
    """Return "1 object" or "2.5 objects"; just the number without a noun."""
    plural = "" if value == 1 or not noun else "s"
    return f"{format_count(value)} {noun}{plural}".rstrip()


def reproduce(page: Page, scenario: ScenarioView) -> str:
    """Return the command that measures one scenario again, with as many calls, or one test."""
    if "::" in scenario.description:
        return f"pytest --memcurve '{scenario.description}'"
    calls = max(design.outcome.recording.calls for design in scenario.designs)
    asked = f"-k {scenario.name} --calls {calls}"
    return (
        f'make bench ARGS="{asked}"'
        if page.command.startswith("make ")
        else f"memcurve run {asked}"
    )


FILTERS: dict[str, Callable[..., Any]] = {
    "bytes": format_bytes,
    "count": format_count,
    "duration": format_duration,
    "value_rows": value_rows,
    "ledger_rows": ledger_rows,
    "cells": cells,
    "change_cells": change_cells,
    "reproduce": reproduce,
    "without_verdict": without_verdict,
    "kept_together": kept_together,
    "counted": counted,
    "slug": slug,
}
