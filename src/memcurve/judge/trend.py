"""The slope of the end of a curve, with an interval that noise and rare steps cannot fool.

The tail is cut into at most `blocks` blocks of equal numbers of calls; a block's level is the
median of its rows. The slope is the median of the slopes between all pairs of blocks (Theil 1950,
Sen 1968); its interval is taken from the ranks of those slopes (Sen 1968), with the number of
blocks reduced to the effective one for residuals of lag-1 autocorrelation r: K(1-r)/(1+r)
(Bayley and Hammersley 1946). One step in the tail makes r large and the interval wide, so a single
late event is never a slope; a staircase of many steps is one.

99 % is what one interval is worth. A verdict asks several tails at several numbers of calls: how
often it is right is measured (`make calibrate`, `make accuracy`), not derived.
"""

import math
from itertools import combinations, pairwise
from statistics import fmean, median

import msgspec

from memcurve.model.curve import Curve
from memcurve.model.thresholds import SlopeRule

Levels = list[tuple[float, float]]
"""The mean call and the level of each block."""


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The slope of a tail in units a call, and its interval."""

    per_call: float
    low: float
    high: float
    from_call: int
    to_call: int
    rows: int


class PairSlopes(msgspec.Struct, frozen=True, kw_only=True):
    """The slopes between all pairs of blocks, in order, and how many blocks they are worth."""

    slopes: tuple[float, ...]
    independent: float

    def interval(self, errors: float) -> tuple[float, float]:
        """Return the slopes that are `errors` standard errors of Kendall's statistic away."""
        count = self.independent
        pairs = count * (count - 1) / 2
        half = errors * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
        share = min(max((pairs - half) / 2 / pairs, 0.0), 0.5)
        last = len(self.slopes) - 1
        return self.slopes[math.floor(share * last)], self.slopes[math.ceil((1 - share) * last)]


def block_levels(tail: Curve, blocks: int) -> Levels:
    """Return (mean call, median value) of equal spans of calls; empty spans are left out."""
    if len(tail) == 0:
        return []
    first, last = tail.calls[0], tail.calls[-1]
    span = max((last - first + 1) / blocks, 1)
    grouped: dict[int, list[tuple[int, int]]] = {}
    for call, value in tail:
        grouped.setdefault(int((call - first) / span), []).append((call, value))
    return [
        (fmean(call for call, _ in rows), float(median(value for _, value in rows)))
        for _, rows in sorted(grouped.items())
    ]


def pair_slopes(levels: Levels, rule: SlopeRule) -> PairSlopes | None:
    """Return the slopes of all pairs of blocks, None if there are too few to say anything."""
    if len(levels) < rule.fewest_blocks:
        return None
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(levels, 2))
    slope = median(slopes)
    independent = _independent([value - slope * call for call, value in levels], rule)
    return PairSlopes(slopes=tuple(slopes), independent=independent)


def _independent(residuals: list[float], rule: SlopeRule) -> float:
    """Return how many independent blocks the residuals are worth."""
    count, centre = len(residuals), fmean(residuals)
    around = [residual - centre for residual in residuals]
    power = sum(residual * residual for residual in around)
    if power <= 1e-9:  # nothing around the line: rounding, at most
        return count
    lag = sum(a * b for a, b in pairwise(around)) / power
    lag = min(max(lag, 0.0), rule.most_alike)
    return max(count * (1 - lag) / (1 + lag), rule.fewest_independent)


def least_squares(tail: Curve) -> float:
    """Return the least-squares slope of the rows, in units a call."""
    x, y = fmean(tail.calls), fmean(tail.values)
    power = sum((call - x) ** 2 for call in tail.calls)
    return sum((call - x) * (value - y) for call, value in tail) / power if power else 0.0
