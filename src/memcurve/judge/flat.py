"""The four ways to be flat: each proves that a tail does not grow, and by which floor.

A way returns the floor, the smallest growth a call that would have been seen, or None. A floor is
never below the tolerance t, and never above the limit: `floor_limit`, or a thousandth of the noise
where that is more. A tail of c calls holds `flat_tail` of them at least. `how_flat` asks one way
after the other, and the longest tail first.

How often a floor is too low is measured: `make calibrate`.
"""

from collections.abc import Callable, Sequence

import msgspec

from memcurve.judge.limits import Limits
from memcurve.judge.lows import line_interval, lows_of
from memcurve.judge.tail import Tail


class Flatness(msgspec.Struct, frozen=True, kw_only=True):
    """The tail that is flat, by which way, and the smallest growth that it excludes."""

    tail: Tail
    way: str
    floor: float


def stands_still(tail: Tail, limits: Limits) -> float | None:
    """Flat if highest - lowest <= t·c / 2. The floor is t.

    Why: most programs repeat to the byte, but for a block or two that the interpreter takes; over
    few calls two such blocks are a slope of several bytes. A leak of t raises the tail by t·c; it
    hides only if noise of half of that falls by as much, and that noise is in the span too.

    Without it: `test_a_block_or_two_in_a_level_curve_is_flat`.
    """
    moved = max(tail.rows.values) - min(tail.rows.values)
    allowed = limits.thresholds.flat.still_share * limits.tolerance * tail.calls
    return limits.tolerance if moved <= allowed else None


def drifts_by_little(tail: Tail, limits: Limits) -> float | None:
    """Flat if the slope may be t or less, and its interval at 99.9 % lies inside the limit.

    The floor is max(t, high, -low): what the interval holds, and what a fall would hide. Where
    high > t the tail must also have drifted by a quarter of its noise at most: stairs are all
    drift, and two of them have an interval of a few bytes.

    Why: random noise, and spikes that are given back.

    Without it: `test_noise_that_stays_where_it_is_is_flat`.
    """
    trend = tail.trend(limits.thresholds.slope.acquits_at)
    if trend is None or trend.low > limits.tolerance:
        return None
    drift = trend.per_call * tail.calls
    if trend.high > limits.tolerance and drift > limits.thresholds.flat.drift_share * tail.noise:
        return None
    return _within(limits, tail, trend.low, trend.high)


def returns_to_its_lows(tail: Tail, limits: Limits) -> float | None:
    """Flat if the line through three lows or more has a slope of t or less, inside the limit.

    The interval is Student's at 99.9 %, and the floor max(t, high, -low), as above. See `lows`.

    Why: sawteeth (batches, buffers, caches that are cleared) have a noise far above any floor, but
    what they give back they give back to the byte. A leak of b a call raises each low by b for each
    call since the one before.

    Without it: `test_a_sawtooth_is_flat`.
    """
    rules = limits.thresholds.flat
    lows = lows_of(tail.rows, rules.turn_share * tail.noise)
    if len(lows) < rules.fewest_lows:
        return None
    low, high = line_interval(lows, rules.lows_at)
    return _within(limits, tail, low, high) if low <= limits.tolerance else None


def falls(tail: Tail, limits: Limits) -> float | None:
    """Flat if the interval at 99.9 % lies below zero, in one of the two longest tails.

    The floor is -low, which has no limit: what falls by 5,000 bytes a call hides a growth of as
    much. It is said so, and it is no leak of this run.

    Why: calls that use up what the set-up prepared.

    Without it: `test_a_fall_is_flat_and_says_what_it_hides`.
    """
    trend = tail.trend(limits.thresholds.slope.acquits_at)
    if trend is None or trend.high >= 0:
        return None
    return max(limits.tolerance, -trend.low)


WAYS: tuple[Callable[[Tail, Limits], float | None], ...] = (
    stands_still,
    drifts_by_little,
    returns_to_its_lows,
    falls,
)


def how_flat(tails: Sequence[Tail], limits: Limits) -> Flatness | None:
    """Return by which way which tail is flat, None if by none."""
    thresholds = limits.thresholds
    last = tails[0].last if tails else 0
    for way in WAYS:
        for tail in tails:
            if way is falls and tail.first > thresholds.flat.falls_from * last:
                continue
            floor = way(tail, limits) if tail.calls >= thresholds.flat_tail else None
            if floor is not None:
                return Flatness(tail=tail, way=way.__name__, floor=floor)
    return None


def _within(limits: Limits, tail: Tail, low: float, high: float) -> float | None:
    """Return the floor of an interval, None if it is above the limit."""
    floor = max(limits.tolerance, high, -low)
    most = max(limits.floor, limits.thresholds.flat.noise_share * tail.noise)
    return floor if floor <= most else None
