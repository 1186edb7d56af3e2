"""Tell a cache that is filling up to a declared bound from a leak.

Two verifications, at different calls, list the bounded containers that are not full. One that
gained entries between them at r entries a call, of e bytes each, explains r·e bytes a call, and is
full at call n + (bound - size)/r. If the containers found explain at least 0.7 of the slope, and
what all of them hold when full is no more than `max_bytes`, the growth is theirs.

A container that the first of the two did not list has no history: it is born in the calls, as each
of a leak of objects with a cache of their own is. Its bound says nothing of how many there will be.
"""

from memcurve.model.recording import Bound, PassRecord
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Filling


def filling_bounds(settled: PassRecord, per_call: float, thresholds: Thresholds) -> Filling | None:
    """Return the filling container that explains most of a growth of `per_call` bytes a call.

    None where the containers found do not explain enough of it, or would hold too much when full.
    """
    if len(settled.verifications) < 2 or per_call <= 0:
        return None
    found = _rates(settled)
    if not found:
        return None
    explained = sum(rate * bound.entry_bytes for bound, rate in found)
    if explained < thresholds.explained * per_call:
        return None
    bound, rate = max(found, key=lambda pair: pair[1] * pair[0].entry_bytes)
    full_bytes = sum(bound.bound * bound.entry_bytes for bound, _ in found)
    if full_bytes > thresholds.max_bytes:
        return None
    return _filling(bound, rate, settled.verifications[-1].call)


def full_at(settled: PassRecord) -> int | None:
    """Return the last call at which a container that fills now will be full, None if none does."""
    if not settled.verifications:
        return None
    call = settled.verifications[-1].call
    calls = [_filling(bound, rate, call).full_at_call for bound, rate in _rates(settled)]
    return max(calls, default=None)


def _rates(settled: PassRecord) -> list[tuple[Bound, float]]:
    """Return the containers that gained entries, each with its entries a call.

    With one verification they count as empty before the first call: enough to plan, not to judge.
    """
    last = settled.verifications[-1]
    first = settled.verifications[0] if len(settled.verifications) > 1 else None
    bounds = {bound.id: bound for bound in last.bounds}
    empty = dict.fromkeys(bounds, 0)
    earlier = {bound.id: bound.size for bound in first.bounds} if first else empty
    calls = last.call - (first.call if first else 0)
    if calls <= 0:
        return []
    rates = [
        (bound, (bound.size - earlier[known]) / calls)
        for known, bound in bounds.items()
        if known in earlier
    ]
    return [(bound, rate) for bound, rate in rates if rate > 0]


def _filling(bound: Bound, rate: float, call: int) -> Filling:
    return Filling(
        name=bound.name,
        bound=bound.bound,
        size=bound.size,
        full_at_call=call + round((bound.bound - bound.size) / rate),
        full_bytes=round(bound.bound * bound.entry_bytes),
    )
