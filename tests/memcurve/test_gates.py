"""The curves that are compared, their bands, and what leaves a band for good."""

from __future__ import annotations

import random

import pytest

from memcurve.compare.bands import BLIPS, band, fell_for_good, left_for_good, limit_at
from memcurve.compare.marks import gated_curve, gated_curves, marks
from memcurve.model.curve import Curve
from tests.memcurve.making import curve, settled

KIB = 1024


def test_marks_end_with_the_last_call_and_are_the_same_for_every_run() -> None:
    assert marks(100) == (1, 2, 3, *range(5, 101, 5))
    assert marks(1) == (1,)
    assert marks(10)[-1] == 10
    assert marks(10_000)[-1] == 10_000


def test_a_gated_curve_begins_at_nothing_and_ends_at_the_calls_that_are_shown() -> None:
    found = gated_curve(settled(curve(calls=300, start=5000).grows(per_call=10)), "live_bytes", 100)
    assert found.values[0] == 0
    assert (found.calls[-1], found.values[-1]) == (100, 1000)


def test_deferred_bytes_are_a_mean_of_all_calls_whatever_rows_there_are() -> None:
    often = settled(deferred_bytes=curve(calls=100).flat().above(1000))
    rarely = settled(
        curve(calls=100).flat().sampled(every=5),
        deferred_bytes=curve(calls=100).flat().above(5000).sampled(every=5),
    )
    assert gated_curve(often, "deferred_bytes", 100).values[-1] == 1000
    assert gated_curve(rarely, "deferred_bytes", 100).values[-1] == 1000


def test_counters_that_were_not_read_are_left_out() -> None:
    assert "connections_opened" not in gated_curves(settled(), 100)


def test_a_band_spans_its_repeats_and_one_blip_beyond() -> None:
    curves = [gated_curve(settled(curve().fills(to=to)), "live_bytes", 100) for to in (1e5, 1.1e5)]
    accepted = band(curves)
    blip = BLIPS["live_bytes"].least
    assert accepted.high[-1] == max(c.values[-1] for c in curves) + blip
    assert accepted.low[-1] == min(c.values[-1] for c in curves) - blip
    assert accepted.low[-1] < accepted.values[-1] < accepted.high[-1]


def test_a_band_is_as_much_wider_as_its_repeats_differ() -> None:
    chance = random.Random(0)

    def repeat() -> Curve:
        level = round(chance.gauss(5e6, 100 * KIB))  # far more than a blip
        return Curve(counter="live_bytes", calls=(0, 1, 2, 3), values=(0, level, level, level))

    outside = sum(
        left_for_good(repeat(), band([repeat() for _ in range(5)])) is not None for _ in range(2000)
    )
    assert 0 < outside < 0.03 * 2000  # a sixth of five leaves their bare span 333 times


def test_a_repeat_of_what_was_accepted_stays_inside() -> None:
    made = [
        gated_curve(settled(curve().fills(to=1e5).noise(seed=seed, by=2000)), "live_bytes", 100)
        for seed in range(25)
    ]
    accepted = band(made[:5])
    assert [left_for_good(one, accepted) for one in made[5:]] == [None] * 20


def test_a_blip_leaves_no_band_for_good() -> None:
    still = gated_curve(settled(curve().flat()), "live_bytes", 100)
    blip = curve().flat().blip(at=40, by=80 * KIB, calls=30)
    assert left_for_good(gated_curve(settled(blip), "live_bytes", 100), band([still])) is None


def test_a_curve_leaves_its_band_where_it_does_not_come_back() -> None:
    still = gated_curve(settled(curve().flat()), "live_bytes", 100)
    leak = gated_curve(settled(curve().grows(per_call=1024)), "live_bytes", 100)
    assert left_for_good(leak, band([still])) == 20
    assert fell_for_good(leak, band([still])) is None


def test_less_than_accepted_is_no_regression_and_is_seen() -> None:
    much = gated_curve(settled(curve().grows(per_call=1024)), "live_bytes", 100)
    still = gated_curve(settled(curve().flat()), "live_bytes", 100)
    assert left_for_good(still, band([much])) is None
    assert fell_for_good(still, band([much])) == 20


def test_a_limit_between_two_marks_is_on_the_line_between_them() -> None:
    accepted = band([gated_curve(settled(curve().grows(per_call=1000)), "live_bytes", 100)])
    middle = (limit_at(accepted, 95) + limit_at(accepted, 100)) / 2
    assert limit_at(accepted, 97) == pytest.approx(middle, rel=0.02)
    assert limit_at(accepted, 10_000) == accepted.high[-1]
