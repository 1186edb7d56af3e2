"""The slope of a tail: what moves it, and what must not."""

import pytest

from memcurve.judge.tail import Tail
from memcurve.judge.trend import Trend, block_levels, least_squares
from memcurve.model.curve import Curve
from memcurve.model.thresholds import Thresholds
from tests.memcurve.making import curve

THRESHOLDS = Thresholds()


def measure_trend(rows: Curve) -> Trend | None:
    return Tail(rows, THRESHOLDS).trend(THRESHOLDS.slope.convicts_at)


def test_an_even_rise_is_measured_exactly() -> None:
    trend = measure_trend(curve(calls=300).grows(per_call=96).make())
    assert trend is not None
    assert trend.per_call == pytest.approx(96, rel=0.01)
    assert trend.low <= 96 <= trend.high


def test_a_flat_tail_has_an_interval_of_nothing() -> None:
    trend = measure_trend(curve(calls=300).flat().make())
    assert trend is not None
    assert (trend.low, trend.per_call, trend.high) == (0, 0, 0)


def test_one_step_widens_the_interval_and_moves_no_slope() -> None:
    trend = measure_trend(curve(calls=300).flat(250).jumps(10_000).flat().make())
    assert trend is not None
    assert trend.per_call == 0
    assert trend.high > 0


def test_a_spike_moves_nothing() -> None:
    trend = measure_trend(curve(calls=300).flat().blip(at=150, by=1e9).make())
    assert trend is not None
    assert trend.high == 0


def test_five_rows_are_too_few() -> None:
    assert measure_trend(curve(calls=4).flat().make()) is None


def test_blocks_of_an_empty_tail_are_none() -> None:
    assert block_levels(curve(calls=10).flat().make().tail(11), THRESHOLDS.slope.blocks) == []


def test_least_squares_see_every_row() -> None:
    assert least_squares(curve(calls=100).grows(per_call=7).make()) == pytest.approx(7)
