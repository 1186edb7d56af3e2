"""Thin curves for display without losing a step or a peak.

The calls are cut into buckets of equal width; of each bucket the first, the least, the greatest and
the last row stay, which draws the same picture as all rows would at that width. Within a run of
equal values only its ends stay. What stays is raw: nothing is averaged.
"""

from memcurve.model.curve import Curve

BUCKETS = 110


def thin(curve: Curve, buckets: int = BUCKETS) -> Curve:
    """Return the rows that draw the curve: at most four a bucket."""
    kept = _ends_of_runs(curve)
    if len(kept) > 4 * buckets:
        kept = _extremes(curve, kept, buckets)
    return Curve(
        counter=curve.counter,
        calls=tuple(curve.calls[i] for i in kept),
        values=tuple(curve.values[i] for i in kept),
    )


def thin_parts(curve: Curve, first_calls: int) -> Curve:
    """Thin the first calls and the rest on their own, so that the first are drawn in full."""
    head, rest = thin(curve.head(first_calls)), thin(curve.tail(first_calls + 1))
    return Curve(
        counter=curve.counter, calls=head.calls + rest.calls, values=head.values + rest.values
    )


def _ends_of_runs(curve: Curve) -> list[int]:
    values, last = curve.values, len(curve) - 1
    return [
        i
        for i in range(len(curve))
        if i in (0, last) or values[i] != values[i - 1] or values[i] != values[i + 1]
    ]


def _extremes(curve: Curve, kept: list[int], buckets: int) -> list[int]:
    start, span = curve.calls[0], max(curve.last_call - curve.calls[0], 1)
    parts: dict[int, list[int]] = {}
    for i in kept:
        parts.setdefault((curve.calls[i] - start) * buckets // (span + 1), []).append(i)
    chosen: set[int] = set()
    for part in parts.values():
        low = min(part, key=curve.values.__getitem__)
        high = max(part, key=curve.values.__getitem__)
        chosen |= {part[0], low, high, part[-1]}
    return sorted(chosen)
