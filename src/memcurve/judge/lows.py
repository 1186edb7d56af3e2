"""The lows of what comes and goes, and the line through them.

A curve has turned when it fell, or rose, by half of its noise (a zigzag); a low is the lowest row
between two such falls and rises. Lows of a sawtooth repeat to the byte. Those of random noise lie a
few calls apart, those of slow noise as far apart as it takes to forget, so that they are nearly
independent, whatever the noise. One row that stands alone above its neighbours is no rise: on the
slope of a sawtooth it would end in a low near the top.

A line through n lows has Student's interval with n - 2 degrees of freedom (Gosset 1908): lows that
repeat to the byte have none, and three of them are enough.
"""

import math
from statistics import NormalDist, fmean

from memcurve.model.curve import Curve

Point = tuple[int, int]


def lows_of(rows: Curve, turn: float) -> list[Point]:
    """Return (call, value) of each low between a fall and a rise of `turn`; none without turns.

    The last fall counts, risen again or not.
    """
    if turn <= 0:
        return []
    lows = _turns(without_spikes(rows, turn), turn)
    return lows if len(lows) > 1 else _turns(list(rows), turn)  # every second row is a high


def without_spikes(rows: Curve, turn: float) -> list[Point]:
    """Return the rows but for those with neighbours that are a turn lower, and alike."""
    points = list(rows)
    kept = points[:1]
    for before, point, after in zip(points, points[1:], points[2:], strict=False):
        alone = point[1] - max(before[1], after[1]) >= turn > abs(before[1] - after[1])
        if not alone:
            kept.append(point)
    return kept + points[1:][-1:]


def _turns(rows: list[Point], turn: float) -> list[Point]:
    lows: list[Point] = []
    points = iter(rows)
    low = high = next(points)
    falling = False
    for point in points:
        if falling:
            low = min(low, point, key=lambda at: at[1])
            if point[1] - low[1] >= turn:
                lows.append(low)
                falling, high = False, point
        else:
            high = max(high, point, key=lambda at: at[1])
            if high[1] - point[1] >= turn:
                falling, low = True, point
    return [*lows, low] if falling else lows


def line_interval(points: list[Point], probability: float) -> tuple[float, float]:
    """Return Student's interval of the slope of the line through three points or more."""
    x, y = fmean(call for call, _ in points), fmean(value for _, value in points)
    power = sum((call - x) ** 2 for call, _ in points)
    slope = sum((call - x) * (value - y) for call, value in points) / power
    freedom = len(points) - 2
    rest = sum((value - y - slope * (call - x)) ** 2 for call, value in points)
    half = students_quantile(freedom, probability) * math.sqrt(rest / freedom / power)
    return slope - half, slope + half


def students_quantile(freedom: int, probability: float) -> float:
    """Return the quantile of Student's distribution.

    Exact for one and two degrees of freedom, else the expansion of Fisher and Cornish (1960), which
    at 99.9 % is 3 % too low for three and closer for more.
    """
    if freedom == 1:
        return math.tan(math.pi * (probability - 0.5))
    if freedom == 2:
        spread = 4 * probability * (1 - probability)
        return 2 * (probability - 0.5) * math.sqrt(2 / spread)
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / math.pow(freedom, power) for power, term in enumerate(terms, 1))
