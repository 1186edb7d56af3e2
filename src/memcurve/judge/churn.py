"""Say what one call of a workload is to the collector, by what the natural pass showed of it.

A look at the calls (the worker's `churn`) tells all. Where nobody looked, since calls are slow or
leave little, the collector's own counts at both ends of the pass tell how often it comes, and all
garbage is taken to be young when it does.
"""

import math

import msgspec

from memcurve.model.debt import Churn
from memcurve.model.recording import PassRecord
from memcurve.model.surveys import ChurnSurvey, CollectorCounts
from memcurve.model.verdict import Rate

SMALL_BURST = 50
"""Objects by which the count of a call may peak for what runs it, not for what it does."""
DEFAULTS = (700, 2000)
"""First thresholds that CPython has by itself: 700 up to 3.12, then 2,000. Another one was set by
the program."""
EACH_FULL = 11
"""Collections of the middle generation that CPython makes before a full one, at least."""


def churn_of(rate: Rate, natural: PassRecord | None) -> Churn | None:
    """Return what a call is to the collector; None where nothing was counted."""
    if natural is None:
        return None
    begin, end = natural.surveys.begin, natural.surveys.end
    before = begin.counts if begin is not None else None
    after = end.counts if end is not None else None
    if before is None or after is None or not natural.calls:
        return None
    found = natural.surveys.churn
    if found is not None and found.calls:
        churn = seen(rate, found)
    else:
        churn = Churn(
            objects=rate.objects_per_call,
            bytes=rate.bytes_per_call,
            net=max(_net(before, after, natural.calls), rate.objects_per_call),
        )
    return msgspec.structs.replace(
        churn, threshold=_set(after), collected=_collected(before, after, natural.calls)
    )


def seen(rate: Rate, found: ChurnSurvey) -> Churn:
    """Return what a call is to the collector, by a look at some."""
    old, weight = float(found.old_objects), float(found.old_bytes)
    revived = found.young_objects + found.old_objects < rate.objects_per_call * found.calls / 2
    caught = min(max(found.caught - old / found.calls, 0.0), rate.objects_per_call)
    each = rate.bytes_per_call / rate.objects_per_call if rate.objects_per_call else 0.0
    return Churn(
        objects=rate.objects_per_call,
        bytes=rate.bytes_per_call,
        net=max(found.net, rate.objects_per_call),
        peak=_burst(found),
        starts={int(threshold): float(count) for threshold, count in found.starts.items()},
        left={int(threshold): float(count) for threshold, count in found.left.items()},
        alive=old + caught,
        alive_bytes=weight + caught * each,
        recent=float(found.recent),
        heap=found.heap,
        revived=revived,
    )


def _burst(found: ChurnSurvey) -> float:
    burst = float(found.peak) - max(found.net, 0.0)
    return burst if burst > SMALL_BURST + found.net else 0.0


def _net(before: CollectorCounts, after: CollectorCounts, calls: int) -> float:
    """Return by how much a call raises the count, collections that its bursts started included."""
    started = (after.young - before.young) + (after.middle - before.middle)
    return (started * after.threshold + after.count - before.count) / calls


def _set(counts: CollectorCounts) -> int | None:
    """Return the threshold that the program chose; None: it left CPython's own."""
    return None if counts.threshold in DEFAULTS else counts.threshold


def _collected(before: CollectorCounts, after: CollectorCounts, calls: int) -> float:
    """Return the calls between two full collections that the program asks for.

    CPython makes at least eleven of the middle generation before each full one, and the pass begins
    with a full one.
    """
    own = after.full - before.full - (after.middle - before.middle) // EACH_FULL
    return calls / own if own > 0 else math.inf
