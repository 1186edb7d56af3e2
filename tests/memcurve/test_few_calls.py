"""What few calls prove: never more than their floor and horizon say."""

import itertools

import pytest

from memcurve.judge.growth import read_curve
from memcurve.judge.judgement import judge
from memcurve.judge.limits import Limits
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Flat, Rising
from memcurve.report.text import verdict_line
from tests.memcurve.making import CurveMaker, curve, recording, settled

THRESHOLDS = Thresholds()
BYTES, COUNTS = Limits.of_bytes(THRESHOLDS), Limits.of_resource("fds", THRESHOLDS)


def test_few_level_calls_are_flat_with_a_horizon() -> None:
    reading = read_curve(curve(calls=20).flat().make(), BYTES)
    assert (reading.shape, reading.horizon) == ("flat", 8)  # of a tail of 16 calls
    assert reading.floor == pytest.approx(16 / 9)


def test_the_sentence_tells_the_horizon() -> None:
    found = judge(recording(settled(curve(calls=20).flat()))).overall
    assert isinstance(found, Flat)
    assert verdict_line(found).endswith("in calls 4 to 20, if it comes at least every 8th call")


def test_a_level_count_is_flat_though_one_more_or_less_is_much_of_few_calls() -> None:
    assert read_curve(curve(calls=12).flat().make("fds"), COUNTS).shape == "flat"
    assert read_curve(curve(calls=12).steps(by=1, every=4).make("fds"), COUNTS).shape != "flat"


@pytest.mark.parametrize("calls", [9, 12, 20, 30, 50, 100, 240])
def test_no_leak_above_the_floor_and_within_the_horizon_is_flat(calls: int) -> None:
    called_flat = 0
    for every, size, first in itertools.product((1, 2, 3, 5, 8, 13), (16, 64, 300, 2000), (0, 1)):
        maker = curve(calls=calls).flat(first).steps(by=size * every, every=every)
        reading = read_curve(maker.make(), BYTES)
        if reading.shape == "flat" and every <= reading.horizon:
            called_flat += 1
            assert size < reading.floor, (every, size)
    assert called_flat < 24  # and what is smaller than that is not the rule


@pytest.mark.parametrize("seed", range(20))
def test_noise_hides_no_leak_from_its_floor(seed: int) -> None:
    for per_call in (100, 256, 1000):
        maker = curve(calls=20).grows(per_call=per_call).noise(seed=seed, by=300)
        reading = read_curve(maker.make(), BYTES)
        assert reading.shape != "flat" or reading.floor > per_call


def test_much_noise_and_a_fall_are_not_called_flat() -> None:
    assert read_curve(curve(calls=20).flat().noise(seed=1, by=5000).make(), BYTES).shape != "flat"
    assert read_curve(curve(calls=20).grows(per_call=-500).make(), BYTES).shape != "flat"


def test_a_rise_within_the_floor_is_not_called_flat() -> None:
    assert read_curve(curve(calls=20).grows(per_call=16).make(), BYTES).shape == "growing"


def test_where_the_first_look_was_taken_a_short_tail_proves_nothing() -> None:
    made = curve(calls=260).grows(per_call=96, calls=200).flat()
    assert read_curve(made.make(), BYTES).shape != "flat"


@pytest.mark.parametrize("calls", [9, 12, 20, 50])
def test_a_straight_line_rises_and_warming_up_does_not(calls: int) -> None:
    line = settled(curve(calls=max(calls, 12)).grows(per_call=500))
    assert isinstance(judge(recording(line)).overall, Rising)
    warm = settled(curve(calls=max(calls, 12)).grows(per_call=5000, calls=3).flat())
    assert not isinstance(judge(recording(warm)).overall, Rising)


def sawtooth(*, per_call: int, calls: int = 50) -> CurveMaker:
    """Return calls that keep 900 KB each until every tenth lets all go, but for a leak."""
    return curve(calls=calls).grows(per_call=per_call).sawtooth(per_call=900_000, every=10)


def test_few_calls_of_a_sawtooth_are_flat_by_their_lows() -> None:
    reading = read_curve(sawtooth(per_call=0).make(), BYTES)
    assert (reading.shape, reading.floor, reading.horizon) == ("flat", 1.0, 10)


def test_few_calls_of_a_sawtooth_that_leaks_rise() -> None:
    reading = read_curve(sawtooth(per_call=100).make(), BYTES)
    assert reading.shape == "growing"
    assert reading.trend is not None
    assert reading.trend.low <= 100 <= reading.trend.high
    assert isinstance(judge(recording(settled(sawtooth(per_call=100)))).overall, Rising)


def test_two_teeth_of_a_saw_say_nothing() -> None:
    assert read_curve(sawtooth(per_call=0, calls=25).make(), BYTES).shape == "undecided"
