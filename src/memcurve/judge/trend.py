"""The slope of the end of a curve, with an interval that noise and rare steps cannot fool.

The tail is cut into at most `BLOCKS` blocks of equal numbers of calls; a block's level is the
median of its rows. The slope is the median of the slopes between all pairs of blocks (Theil 1950,
Sen 1968); its interval is taken from the ranks of those slopes at 99 % (Sen 1968), with the number
of blocks reduced to the effective one for residuals of lag-1 autocorrelation r: K(1-r)/(1+r)
(Bayley and Hammersley 1946). One step in the tail makes r large and the interval wide, so a single
late event is never a slope; a staircase of many steps is one.
"""

import math
from itertools import combinations, pairwise
from statistics import fmean, median

import msgspec

from memcurve.model.curve import Curve

BLOCKS = 40
FEWEST_BLOCKS = 6
Z = 2.58  # two-sided 99 %


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """The slope of a tail in units a call, its interval, and the spread around it in units."""

    per_call: float
    low: float
    high: float
    spread: float
    from_call: int
    to_call: int
    rows: int


def block_levels(tail: Curve, blocks: int = BLOCKS) -> list[tuple[float, float]]:
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


def measure_trend(tail: Curve) -> Trend | None:
    """Return the trend of a tail, None if it has too few rows to say anything."""
    levels = block_levels(tail)
    if len(levels) < FEWEST_BLOCKS:
        return None
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(levels, 2))
    slope = median(slopes)
    residuals = [value - slope * call for call, value in levels]
    low, high = _interval(slopes, _effective(residuals))
    centre = median(residuals)
    return Trend(
        per_call=slope,
        low=low,
        high=high,
        spread=median(abs(r - centre) for r in residuals),
        from_call=tail.calls[0],
        to_call=tail.calls[-1],
        rows=len(tail),
    )


def _effective(residuals: list[float]) -> float:
    """Return how many independent blocks the residuals are worth, at least 3."""
    count, centre = len(residuals), fmean(residuals)
    around = [r - centre for r in residuals]
    power = sum(r * r for r in around)
    if power <= 1e-9:
        return count
    lag = sum(a * b for a, b in pairwise(around)) / power
    lag = min(max(lag, 0.0), 0.99)
    return max(count * (1 - lag) / (1 + lag), 3.0)


def _interval(slopes: list[float], effective: float) -> tuple[float, float]:
    pairs = effective * (effective - 1) / 2
    half = Z * math.sqrt(effective * (effective - 1) * (2 * effective + 5) / 18)
    share = min(max((pairs - half) / 2 / pairs, 0.0), 0.5)
    last = len(slopes) - 1
    return slopes[math.floor(share * last)], slopes[math.ceil((1 - share) * last)]


def least_squares(tail: Curve) -> float:
    """Return the least-squares slope of the rows, in units a call."""
    x, y = fmean(tail.calls), fmean(tail.values)
    power = sum((call - x) ** 2 for call in tail.calls)
    return sum((call - x) * (value - y) for call, value in tail) / power if power else 0.0
