"""The rule that turns one curve into a verdict.

Let y(n) be what the settled pass counts after call n, and let the slope b of a tail come with its
interval [low, high] (see `trend`). t is the tolerance, 1 B a call for memory.

1. Flat over the last part: some tail that holds at least the last third of the calls and at least
   200 of them has high <= t, or, where the noise does not allow that, high <= 16 B a call and the
   curve does not rise in every quarter of it. Then it is `Flat`, or `Plateaued` if it rose before
   by more than a warm-up does.
2. Growing: over the calls from a fifth on, low > t; the rise goes on in every quarter; and the
   second half rises at least 0.7 as fast as the first, or no slower than chance explains.
3. Decaying: it rises, but the second half rises significantly slower than the first (by more than
   3 standard errors of the difference, taken from the blocks). A filling cache looks like this.
4. Anything else is undecided. More calls decide; when there are no more, it is `Inconclusive`.

Growth alone convicts nobody: `stopping` waits for the calls that exclude a bound, and for what was
frozen to be given back to the collector.
"""

import math
from itertools import pairwise
from statistics import fmean, stdev
from typing import Literal

import msgspec

from memcurve.curve import Curve
from memcurve.judge.thresholds import Thresholds
from memcurve.judge.trend import Trend, block_levels, least_squares, measure_trend

Shape = Literal["flat", "growing", "decaying", "undecided"]

STARTS = (0.2, 1 / 3, 0.5, 2 / 3)
WARM_UP_CALLS = 20
WARM_UP_BYTES = 4096
SUSTAINED = 0.7
SIGNIFICANT = 3.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds for one kind of counter, in its unit a call; `step` is its smallest change."""

    tolerance: float
    floor: float
    step: float
    flat_tail: int
    warm_up: float

    @staticmethod
    def of_bytes(thresholds: Thresholds) -> "Limits":
        return Limits(
            tolerance=thresholds.tolerance,
            floor=thresholds.floor_limit,
            step=16,
            flat_tail=thresholds.flat_tail,
            warm_up=WARM_UP_BYTES,
        )

    @staticmethod
    def of_resources(thresholds: Thresholds) -> "Limits":
        return Limits(
            tolerance=thresholds.resource_tolerance,
            floor=thresholds.resource_tolerance,
            step=1,
            flat_tail=thresholds.flat_tail,
            warm_up=0,
        )


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one curve shows so far. `at` and `size` are where it stopped rising and by how much."""

    shape: Shape
    trend: Trend | None
    floor: float
    at: int = 0
    size: float = 0.0
    projected: float = 0.0
    why: str = ""


def read_curve(curve: Curve, limits: Limits) -> Reading:
    """Read the shape of a curve by the rule of this module."""
    flat = _flat_tail(curve, limits)
    if flat is not None:
        at, size = _stopped(curve, limits)
        return Reading(shape="flat", trend=flat, floor=_floor(flat, limits), at=at, size=size)
    tail = curve.tail(max(int(curve.last_call * STARTS[0]), 1))
    trend = measure_trend(tail)
    if trend is None:
        return Reading(shape="undecided", trend=None, floor=math.inf, why="too few rows")
    wide = _widened(tail, trend)
    if wide.low <= limits.tolerance:
        why = "the interval holds both flat and growing"
        return Reading(shape="undecided", trend=wide, floor=_floor(wide, limits), why=why)
    return _read_rise(tail, wide, limits)


def _flat_tail(curve: Curve, limits: Limits) -> Trend | None:
    last = curve.last_call
    for start in STARTS:
        tail = curve.tail(max(math.ceil(last * start), 1))
        if len(tail) == 0 or last - tail.calls[0] < limits.flat_tail:
            return None
        trend = measure_trend(tail)
        if trend is None:
            return None
        if trend.high <= limits.tolerance and not _rises(tail, limits, limits.tolerance):
            return trend
        if trend.high <= limits.floor and not _rises(tail, limits, 0.0):
            return trend
    return None


def _rises(tail: Curve, limits: Limits, tolerance: float) -> bool:
    """Whether what is never given back rises in every quarter, and by more than the tolerance."""
    quarters = quarter_rises(tail.kept())
    total = sum(quarters) / max(tail.last_call - tail.calls[0], 1)
    return all(rise >= limits.step for rise in quarters) and total > tolerance


def quarter_rises(tail: Curve) -> list[float]:
    """Return by how much the curve rises in each quarter of its calls."""
    first, last = tail.calls[0], tail.last_call
    marks = [tail.at(first + round((last - first) * part / 4)) for part in range(5)]
    return [float(after - before) for before, after in pairwise(marks)]


def _floor(trend: Trend, limits: Limits) -> float:
    return max(limits.tolerance, trend.high, -trend.low)


def _stopped(curve: Curve, limits: Limits) -> tuple[int, float]:
    """Return at which call the curve last entered the range it stays in, and its rise till then.

    (0, 0.0) where that rise, after the first calls, is no more than a warm-up.
    """
    kept = curve.kept()
    final = kept.values[-1]
    base = kept.at(min(WARM_UP_CALLS, kept.last_call))
    if final - base <= limits.warm_up:
        return 0, 0.0
    level = base + 0.98 * (final - base)
    at = next(call for call, value in kept if value >= level and call >= WARM_UP_CALLS)
    return at, float(final - curve.values[0])


def _widened(tail: Curve, trend: Trend) -> Trend:
    """Widen the interval to hold every fair estimate of the slope: halves, ends, least squares.

    The robust slope passes over the rare steps in which a container grows; over many calls they
    are part of what a call costs, so the least-squares slope is the estimate where both agree
    about the direction.
    """
    squares = least_squares(tail)
    calls = tail.last_call - tail.calls[0]
    ends = (tail.values[-1] - tail.values[0]) / calls if calls else trend.per_call
    estimates = (trend.low, trend.high, trend.per_call, squares, ends)
    return msgspec.structs.replace(trend, per_call=squares, low=min(estimates), high=max(estimates))


def _read_rise(tail: Curve, trend: Trend, limits: Limits) -> Reading:
    floor = _floor(trend, limits)
    if not _rises(tail, limits, limits.tolerance):
        why = "it rises, but not in every part of the run"
        return Reading(shape="undecided", trend=trend, floor=floor, why=why)
    first, second, error = _halves(tail)
    if second >= SUSTAINED * first or first - second <= SIGNIFICANT * error:
        if second >= SUSTAINED * first / 2:
            return Reading(shape="growing", trend=trend, floor=floor)
        why = "it rises ever more slowly, within what chance explains"
        return Reading(shape="undecided", trend=trend, floor=floor, why=why)
    span = (tail.last_call - tail.calls[0]) / 2
    ratio = max(second, 0.0) / first
    return Reading(
        shape="decaying",
        trend=trend,
        floor=floor,
        at=tail.last_call,
        size=float(tail.values[-1]),
        projected=second * span * ratio / (1 - ratio),
    )


def _halves(tail: Curve) -> tuple[float, float, float]:
    """Return the slopes of both halves and the standard error of their difference."""
    levels = block_levels(tail)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(levels)]
    middle = len(slopes) // 2
    early, late = slopes[:middle], slopes[middle:]
    # the largest step of each half is left out: a container that grows is not a change of pace
    early, late = (sorted(part)[:-1] for part in (early, late))
    if len(early) < 2 or len(late) < 2:
        return fmean(slopes), fmean(slopes), math.inf
    error = math.sqrt(stdev(early) ** 2 / len(early) + stdev(late) ** 2 / len(late))
    return fmean(early), fmean(late), error
