"""Say in words what garbage stands at once, and what was seen to help against it."""

from memcurve.model.debt import Act, Debt, Heavy, Relief
from memcurve.model.units import MIB, format_bytes, format_count

TOLD_FROM = MIB
"""Bytes that stand at once from which a calm debt is told: less is what any program has."""

LOOKED_AHEAD = 10_000
"""Calls that a forecast looks ahead: what leaves less than is allowed in so many needs no word."""

NOT_KNOWN = "how much of it stands at once is not known: that takes calls of its own"


def debt_lines(debt: Debt | None) -> list[tuple[str, str]]:
    """Return (what, sentence) for what stands at once; nothing where that is little, or unknown."""
    if debt is None:
        return []
    if debt.stood is None and debt.bytes_per_call * LOOKED_AHEAD > debt.limit:
        return [("garbage", NOT_KNOWN)]
    if debt.bytes < TOLD_FROM:
        return []
    if isinstance(debt, Heavy):
        return [("heavy", heavy_detail(debt)), *(("helps", _relief(one)) for one in _best(debt))]
    if debt.bytes <= debt.limit:
        at_once = f"about {format_count(round(debt.calls))} calls of it"
        return [("garbage", f"{at_once}, {format_bytes(debt.bytes)}, stand at once")]
    return [("garbage", _unproved(debt))]


def heavy_detail(debt: Heavy) -> str:
    """Return how much stood and is forecast, of what a call leaves, and what is allowed."""
    stood = debt.stood
    assert stood is not None  # or it would be calm
    text = (
        f"{left_by_a_call(debt)} wait for the collector; {format_bytes(stood.bytes)} of that stood "
        f"at once after {format_count(stood.at)} calls"
    )
    if debt.here is not None and debt.here.bytes > stood.bytes:
        text += (
            f", and {format_bytes(debt.here.bytes)} are forecast for CPython {debt.here.versions}"
        )
    return f"{text}; {format_bytes(debt.limit)} are allowed"


def left_by_a_call(debt: Debt) -> str:
    """Return what a call leaves to the collector: bytes, objects and descriptors."""
    text = f"{format_bytes(debt.bytes_per_call)} in {objects_text(debt.objects_per_call)} a call"
    if debt.descriptors_per_call < 0.005:
        return text
    return f"{text}, and {format_count(debt.descriptors_per_call)} descriptors,"


def objects_text(number: float) -> str:
    """Return a number of objects: "1 object", "2.5 objects"."""
    text = format_count(number)
    return f"{text} {'object' if text == '1' else 'objects'}"


def _unproved(debt: Debt) -> str:
    seen = debt.stood
    told = f"{format_bytes(debt.bytes)} may stand at once in {format_count(debt.calls)} calls of it"
    if seen is None:
        return f"{told}, by the forecast"
    return (
        f"{told}, by the forecast; in {format_count(seen.calls)} calls "
        f"{format_bytes(seen.bytes)} stood"
    )


def _best(debt: Heavy) -> list[Relief]:
    """Return the acts that leave no more standing than is allowed, the best first."""
    enough = [one for one in debt.reliefs if one.stood <= debt.limit]
    return sorted(enough, key=lambda one: one.stood)


def _relief(relief: Relief) -> str:
    stood, before = format_bytes(relief.stood), format_bytes(relief.without)
    return (
        f"{act_text(relief.act)}: {stood} stood instead of {before}, measured over "
        f"{format_count(relief.calls)} calls"
    )


def act_text(act: Act) -> str:
    """Return an act as the code that does it."""
    number = format_count(act.number)
    return {
        "nothing": "nothing",
        "collect": f"gc.collect() after every {number} calls",
        "threshold": f"gc.set_threshold({act.number})",
        "freeze": "gc.freeze() before the first call",
    }[act.kind]
