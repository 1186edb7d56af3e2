"""Tell a cache that is filling up to a declared bound from a leak.

Two verifications, at different calls, list the bounded containers that are not full. One that
gained entries between them at r entries a call, of e bytes each, explains r·e bytes a call, and is
full at call n + (bound − size)/r. If the containers found explain at least 0.7 of the slope, and
what they hold when full is no more than `max_bytes`, the growth is theirs.
"""

from memcurve.judge.thresholds import Thresholds
from memcurve.judge.verdict import Evidence, Filling
from memcurve.recording import Bound, PassRecord


def filling_bounds(
    settled: PassRecord, evidence: Evidence, thresholds: Thresholds
) -> Filling | None:
    """Return the filling container that explains the growth best, None if none does."""
    if len(settled.verifications) < 2 or evidence.per_call <= 0:
        return None
    first, last = settled.verifications[0], settled.verifications[-1]
    calls = last.call - first.call
    if calls <= 0:
        return None
    earlier = {bound.id: bound for bound in first.bounds}
    explained, best, most = 0.0, None, 0.0
    for bound in {b.id: b for b in last.bounds}.values():
        size_before = earlier[bound.id].size if bound.id in earlier else 0
        rate = (bound.size - size_before) / calls
        if rate <= 0:
            continue
        share = rate * bound.entry_bytes
        explained += share
        if share > most:
            most, best = share, _filling(bound, rate, last.call)
    if best is None or explained < thresholds.explained * evidence.per_call:
        return None
    return best if best.full_bytes <= thresholds.max_bytes else None


def _filling(bound: Bound, rate: float, call: int) -> Filling:
    return Filling(
        name=bound.name,
        bound=bound.bound,
        size=bound.size,
        full_at_call=call + round((bound.bound - bound.size) / rate),
        full_bytes=round(bound.bound * bound.entry_bytes),
    )
