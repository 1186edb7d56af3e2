"""The judge's floors are true on simulated curves, and a judge whose floors are not is caught."""

import pytest

from bench.proof.calibrate import run
from bench.proof.calibrate.noise import NOISES
from memcurve.judge.growth import Reading, read_curve
from memcurve.judge.limits import Limits
from memcurve.model.curve import Curve

SEEDS = 20  # a second for each noise; `make calibrate` takes 200


@pytest.mark.parametrize("noise", NOISES)
def test_floors_are_true_and_nothing_clean_is_convicted(noise: str) -> None:
    found = run.count(noise, SEEDS)
    assert found.clean == found.leaking == SEEDS * len(run.CALLS)
    assert found.is_calibrated, found


def test_the_same_seed_gives_the_same_curve_and_another_one_does_not() -> None:
    one = run.simulated("white", 4, 250, 1)
    assert one == run.simulated("white", 4, 250, 1)
    assert one != run.simulated("white", 4, 250, 2)


def flat_by_one_byte(curve: Curve, limits: Limits) -> Reading:
    reading = read_curve(curve, limits)
    return Reading(shape="flat", trend=reading.trend, floor=1.0)


def growing_by_anything(curve: Curve, limits: Limits) -> Reading:
    return Reading(shape="growing", trend=None, floor=1.0, regular=True)


def test_a_judge_that_acquits_by_too_low_a_floor_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "read_curve", flat_by_one_byte)
    assert not run.count("white", SEEDS).is_calibrated


def test_a_judge_that_convicts_what_is_clean_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "read_curve", growing_by_anything)
    assert not run.count("white", SEEDS).is_calibrated
