"""How many calls would settle what is undecided."""

from memcurve.judge.growth import Reading
from memcurve.judge.limits import Limits
from memcurve.judge.rise import BOTH
from memcurve.judge.trend import Trend

SHRINKS = 2 / 3
"""An interval of a slope is as wide as calls ** -1.5, for a line through rows with any noise that
forgets: half as wide takes 2 ** (2/3) times the calls."""


def calls_to_settle(reading: Reading, done: int, limits: Limits) -> int:
    """Return how many calls would settle an undecided curve, in two digits.

    Where the interval is too wide, it is what makes it narrow enough: for growth if the slope is
    above the tolerance, else for flatness. What may stand between two doublings is calm from a call
    that is known. Where it is not the interval, as many calls again show
    whether the rise goes on.
    """
    if reading.calm_from:
        return _in_two_digits(reading.calm_from)
    if reading.trend is None:
        return max(limits.thresholds.first_look, 2 * done)
    if reading.why != BOTH:
        return _in_two_digits(2 * done)
    too_wide = max(_too_wide(reading.trend, limits), 1.0)
    return _in_two_digits(max(done * too_wide**SHRINKS, done + limits.thresholds.flat_tail))


def _too_wide(trend: Trend, limits: Limits) -> float:
    """Return how many times wider the interval is than one that would decide."""
    above = trend.per_call - limits.tolerance
    flat = max(trend.high, -trend.low) / limits.floor
    growing = (trend.per_call - trend.low) / above if above > 0 else flat
    return min(flat, growing)


def _in_two_digits(calls: float) -> int:
    """Round up, so that the number looks no more exact than it is."""
    unit = 10 ** max(len(str(int(calls))) - 2, 0)
    return int(-(-calls // unit) * unit)
