"""What a call costs: the estimate of a rising slope, and the interval that is stated with it."""

from itertools import pairwise
from statistics import fmean, median

import msgspec

from memcurve.judge.trend import BLOCKS, Trend, block_levels, least_squares
from memcurve.model.curve import Curve

REGULAR_SHARE = 0.8
END_SHARE = 0.02
AGREEMENT = 0.02
RECOUNT_SHARE = 0.005


def widened(tail: Curve, trend: Trend, *, recount: float) -> Trend:
    """Widen the interval to hold every fair estimate of the slope, and what a recount may differ.

    `recount` is what two counts of the same state may differ by, in units of the counter.

    The plain slope passes over rare steps. Those in which a container grows are part of what a
    call costs: a table that doubles does so once in every doubling of the calls, and adds the same
    to the slope of each. So the estimate of a regular curve is the plain slope and what both the
    last doubling and the one before rise above it; a step that comes once is in one of them only.
    Where the curve is not regular, least squares have less chance in them.
    """
    squares = least_squares(tail)
    calls = max(tail.last_call - tail.calls[0], 1)
    ends = (tail.values[-1] - tail.values[0]) / calls
    per_call = squares
    if is_regular(tail):
        plain = _plain_slope(tail, trend)
        above = [_slope_up_to(tail, last) - plain for last in _doublings(tail)]
        per_call = plain + max(min(above, default=0.0), 0.0)
    estimates = (trend.low, trend.high, trend.per_call, squares, ends, per_call)
    margin = RECOUNT_SHARE * abs(per_call) + recount / calls
    return msgspec.structs.replace(
        trend, per_call=per_call, low=min(estimates) - margin, high=max(estimates) + margin
    )


def _plain_slope(tail: Curve, trend: Trend) -> float:
    """Return the slope from block to block where nearly all agree on it, else the trend's."""
    slopes = sorted(block_slopes(tail))
    quarter = len(slopes) // 4
    agree = slopes[-1 - quarter] - slopes[quarter] <= AGREEMENT * abs(median(slopes))
    return median(slopes) if agree else trend.per_call


def _doublings(tail: Curve) -> tuple[int, ...]:
    last = tail.last_call
    return (last, last // 2) if tail.calls[0] <= last // 4 else (last,)


def _slope_up_to(tail: Curve, last: int) -> float:
    """Return the slope from half of `last` calls to `last`, each end a mean of rows."""
    width = max(round(last * END_SHARE), 1)
    middle = tail.tail(max(last // 2 - width, 0)).head(last // 2 + width)
    end = tail.tail(last - 2 * width).head(last)
    if not len(middle) or not len(end):
        return least_squares(tail)
    (x0, y0), (x1, y1) = ((fmean(part.calls), fmean(part.values)) for part in (middle, end))
    return (y1 - y0) / (x1 - x0) if x1 > x0 else least_squares(tail)


def block_slopes(tail: Curve, blocks: int = BLOCKS) -> list[float]:
    """Return the slopes from each block of the tail to the next."""
    return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(block_levels(tail, blocks))]


def is_regular(tail: Curve) -> bool:
    """Whether four blocks in five rise at least half as much as their mean."""
    slopes = block_slopes(tail)
    half = fmean(slopes) / 2
    return sum(slope >= half for slope in slopes) >= REGULAR_SHARE * len(slopes)
