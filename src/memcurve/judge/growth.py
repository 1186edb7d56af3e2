"""Read the shape of one curve: flat, growing, decaying, or not decided yet.

Let y(n) be what the settled pass counts after call n, and a tail what comes after a fifth, a third,
a half and so on of the calls.

1. Flat, if one of the four ways of `flat` proves it for one of the tails, and it has stood still
   for longer than `doubling` lets what doubles.
2. Growing, if one of the three longest tails meets every condition of `rise`.
3. Decaying, if the longest tail rises, and slows by more than chance explains: a cache that fills
   by chance. Where it leads is projected.
4. Level, where the calls end before the first look: see `few_calls`.
5. Anything else is undecided, for the reason that the longest tail gives.

Growth alone is no conviction: `schedule` waits for the calls that exclude a bound, and for what was
frozen to be given back to the collector.
"""

import math
from typing import Literal

import msgspec

from memcurve.judge.doubling import calm_from
from memcurve.judge.estimate import widened
from memcurve.judge.few_calls import rises_by_its_lows, stays_level
from memcurve.judge.flat import Flatness, how_flat
from memcurve.judge.limits import Limits
from memcurve.judge.plateau import where_it_stopped
from memcurve.judge.rise import (
    SLOWS,
    exceeds_the_tolerance,
    is_regular,
    keeps_its_pace,
    never_stands_for_long,
    pace_of,
    rises_throughout,
    slows_by_chance,
)
from memcurve.judge.tail import Tail
from memcurve.judge.trend import Trend
from memcurve.model.curve import Curve

__all__ = ["Limits", "Reading", "Shape", "read_curve"]

DOUBLES = "it stands still, but not for longer than what doubles when it is full would"
Shape = Literal["flat", "growing", "decaying", "undecided"]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one curve shows so far. `at` and `size` are where it stopped rising and by how much.

    `way` is the way by which it is flat, `why` the condition of growth that it does not meet.
    Of few calls the `floor` holds for what is kept at least once in `horizon` calls. What stands
    still, but may do so between two doublings, is calm `calm_from` that call on.
    """

    shape: Shape
    trend: Trend | None
    floor: float
    at: int = 0
    size: float = 0.0
    projected: float = 0.0
    regular: bool = False
    way: str = ""
    horizon: int = 0
    why: str = ""
    calm_from: int = 0


def read_curve(curve: Curve, limits: Limits, *, flat_from: int = 0) -> Reading:
    """Read the shape of a curve by the rule of this module. Costs about a millisecond.

    Tails that begin before call `flat_from` prove no flatness.
    """
    tails = _tails(curve, limits)
    flat = how_flat([tail for tail in tails if tail.first >= flat_from], limits)
    if flat is not None:
        return _flat_unless_it_doubles(curve, flat, limits)
    if not tails:
        return Reading(shape="undecided", trend=None, floor=math.inf, why="no rows to judge")
    rises = [
        _read_rise(tail, limits, curve.values[0], longest=tail is tails[0])
        for tail in tails[: limits.thresholds.rise.tails]
    ]
    growing = next((rise for rise in rises if rise.shape == "growing"), None)
    return growing or _level(curve, tails, limits) or _rise_of_few(tails, limits) or rises[0]


def _tails(curve: Curve, limits: Limits) -> list[Tail]:
    """Return the tails that are asked, the longest first; none without rows."""
    rules, last = limits.thresholds.flat, curve.last_call
    starts = [math.ceil(last * start) for start in rules.starts]
    starts += [last - rules.level_calls] if last - rules.level_calls > starts[-1] else []
    rows = (curve.tail(max(start, 1)) for start in starts)
    return [Tail(part, limits.thresholds) for part in rows if len(part)]


def _flat_unless_it_doubles(curve: Curve, flat: Flatness, limits: Limits) -> Reading:
    reading = _flat(curve, flat, limits)
    calm = calm_from(curve, limits) if reading.at else 0
    if calm <= curve.last_call:
        return reading
    return msgspec.structs.replace(reading, shape="undecided", why=DOUBLES, calm_from=calm)


def _flat(curve: Curve, flat: Flatness, limits: Limits) -> Reading:
    stop = where_it_stopped(curve, limits)
    trend = flat.tail.trend(limits.thresholds.slope.convicts_at)
    return Reading(
        shape="flat", trend=trend, floor=flat.floor, at=stop.at, size=stop.size, way=flat.way
    )


def _level(curve: Curve, tails: list[Tail], limits: Limits) -> Reading | None:
    level = stays_level(tails, limits)
    if level is None:
        return None
    flat = Flatness(tail=level.tail, way=stays_level.__name__, floor=level.floor)
    return msgspec.structs.replace(_flat(curve, flat, limits), horizon=level.horizon)


def _rise_of_few(tails: list[Tail], limits: Limits) -> Reading | None:
    trend = rises_by_its_lows(tails, limits)
    return Reading(shape="growing", trend=trend, floor=trend.high) if trend is not None else None


def _read_rise(tail: Tail, limits: Limits, start: int, *, longest: bool) -> Reading:
    trend = tail.trend(limits.thresholds.slope.convicts_at)
    if trend is None:
        return Reading(shape="undecided", trend=None, floor=math.inf, why="too few rows")
    trend = widened(tail, trend, limits)
    floor = max(limits.tolerance, trend.high)
    why = (
        exceeds_the_tolerance(trend, limits)
        or rises_throughout(tail, limits)
        or never_stands_for_long(tail, limits)
        or keeps_its_pace(tail, limits, longest=longest)
    )
    if not why:
        return Reading(shape="growing", trend=trend, floor=floor, regular=is_regular(tail))
    if why is SLOWS and not slows_by_chance(tail, limits):
        return _decaying(tail, trend, floor, start)
    return Reading(shape="undecided", trend=trend, floor=floor, why=why)


def _decaying(tail: Tail, trend: Trend, floor: float, start: int) -> Reading:
    """Return a rise that slows, and where it leads if each half rises by the same share less."""
    pace = pace_of(tail.levels)
    return Reading(
        shape="decaying",
        trend=trend,
        floor=floor,
        at=tail.last,
        size=float(tail.rows.values[-1] - start),
        projected=pace.second * tail.calls / 2 * pace.ratio / (1 - pace.ratio),
    )
