"""Say in words what stands outside the two heaps: mapped memory and child processes."""

from memcurve.model.recording import ChildProcess
from memcurve.model.units import format_bytes
from memcurve.model.verdict import Evidence, Judgement

LEAST_SHARE = 0.05
"""A part with less of the growth is not worth a line."""
MOST_CHILDREN = 3


def listed(parts: tuple[str, ...]) -> str:
    """Return "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def coverage(evidence: Evidence) -> str:
    """Return what a verdict on memory covers, to stand after its verb; "" for both heaps alone.

    What could not be read is named too: a green sentence is taken for the whole process.
    """
    known = evidence.covers if len(evidence.covers) > 1 else ()
    text = f" in {listed(known)}" if known else ""
    return text + (f" ({listed(evidence.unread)} not counted)" if evidence.unread else "")


def place(evidence: Evidence) -> str:
    """Return where it grows, if that is not the heaps alone."""
    if evidence.where in ((), ("both heaps",)):
        return ""
    return f" in {listed(evidence.where)}"


def beside_heaps(judgement: Judgement) -> list[tuple[str, str]]:
    """Return (what, sentence) for each part outside the heaps that grows, and for its children."""
    least = LEAST_SHARE * max(judgement.retained.evidence.per_call, 1.0)
    lines = []
    if judgement.mapped_per_call > least:
        touched = format_bytes(max(judgement.touched_per_call, 0.0))
        text = f"{format_bytes(judgement.mapped_per_call)} a call past both heaps"
        lines.append(("mapped", f"{text}, {touched} of it touched"))
    if judgement.children_per_call > least:
        grown = sorted(judgement.children, key=lambda child: -child.gained)
        lines += [("child", child_text(child)) for child in grown[:MOST_CHILDREN] if child.gained]
    return lines


def child_text(child: ChildProcess) -> str:
    """Return what a child process is and what it gained."""
    gained = f"gained {format_bytes(child.gained)} since it was first seen"
    return f"{child.role} {child.pid} {gained}, holds {format_bytes(child.bytes)}: {child.command}"
