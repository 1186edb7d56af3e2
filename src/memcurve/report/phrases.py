"""Filters of the page's template: quantities and the small tables behind its pictures."""

import re
import shlex
from collections.abc import Callable
from typing import Any

import msgspec

from memcurve.compare.difference import Sign
from memcurve.compare.metrics import METRICS, Metric
from memcurve.model.findings import Ledger
from memcurve.model.outcome import CounterChange
from memcurve.model.units import (
    counter_of,
    format_bytes,
    format_count,
    format_duration,
    format_value,
)
from memcurve.report.crossings import crossing_message
from memcurve.report.panels import Panel
from memcurve.report.standings import gap_short, standing_brief, standing_summary
from memcurve.report.table import show
from memcurve.report.view import DesignView, RunView, ScenarioView

_LEDGER = {
    "retained_python": "retained, Python heap",
    "retained_malloc": "retained, malloc",
    "deferred": "deferred",
    "allocator_slack": "allocator slack",
    "other_mappings": "other mappings",
    "residual": "not explained",
}
_ROWS = 8


class ValueRow(msgspec.Struct, frozen=True, kw_only=True):
    """The values at one call, in the order of the lines of a panel."""

    call: int
    values: tuple[str, ...]


class LedgerPart(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the ledger, with its share of what grew in percent."""

    key: str
    title: str
    bytes: int
    share: float


class MetricCell(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of a design, and how it stands to the reference; empty where nothing compares."""

    metric: Metric
    text: str
    sign: Sign | None
    gap: str


class ChangeCells(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a comparison with a baseline."""

    counter: str
    accepted: str
    measured: str


def value_rows(panel: Panel) -> list[ValueRow]:
    """Return a few rows of a panel, for a table."""
    calls = sorted({0, 1, panel.calls, *(panel.calls * i // (_ROWS - 2) for i in range(_ROWS))})
    unit = counter_of(panel.lines[0].curve.counter)
    rows = []
    for call in (c for c in calls if c <= panel.calls):
        cells = []
        for line in panel.lines:
            inside = line.curve.calls[0] <= call <= line.curve.last_call
            cells.append(format_value(unit, line.curve.at(call)) if inside else "-")
        rows.append(ValueRow(call=call, values=tuple(cells)))
    return rows


def ledger_rows(ledger: Ledger) -> list[LedgerPart]:
    """Return the parts of the ledger."""
    parts = {key: int(getattr(ledger, key)) for key in _LEDGER}
    whole = sum(max(value, 0) for value in parts.values()) or 1
    return [
        LedgerPart(key=key, title=_LEDGER[key], bytes=value, share=max(value, 0) * 100 / whole)
        for key, value in parts.items()
    ]


def cells(design: DesignView, scenario: ScenarioView) -> list[MetricCell]:
    """Return each metric of a design with how it stands to the reference."""
    standing = scenario.standing(design.name)
    gaps = {gap.metric.key: gap for gap in standing.gaps} if standing is not None else {}
    return [
        MetricCell(
            metric=metric,
            text=design.retained if metric.key == "retained" else show(metric, design),
            sign=gaps[metric.key].sign if metric.key in gaps else None,
            gap=gap_short(gaps[metric.key]) if metric.key in gaps else "",
        )
        for metric in METRICS
    ]


def change_cells(change: CounterChange) -> ChangeCells:
    """Return one line of a comparison in the unit of its counter."""
    counter = counter_of(change.counter)
    accepted, measured = (format_value(counter, v) for v in (change.accepted, change.measured))
    return ChangeCells(counter=counter.title, accepted=accepted, measured=measured)


def kept_together(text: str) -> str:
    """Bind numbers to their units, so that no line breaks between them."""
    return re.sub(r"(?<=\d) (?=%|B\b|[KMG]iB\b|ms\b|s\b)|(?<=≤) ", "\u00a0", text)


def slug(name: str) -> str:
    """Return a name as a class of a style sheet can hold it; the script does the same."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def culprit_file(scenario: str, design: str, number: int) -> str:
    """Return where the page of a design's culprit stands, relative to the page of the run."""
    return f"culprits/{slug(scenario)}-{slug(design)}-{number}.html"


def counted(value: float, noun: str) -> str:
    """Return "1 object" or "2.5 objects"; just the number without a noun."""
    plural = "" if value == 1 or not noun else "s"
    return f"{format_count(value)} {noun}{plural}".rstrip()


def reproduce(view: RunView, scenario: ScenarioView) -> str:
    """Return the command that measures one scenario again, with as many calls, or one test."""
    if scenario.test:
        return f"pytest --memcurve {shlex.quote(scenario.test)}"
    calls = max(design.outcome.recording.calls for design in scenario.designs)
    asked = f"-k {scenario.name} --calls {calls}"
    return (
        f'make bench ARGS="{asked}"'
        if view.command.startswith("make ")
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
    "crossing_message": crossing_message,
    "standing_brief": standing_brief,
    "standing_summary": standing_summary,
    "kept_together": kept_together,
    "counted": counted,
    "slug": slug,
}
