"""The causes of a growth as lines for a terminal."""

from collections.abc import Iterator

from memcurve.model.findings import NOT_EXPLAINED, Culprit, Cycle, Explanation, Ledger
from memcurve.model.surveys import LostReference
from memcurve.model.units import format_bytes, format_count
from memcurve.report.debt import objects_text

MOST_CULPRITS, MOST_CYCLES, MOST_FRAMES = 4, 3, 4
SMALL_RSS = 1 << 20
LEAST_REST = 0.1
"""Of the growth: a smaller rest is what the holder itself grows by; nobody can act on it."""

_ROWS = (
    ("retained_python", "retained Python"),
    ("retained_malloc", "retained malloc"),
    ("deferred", "deferred"),
    ("allocator_slack", "allocator slack (fragmentation, no leak)"),
    ("other_mappings", "other mappings"),
    ("residual", "residual"),
)


def cause_lines(explanation: Explanation) -> Iterator[str]:
    """Yield the culprits, most important first, then cycles and what could not be found out."""
    told = [culprit for culprit in explanation.culprits if not _is_slight_rest(culprit)]
    for number, culprit in enumerate(told[:MOST_CULPRITS], 1):
        yield from culprit_lines(number, culprit)
    more = len(told) - MOST_CULPRITS
    if more > 0:
        yield f"  and {more} more: --json has them all"
    for cycle in explanation.cycles[:MOST_CYCLES]:
        yield f"  cycle        {cycle_line(cycle)}"
        if cycle.site:
            yield f"    made at    {made_at(cycle)}"
    if explanation.uncollectable:
        yield f"  cycle        {explanation.uncollectable} objects that no collection can free"
    for lost in explanation.lost_references or ():
        yield f"  references   {lost_reference_line(lost)}"
    if explanation.flame_graph:
        yield f"  flame graph  {explanation.flame_graph}"
    for note in explanation.notes:
        yield f"  note         {note}"


def lost_reference_line(lost: LostReference) -> str:
    """Return which long-lived object loses how many references, and what that may mean."""
    return (
        f"{lost.name} gains references that nothing known to the collector holds, "
        f"{lost.per_call:.2g} a call: an extension may forget a decrement"
    )


def _is_slight_rest(culprit: Culprit) -> bool:
    return culprit.type == NOT_EXPLAINED and culprit.share < LEAST_REST


def culprit_lines(number: int, culprit: Culprit) -> Iterator[str]:
    """Yield what is known of one culprit."""
    yield f"  culprit {number}    {headline(culprit)}"
    if culprit.path:
        yield f"    held by    {holder_line(culprit)}"
    if culprit.site:
        yield f"    made at    {made_at(culprit)}"
    rows = (
        ("sample", culprit.sample),
        ("lost", lost_text(culprit)),
        ("bound", culprit.bound),
        ("cycle", culprit.cycle),
        ("advice", culprit.advice),
        ("known", culprit.known),
        ("mark", culprit.fingerprint),
    )
    for title, text in rows:
        if text:
            yield f"    {title:<10} {text}"


def made_at(made: Culprit | Cycle) -> str:
    """Return the line that makes a culprit or a cycle, and the user's own where that is another."""
    own = made.user_site
    return made.site if own in ("", made.site) else f"{made.site}, called from {own}"


def lost_text(culprit: Culprit) -> str:
    """Return how many references each call loses; "" where none is proved to be lost."""
    if not culprit.lost_references:
        return ""
    many = format_count(culprit.lost_references)
    noun = "reference" if culprit.lost_references == 1 else "references"
    return f"{culprit.type}, {many} more {noun} a call than anyone holds"


def holder_line(culprit: Culprit) -> str:
    """Return who holds a culprit, from the kind of root on, and over how many it is spread."""
    kind = f"{culprit.root}: " if culprit.root and culprit.root != culprit.path[0] else ""
    others = culprit.holders - 1
    many = f" (and {others} more holders of this shape)" if others > 0 else ""
    return f"{kind}{' → '.join(culprit.path)}{many}"


def headline(culprit: Culprit) -> str:
    """Return one line: how many of what, how many bytes, and which share of the growth."""
    text = f"{format_count(culprit.per_call)} {culprit.type} a call"
    if culprit.per_call == 0:
        text = culprit.type
    if culprit.bytes_per_call:
        text += f", {format_bytes(culprit.bytes_per_call)} a call"
    if culprit.native_per_call >= 0.5 * culprit.bytes_per_call > 0:
        text += f" ({format_bytes(culprit.native_per_call)} of it malloc's)"
    return text + (f", {culprit.share * 100:.0f} % of the growth" if culprit.share else "")


def cycle_line(cycle: Cycle) -> str:
    """Return one line: how often, how many objects, which way round, and what waits with them."""
    text = f"{format_count(cycle.per_call)} a call, {objects_text(cycle.objects)}: {cycle.words}"
    if cycle.held_per_call > cycle.per_call * cycle.bytes:
        text += f"; keeps {format_bytes(cycle.held_per_call)} a call waiting"
        text += f" ({', '.join(cycle.keeps)})" if cycle.keeps else ""
    if cycle.finalizers:
        text += f"; with finalizers: {', '.join(cycle.finalizers)}"
    return text


def ledger_line(ledger: Ledger) -> str:
    """Return where resident memory went, the rows that matter first; "" if it hardly grew."""
    if abs(ledger.rss) < SMALL_RSS:
        return ""
    rows = [(title, getattr(ledger, name)) for name, title in _ROWS]
    rows = [row for row in rows if abs(row[1]) >= 0.01 * abs(ledger.rss)]
    rows.sort(key=lambda row: -abs(row[1]))
    parts = ", ".join(f"{title} {format_bytes(value)}" for title, value in rows)
    span = f"calls {ledger.from_call} to {ledger.to_call}"
    return f"resident memory grew by {format_bytes(ledger.rss)} ({span}): {parts}"
