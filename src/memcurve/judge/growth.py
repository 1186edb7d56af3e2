"""The rule that turns one curve into a shape: flat, growing, decaying, or not decided yet.

Let y(n) be what the settled pass counts after call n. A tail is what comes after a fifth, a third,
a half and so on of the calls; to be called flat it must hold at least 150. Its slope b comes with
an interval [low, high] (see `trend`), and each quarter i of it has a floor level λi, its 10 %
quantile, and a noise, the span from its 10 % to its 90 % quantile. t is the tolerance (1 B a call).

1. Flat. For some tail either high <= t; or the floor does not rise:
   λ4 - min(λ1, λ2) <= max(t·c, noise/20) over the c calls between the quarters' middles.
   The second way acquits what comes and goes
   (buffers, sawteeth, results of random size), and lets nothing pass that stays: a leak of b a call
   raises the floor by b·c. What would have been seen is stated as the detection floor, and may not
   exceed max(16 B, noise/1000) a call.
   The third way: what is never given back stands still for 200 calls somewhere in a tail of 600
   or more, which no leak with a period of up to 100 calls does, and high <= 32 B a call. Such
   curves fill something now and then; high is their floor.
2. Growing. For some tail low > t; what is never given back rises in every quarter and never
   stands still for longer than 150 calls or a sixth of the calls so far (a list that grows by an
   eighth does); and the pace holds: the second half is told from zero, and rises at least 0.9 as
   fast as the first, or at least 0.7 as fast where chance (3 standard errors, from blocks) explains
   the difference. Where chance hides that in 40 blocks, ten of the longest tail are asked, which
   average what comes and goes, and 0.9 of them. It is regular if four blocks in five rise at least
   half as much as their mean. Where "never given back" is asked, the last 5 % of the calls are left
   out: what they hold has had no time to be given back.
3. Decaying. It rises, but the second half significantly slower: a cache that fills by chance.
4. Anything else is undecided.

Growth alone convicts nobody: `stopping` waits for the calls that exclude a bound, and for what was
frozen to be given back to the collector.
"""

import math
from itertools import pairwise
from statistics import fmean, median, stdev
from typing import Literal

import msgspec

from memcurve.judge.estimate import block_slopes, is_regular, widened
from memcurve.judge.trend import BLOCKS, Trend, measure_trend
from memcurve.model.curve import Curve
from memcurve.model.thresholds import Thresholds

Shape = Literal["flat", "growing", "decaying", "undecided"]

STARTS = (0.2, 1 / 3, 0.5, 2 / 3, 0.8, 0.9)
WARM_UP_CALLS = 20
WARM_UP_BYTES = 16384  # two threads more in a pool are less, and so are a few pages of a cache
PAGE = 4096
WARM_UP_CHILDREN = 128 * 1024  # what glibc takes from the system at a time, and keeps
WARM_UP_THREADS = 8  # asyncio's pool starts one more when all are a moment late: four and one a CPU
RECOUNT_BYTES = 128
HOLDS, MAY_HOLD = 0.9, 0.7
SIGNIFICANT = 3.0
LONG_BLOCKS = BLOCKS // 4
NOISE_SHARE = 0.05
LONGEST_STAND = 150
EDGE_SHARE = 0.05
INTERMITTENT_CALLS, INTERMITTENT_STAND, INTERMITTENT_FLOORS = 600, 200, 2
FLOOR_OF_NOISE = 1000
FEWEST_ROWS_A_QUARTER = 2


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The thresholds for one kind of counter, in its unit a call; `step` is its smallest change."""

    tolerance: float
    floor: float
    step: float
    flat_tail: int
    warm_up: float
    recount: float

    @staticmethod
    def of_bytes(thresholds: Thresholds) -> "Limits":
        """Return the limits of counters in bytes."""
        return Limits(
            tolerance=thresholds.tolerance,
            floor=thresholds.floor_limit,
            step=16,
            flat_tail=thresholds.flat_tail,
            warm_up=WARM_UP_BYTES,
            recount=RECOUNT_BYTES,
        )

    @staticmethod
    def of_mapped(thresholds: Thresholds) -> "Limits":
        """Return the limits of what is mapped past the heaps: exact, a page is its unit."""
        limits = Limits.of_bytes(thresholds)
        return msgspec.structs.replace(limits, step=PAGE, recount=0)

    @staticmethod
    def of_children(thresholds: Thresholds) -> "Limits":
        """Return the limits of what child processes hold, in the pages that they touch."""
        tolerance = max(thresholds.children_tolerance, thresholds.tolerance)
        return Limits(
            tolerance=tolerance,
            floor=max(tolerance, thresholds.floor_limit),
            step=PAGE,
            flat_tail=thresholds.flat_tail,
            warm_up=WARM_UP_CHILDREN,
            recount=PAGE,
        )

    @staticmethod
    def of_resource(name: str, thresholds: Thresholds) -> "Limits":
        """Return the limits of a counter of descriptors, threads, tasks or processes."""
        return Limits(
            tolerance=thresholds.resource_tolerance,
            floor=thresholds.resource_tolerance,
            step=1,
            flat_tail=thresholds.flat_tail,
            warm_up=WARM_UP_THREADS if name in ("threads", "processes") else 0,
            recount=0,  # a descriptor is one, however often it is counted
        )


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one curve shows so far. `at` and `size` are where it stopped rising and by how much."""

    shape: Shape
    trend: Trend | None
    floor: float
    at: int = 0
    size: float = 0.0
    projected: float = 0.0
    regular: bool = False
    why: str = ""


class Quarter(msgspec.Struct, frozen=True, kw_only=True):
    """The floor level of a quarter of a tail, the noise in it, and its middle call."""

    call: float
    level: float
    noise: float


def read_curve(curve: Curve, limits: Limits) -> Reading:
    """Read the shape of a curve by the rule of this module. Costs about a millisecond."""
    tails = [curve.tail(max(math.ceil(curve.last_call * start), 1)) for start in STARTS]
    for tail in tails:
        if len(tail) and curve.last_call - tail.calls[0] >= limits.flat_tail:
            flat = _read_flat(curve, tail, limits)
            if flat is not None:
                return flat
    readings = [
        _read_rise(tail, limits, curve.values[0], longest=tail is tails[0])
        for tail in tails[:3]
        if len(tail)
    ]
    for reading in readings:
        if reading.shape == "growing":
            return reading
    if not readings:
        why = "no rows to judge"
        return Reading(shape="undecided", trend=None, floor=math.inf, why=why)
    return readings[0]


def _read_flat(curve: Curve, tail: Curve, limits: Limits) -> Reading | None:
    trend = measure_trend(tail)
    if trend is None:
        return None
    floor: float | None = max(limits.tolerance, abs(trend.high), abs(trend.low))
    if trend.high > limits.tolerance:
        floor = _level_floor(tail, limits) or _intermittent_floor(tail, limits)
    if floor is None:
        return None
    at, size = _stopped(curve, limits)
    return Reading(shape="flat", trend=trend, floor=floor, at=at, size=size)


def _level_floor(tail: Curve, limits: Limits) -> float | None:
    """Return what would have been seen in a tail whose floor level does not rise, else None."""
    quarters = quarters_of(tail)
    if quarters is None:
        return None
    calls = quarters[-1].call - quarters[0].call
    noise = median(quarter.noise for quarter in quarters)
    allowed = max(limits.tolerance * calls, NOISE_SHARE * noise)
    rise = quarters[-1].level - min(quarters[0].level, quarters[1].level)
    floor = allowed / calls
    if rise > allowed or floor > max(limits.floor, noise / FLOOR_OF_NOISE):
        return None
    return floor


def _intermittent_floor(tail: Curve, limits: Limits) -> float | None:
    """Return the floor of a tail that rises only now and then, and by little; else None."""
    if tail.last_call - tail.calls[0] < INTERMITTENT_CALLS:
        return None
    stands = max((b - a for a, b in pairwise(_rise_calls(tail))), default=tail.last_call)
    trend = measure_trend(tail)
    high = widened(tail, trend, recount=limits.recount).high if trend is not None else math.inf
    if stands < INTERMITTENT_STAND or high > INTERMITTENT_FLOORS * limits.floor:
        return None
    return high


def _rise_calls(tail: Curve) -> list[int]:
    """Return the calls at which what is never given back rises, with both ends of the tail."""
    kept = _kept(tail)
    rises = [call for call, rise in kept.steps() if rise > 0]
    return [tail.calls[0], *rises, kept.last_call]


def _kept(tail: Curve) -> Curve:
    """Return what is never given back, without the end that had no time to."""
    last = tail.last_call
    return tail.kept().head(last - round((last - tail.calls[0]) * EDGE_SHARE))


def quarters_of(tail: Curve) -> list[Quarter] | None:
    """Return the four quarters of a tail by calls, None if one of them has too few rows."""
    first, last = tail.calls[0], tail.last_call
    span = (last - first + 1) / 4
    rows: list[list[int]] = [[], [], [], []]
    for call, value in tail:
        rows[min(int((call - first) / span), 3)].append(value)
    if min(len(part) for part in rows) < FEWEST_ROWS_A_QUARTER:
        return None
    quarters = []
    for number, part in enumerate(rows):
        low, high = _quantile(part, 0.1), _quantile(part, 0.9)
        quarters.append(Quarter(call=first + (number + 0.5) * span, level=low, noise=high - low))
    return quarters


def _quantile(values: list[int], share: float) -> float:
    ordered = sorted(values)
    return float(ordered[min(int(share * len(ordered)), len(ordered) - 1)])


def _stopped(curve: Curve, limits: Limits) -> tuple[int, float]:
    """Return at which call the curve came to the range it stays in, and its rise till then.

    (0, 0.0) where that rise, after the first calls, is no more than a warm-up.
    """
    kept = curve.kept()
    final = float(median(kept.tail(round(kept.last_call * 2 / 3)).values))
    base = kept.at(min(WARM_UP_CALLS, kept.last_call))
    if final - base <= limits.warm_up:
        return 0, 0.0
    level = base + 0.98 * (final - base)
    at = next(call for call, value in kept if value >= level and call >= WARM_UP_CALLS)
    return at, final - curve.values[0]


def _read_rise(tail: Curve, limits: Limits, start: int, *, longest: bool) -> Reading:
    trend = measure_trend(tail)
    if trend is None:
        return Reading(shape="undecided", trend=None, floor=math.inf, why="too few rows")
    trend = widened(tail, trend, recount=limits.recount)
    floor = max(limits.tolerance, trend.high)
    if trend.low <= limits.tolerance:
        why = "the interval holds both flat and growing"
        return Reading(shape="undecided", trend=trend, floor=floor, why=why)
    if not _rises_throughout(tail, limits):
        why = "it rises, but not in every part of the run"
        return Reading(shape="undecided", trend=trend, floor=floor, why=why)
    if any(b - a > max(LONGEST_STAND, a / 6) for a, b in pairwise(_rise_calls(tail))):
        why = "it rises, but stands still for long in between"
        return Reading(shape="undecided", trend=trend, floor=floor, why=why)
    first, second, error = _halves(tail, BLOCKS)
    by_chance = first - second <= SIGNIFICANT * error
    if _holds(first, second, error, MAY_HOLD if by_chance else HOLDS) or (
        by_chance and longest and _holds(*_halves(tail, LONG_BLOCKS), HOLDS)
    ):
        return Reading(shape="growing", trend=trend, floor=floor, regular=is_regular(tail))
    if by_chance:
        why = "it rises ever more slowly, within what chance explains"
        return Reading(shape="undecided", trend=trend, floor=floor, why=why)
    span, ratio = (tail.last_call - tail.calls[0]) / 2, max(second, 0.0) / first
    return Reading(
        shape="decaying",
        trend=trend,
        floor=floor,
        at=tail.last_call,
        size=float(tail.values[-1] - start),
        projected=second * span * ratio / (1 - ratio),
    )


def _rises_throughout(tail: Curve, limits: Limits) -> bool:
    """Whether what is never given back rises in every quarter, and by more than the tolerance."""
    kept = _kept(tail)
    first, last = kept.calls[0], kept.last_call
    marks = [kept.at(first + round((last - first) * part / 4)) for part in range(5)]
    rises = [after - before for before, after in pairwise(marks)]
    return min(rises) >= limits.step and sum(rises) > limits.tolerance * (last - first)


def _holds(first: float, second: float, error: float, share: float) -> bool:
    """Whether the second half is told from zero, and rises at least that share as fast."""
    return second > SIGNIFICANT * error / math.sqrt(2) and second >= share * first


def _halves(tail: Curve, blocks: int) -> tuple[float, float, float]:
    """Return the slopes of both halves and the standard error of their difference."""
    slopes = block_slopes(tail, blocks)
    middle = len(slopes) // 2
    # the largest step of each half is left out: a container that grows is not a change of pace
    early, late = (sorted(part)[:-1] for part in (slopes[:middle], slopes[middle:]))
    if len(early) < 2 or len(late) < 2:
        return fmean(slopes), fmean(slopes), math.inf
    error = math.sqrt(stdev(early) ** 2 / len(early) + stdev(late) ** 2 / len(late))
    return fmean(early), fmean(late), error
