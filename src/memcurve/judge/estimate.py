"""What a call costs: the estimate of a rising slope, and the interval that is stated with it."""

from statistics import fmean, median

import msgspec

from memcurve.judge.limits import Limits
from memcurve.judge.rise import is_regular
from memcurve.judge.tail import Tail, step_slopes
from memcurve.judge.trend import Trend, least_squares


def widened(tail: Tail, trend: Trend, limits: Limits) -> Trend:
    """Widen the interval to hold every fair estimate of the slope, and what a recount may differ.

    The plain slope passes over rare steps. Those in which a container grows are part of what a
    call costs: a table that doubles does so once in every doubling of the calls, and adds the same
    to the slope of each. So the estimate of a regular curve is the plain slope and what both the
    last doubling and the one before rise above it; a step that comes once is in one of them only.
    Where the curve is not regular, least squares have less chance in them.
    """
    rows = tail.rows
    squares = least_squares(rows)
    calls = max(tail.calls, 1)
    ends = (rows.values[-1] - rows.values[0]) / calls
    per_call = squares
    if is_regular(tail):
        plain = _plain_slope(tail, trend)
        above = [_slope_up_to(tail, last) - plain for last in _doublings(tail)]
        per_call = plain + max(min(above, default=0.0), 0.0)
    estimates = (trend.low, trend.high, trend.per_call, squares, ends, per_call)
    share = limits.thresholds.estimate.recount_share
    margin = share * abs(per_call) + limits.recount / calls
    return msgspec.structs.replace(
        trend, per_call=per_call, low=min(estimates) - margin, high=max(estimates) + margin
    )


def _plain_slope(tail: Tail, trend: Trend) -> float:
    """Return the slope from block to block where nearly all agree on it, else the trend's."""
    slopes = sorted(step_slopes(tail.levels))
    quarter = len(slopes) // 4
    apart = slopes[-1 - quarter] - slopes[quarter]
    agree = apart <= tail.thresholds.estimate.agreement * abs(median(slopes))
    return median(slopes) if agree else trend.per_call


def _doublings(tail: Tail) -> tuple[int, ...]:
    last = tail.last
    return (last, last // 2) if tail.first <= last // 4 else (last,)


def _slope_up_to(tail: Tail, last: int) -> float:
    """Return the slope from half of `last` calls to `last`, each end a mean of rows."""
    rows = tail.rows
    width = max(round(last * tail.thresholds.estimate.end_share), 1)
    middle = rows.tail(max(last // 2 - width, 0)).head(last // 2 + width)
    end = rows.tail(last - 2 * width).head(last)
    if not len(middle) or not len(end):
        return least_squares(rows)
    (x0, y0), (x1, y1) = ((fmean(part.calls), fmean(part.values)) for part in (middle, end))
    return (y1 - y0) / (x1 - x0) if x1 > x0 else least_squares(rows)
