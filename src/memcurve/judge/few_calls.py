"""What fewer calls than the first look takes can prove: a level curve, up to a horizon.

A program that keeps b bytes a call, on average, and at least once in K calls, raises a tail of m
calls by b·(m - K + 1) or more: of the last K - 1 calls nothing need be seen. What a tail shows of
it is hidden by no more than its noise N, the most that a row gave back. So a tail whose kept level
rose by R proves that b is no more than

    floor = (R + N + step) / (m - K + 1),      K = m / 2

`step` is the smallest change of the counter: a rise of less is none. K is the horizon: what is kept
once in more calls than that may be missing in the tail, and is not spoken of.

What comes and goes by turns (batches, a clean-up every tenth call) has a noise far above any floor.
Of it three lows or more are told instead, by the line through them (see `lows`): it is level, or it
rises, with the longest way from one low to the next as the horizon.

Asked only where the calls end before the first look: with `flat_tail` calls the ways of `flat` need
no horizon, and `rise` tells a rise under more noise.
"""

import math
from itertools import pairwise

import msgspec

from memcurve.judge.limits import Limits
from memcurve.judge.lows import Point, line_interval, lows_of
from memcurve.judge.tail import Tail
from memcurve.judge.trend import Trend


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """A tail that stays level: growth of `floor` or more a call, at least every `horizon`th call,
    would have been seen in it."""

    tail: Tail
    floor: float
    horizon: int


def stays_level(tails: list[Tail], limits: Limits) -> Level | None:
    """Return the longest tail that stays level, None if none does, or where calls are many.

    Without it: `test_few_level_calls_are_flat_with_a_horizon`.
    """
    for tail in _few(tails, limits):
        level = _returns_to_its_lows(tail, limits)
        if level is not None:
            return level
        trend = tail.trend(limits.thresholds.slope.convicts_at)
        if trend is not None and trend.low > limits.tolerance:
            continue  # it rises, if by little
        horizon = tail.calls // 2
        kept = tail.rows.kept().values
        risen = max(kept[-1] - kept[0], 0)
        noise = max(row - low for row, low in zip(tail.rows.values, kept, strict=True))
        floor = (risen + noise + limits.step) / (tail.calls - horizon + 1)
        if floor <= limits.few_floor:
            return Level(tail=tail, floor=max(floor, limits.tolerance), horizon=horizon)
    return None


def rises_by_its_lows(tails: list[Tail], limits: Limits) -> Trend | None:
    """Return the line through the lows of the longest tail where that surely rises.

    Without it: `test_few_calls_of_a_sawtooth_that_leaks_rise`.
    """
    for tail in _few(tails, limits):
        lows = _lows(tail, limits)
        low, high = _line(lows, limits)
        if low > limits.tolerance:
            return Trend(
                per_call=(low + high) / 2,
                low=low,
                high=high,
                from_call=lows[0][0],
                to_call=lows[-1][0],
                rows=len(lows),
            )
    return None


def _few(tails: list[Tail], limits: Limits) -> list[Tail]:
    if not tails or tails[0].last >= limits.thresholds.first_look:
        return []
    return [tail for tail in tails if tail.calls >= limits.thresholds.few.fewest_tail]


def _returns_to_its_lows(tail: Tail, limits: Limits) -> Level | None:
    lows = _lows(tail, limits)
    low, high = _line(lows, limits)
    floor = max(limits.tolerance, high, -low)
    most = max(limits.few_floor, limits.thresholds.flat.noise_share * tail.noise)
    if low > limits.tolerance or floor > most:
        return None
    apart = max(after[0] - before[0] for before, after in pairwise(lows))
    return Level(tail=tail, floor=floor, horizon=max(apart, tail.last - lows[-1][0]))


def _lows(tail: Tail, limits: Limits) -> list[Point]:
    """Return the lows between two turns: the last fall may go on."""
    lows = lows_of(tail.rows, limits.thresholds.flat.turn_share * tail.noise)
    return [low for low in lows if low[0] < tail.last]


def _line(lows: list[Point], limits: Limits) -> tuple[float, float]:
    """Return the interval of the line through the lows; all numbers where they are too few."""
    rules = limits.thresholds.flat
    if len(lows) < rules.fewest_lows:
        return -math.inf, math.inf
    return line_interval(lows, rules.lows_at)
