"""The conditions of growth: a tail is growing if it meets all of them.

Each condition returns why it is not met, or "". `keeps_its_pace` also tells a rise that decays.
A rise of which all hold is regular or not; `schedule` convicts a regular one sooner.
"""

import math
from itertools import pairwise
from statistics import fmean, stdev

import msgspec

from memcurve.judge.limits import Limits
from memcurve.judge.tail import Tail, step_slopes
from memcurve.judge.trend import Levels, Trend

BOTH = "the interval holds both flat and growing"
PARTLY = "it rises, but not in every part of the run"
STANDS = "it rises, but stands still for long in between"
SLOWS = "it rises ever more slowly, within what chance explains"


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """The slopes of both halves of a tail, and the standard error of their difference."""

    first: float
    second: float
    error: float

    @property
    def ratio(self) -> float:
        """The second slope as a share of the first."""
        return max(self.second, 0.0) / self.first


def exceeds_the_tolerance(trend: Trend, limits: Limits) -> str:
    """Hold if low > t, where the interval holds every fair estimate (see `estimate.widened`).

    Without it: `test_noise_that_stays_where_it_is_is_flat` reads growth.
    """
    return "" if trend.low > limits.tolerance else BOTH


def rises_throughout(tail: Tail, limits: Limits) -> str:
    """Hold if what is never given back rises in every quarter, and by more than t·c in all.

    Why: a curve that rose, paused and crept on has a slope for as long as the rise is in its tail.

    Without it: `test_growth_that_paused_for_a_quarter_is_not_growing`.
    """
    kept = tail.kept
    first, last = kept.calls[0], kept.last_call
    marks = [kept.at(first + round((last - first) * part / 4)) for part in range(5)]
    rises = [after - before for before, after in pairwise(marks)]
    enough = min(rises) >= limits.step and sum(rises) > limits.tolerance * (last - first)
    return "" if enough else PARTLY


def never_stands_for_long(tail: Tail, limits: Limits) -> str:
    """Hold if it never stands still for longer than 150 calls or a sixth of the calls so far.

    Why: what stands still for as long as a flat tail is long may have stopped; but a list that
    grows by an eighth stands still longer every time, and never stops.

    Without it: `test_growth_that_stands_still_for_200_calls_is_no_leak`.
    """
    rule = limits.thresholds.rise
    stands = pairwise(tail.rise_calls)
    too_long = any(b - a > max(rule.longest_stand, a * rule.stand_share) for a, b in stands)
    return STANDS if too_long else ""


def keeps_its_pace(tail: Tail, limits: Limits, *, longest: bool) -> str:
    """Hold if the second half surely rises, and 0.9 times as fast as the first.

    Or 0.7 times, where chance (3 standard errors) explains the difference. Where chance hides even
    that in 40 blocks of the longest tail, ten long ones are asked, and 0.9 of them.

    Why: a cache that fills by chance rises forever, more and more slowly.

    Without it: `test_growth_that_decays_is_no_leak`; without the long blocks:
    `test_a_leak_below_what_comes_and_goes_is_growing`.
    """
    rule, pace = limits.thresholds.rise, pace_of(tail.levels)
    by_chance = slows_by_chance(tail, limits)
    if _holds(pace, rule.may_hold if by_chance else rule.holds, limits):
        return ""
    if by_chance and longest and _holds(pace_of(tail.long_levels), rule.holds, limits):
        return ""
    return SLOWS


def slows_by_chance(tail: Tail, limits: Limits) -> bool:
    """Whether chance explains by how much the second half is slower; else it decays."""
    pace = pace_of(tail.levels)
    return pace.first - pace.second <= limits.thresholds.rise.significant * pace.error


def pace_of(levels: Levels) -> Pace:
    """Return the slopes of both halves, each without its largest step.

    A container that grows is not a change of pace.
    """
    slopes = step_slopes(levels)
    middle = len(slopes) // 2
    early, late = (sorted(part)[:-1] for part in (slopes[:middle], slopes[middle:]))
    if len(early) < 2 or len(late) < 2:
        return Pace(first=fmean(slopes), second=fmean(slopes), error=math.inf)
    error = math.sqrt(stdev(early) ** 2 / len(early) + stdev(late) ** 2 / len(late))
    return Pace(first=fmean(early), second=fmean(late), error=error)


def _holds(pace: Pace, share: float, limits: Limits) -> bool:
    told = pace.second > limits.thresholds.rise.significant * pace.error / math.sqrt(2)
    return told and pace.second >= share * pace.first


def is_regular(tail: Tail) -> bool:
    """Whether four blocks in five rise at least half as much as their mean."""
    slopes = step_slopes(tail.levels)
    half = fmean(slopes) / 2
    share = tail.thresholds.rise.regular_share
    return sum(slope >= half for slope in slopes) >= share * len(slopes)
