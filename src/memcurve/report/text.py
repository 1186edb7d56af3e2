"""Verdicts as lines for a terminal."""

import math
from typing import assert_never

from memcurve.model.debt import Heavy
from memcurve.model.findings import Explanation
from memcurve.model.outcome import Outcome
from memcurve.model.recording import RESOURCES
from memcurve.model.units import COUNTERS, Counter, format_bytes, format_value
from memcurve.model.verdict import (
    Checked,
    Evidence,
    Flat,
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Rise,
    Rising,
    Verdict,
    name_of,
)
from memcurve.report.beside import beside_heaps, coverage, place
from memcurve.report.causes import cause_lines, ledger_line
from memcurve.report.debt import debt_lines, heavy_detail, objects_text

_BESIDE_TITLES = {
    "mapped": "mapped",
    "children": "children",
    "fds": "descriptors",
    "threads": "threads",
    "tasks": "tasks",
    "processes": "processes",
    "zombies": "zombies",
}


def rate(evidence: Evidence, value: float) -> str:
    """Return a slope with its unit and denominator."""
    counter = _counter(evidence)
    return f"{format_value(counter, value)} a call"


def _counter(evidence: Evidence) -> Counter:
    return COUNTERS[evidence.counter]


def verdict_line(verdict: Verdict) -> str:
    """Return one sentence: what, how much, how sure, up to where."""
    return f"{name_of(verdict)}: {verdict_detail(verdict)}"


def verdict_detail(verdict: Verdict) -> str:
    """Return that sentence for where the verdict's word stands before it."""
    evidence = verdict.evidence
    title = _counter(evidence).title
    match verdict:
        case Flat() if evidence.high < 0 and evidence.floor > verdict.thresholds.floor_limit:
            fall = format_value(_counter(evidence), -evidence.per_call)
            return (
                f"flat: {title} fall by {fall} a call in calls {evidence.from_call} to "
                f"{evidence.to_call}, which would hide a growth of up to "
                f"{rate(evidence, evidence.floor)}"
            )
        case Flat():
            return (
                f"{title} do not grow{coverage(evidence)}; a growth of "
                f"{rate(evidence, evidence.floor)} or more{_of_children(verdict)} "
                f"would have been seen {_seen_in(evidence)}"
            )
        case Plateaued():
            return _plateau_detail(verdict)
        case Growing():
            return f"{_rise_detail(verdict)}; no bound up to call {verdict.no_bound_up_to}"
        case Rising():
            return (
                f"{_rise_detail(verdict)} in calls {evidence.from_call} to {evidence.to_call}; "
                f"{verdict.why}; {verdict.settle_by} would"
            )
        case Inconclusive():
            return (
                f"{title}{coverage(evidence)}: {verdict.why}; {verdict.settle_by} would decide it"
            )
        case _:
            assert_never(verdict)


def _rise_detail(verdict: Rise) -> str:
    evidence, counter = verdict.evidence, _counter(verdict.evidence)
    low, high = format_value(counter, verdict.low), format_value(counter, verdict.high)
    return (
        f"{counter.title} grow by {rate(evidence, verdict.per_call)} [{low}, {high}]"
        f"{place(evidence)}"
    )


def _seen_in(evidence: Evidence) -> str:
    """Return in which calls growth would have been seen, and how rare it may be for that."""
    calls = f"calls {evidence.from_call} to {evidence.to_call}"
    if not evidence.horizon:
        return f"in {calls}"
    return f"in {calls}, if it comes at least every {_ordinal(evidence.horizon)} call"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _plateau_detail(verdict: Plateaued) -> str:
    counter, filling = _counter(verdict.evidence), verdict.filling
    if filling is not None:
        return (
            f"{filling.name} is filling up, {filling.size} of {filling.bound}; "
            f"full at call {filling.full_at_call} with {format_bytes(filling.full_bytes)}"
        )
    if verdict.projected:
        return (
            f"{counter.title} still rise, ever more slowly, towards "
            f"{format_value(counter, verdict.size)} (projected)"
        )
    moved = "rose" if verdict.size >= 0 else "fell"
    size = format_value(counter, abs(verdict.size))
    since = f"up to call {verdict.at}, and not since"
    return f"{counter.title}{coverage(verdict.evidence)} {moved} by {size} {since}"


def _of_children(verdict: Flat) -> str:
    """Return what is seen of child processes, which is less: they are read in pages."""
    if not any("child process" in part for part in verdict.evidence.covers):
        return ""
    floor = max(verdict.thresholds.children_tolerance, verdict.evidence.floor)
    return f" ({format_bytes(floor)} in child processes)"


def check_text(checked: Checked) -> str:
    """Return what `memcurve check` prints: the verdict, what else was judged, the caveats."""
    verdict, judgement = checked.verdict, checked.judgement
    retained, standing = judgement.retained, debt_lines(judgement.debt)
    lines = [verdict_line(verdict)]
    if isinstance(judgement.debt, Heavy):
        lines = [f"heavy: {heavy_detail(judgement.debt)}", f"  memory       {lines[0]}"]
        standing = standing[1:]
    if retained is not verdict and retained.evidence is not verdict.evidence:
        lines.append(f"  memory       {verdict_line(retained)}")
    for name, title in _BESIDE_TITLES.items():
        beside = judgement.verdicts.get(name)
        if beside is None or isinstance(beside, Flat) or _is_said(beside, verdict):
            continue
        lines.append(f"  {title:<12} {verdict_line(beside)}")
    if retained.evidence.horizon:
        lines.extend(f"  counted      {text}" for text in _seen_of_counts(judgement))
    if isinstance(retained, Rise):
        split = f"Python {format_bytes(judgement.python_per_call)}"
        split += f", malloc {format_bytes(judgement.native_per_call)} a call"
        lines.append(f"  heaps        {split}")
        lines.extend(f"  {what:<12} {text}" for what, text in beside_heaps(judgement))
    if judgement.deferred.objects_per_call >= 0.005 and not isinstance(judgement.debt, Heavy):
        lines.append(
            f"  deferred     {format_bytes(judgement.deferred.bytes_per_call)} in "
            f"{objects_text(judgement.deferred.objects_per_call)} a call wait for the collector"
        )
    lines.extend(f"  {what:<12} {text}" for what, text in standing)
    lines.extend(f"  note         {caveat.text}" for caveat in judgement.caveats)
    if checked.explanation is not None:
        if checked.ledger is not None and ledger_line(checked.ledger):
            lines.append(f"  ledger       {ledger_line(checked.ledger)}")
        lines.extend(cause_lines(checked.explanation))
    if isinstance(verdict, Inconclusive | Rising):
        lines.append("  next         more calls (--calls) or more time for them (--budget)")
    if checked.acknowledged:
        lines.append("  acknowledged: known leaks explain this growth, so it does not fail")
    lines.append(f"  {_calls(checked)} in {checked.elapsed_s:.1f} s")
    return "\n".join(lines)


def _seen_of_counts(judgement: Judgement) -> list[str]:
    """Return how often a descriptor, thread or task must be left over to be seen in few calls."""
    flat = {
        _BESIDE_TITLES[name]: verdict.evidence.floor
        for name, verdict in judgement.verdicts.items()
        if name in RESOURCES and isinstance(verdict, Flat) and verdict.evidence.horizon
    }
    if not flat:
        return []
    one_in = math.floor(1 / max(flat.values()))
    return [f"{', '.join(flat)}: one more in {one_in} calls would have been seen"]


def _is_said(beside: Verdict, verdict: Verdict) -> bool:
    """Say whether a verdict is the one that was said already, or is open for the same reason."""
    if isinstance(beside, Inconclusive) and isinstance(verdict, Inconclusive):
        return beside.why == verdict.why and beside.settle_by == verdict.settle_by
    return beside.evidence is verdict.evidence


def _calls(checked: Checked) -> str:
    record = checked.recording.of("settled")
    counted = f"{checked.judgement.calls} calls"
    if record is None or not record.looked_at:
        return counted
    return f"{counted}, and {record.looked_at} more to look at what rises,"


def outcome_text(outcome: Outcome, explanation: Explanation) -> str:
    """Return what `memcurve explain` prints: the verdict, the ledger, the causes."""
    lines = []
    if outcome.judgement is not None:
        lines.append(verdict_line(outcome.judgement.overall))
    if outcome.ledger is not None and ledger_line(outcome.ledger):
        lines.append(f"  ledger       {ledger_line(outcome.ledger)}")
    lines.extend(cause_lines(explanation))
    lines.append(f"  explained in {explanation.elapsed_s:.1f} s")
    return "\n".join(lines)
