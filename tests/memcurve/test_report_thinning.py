"""Thinned curves draw the same picture: steps, peaks and ends stay, nothing is invented."""

from memcurve.report.thinning import BUCKETS, thin, thin_parts
from tests.memcurve.making import curve


def test_a_flat_curve_keeps_its_ends() -> None:
    assert list(thin(curve(calls=10_000).flat().make())) == [(0, 0), (10_000, 0)]


def test_a_step_keeps_both_its_sides() -> None:
    stepped = curve(calls=10_000).flat(5_000).jumps(96).flat().make()
    assert list(thin(stepped)) == [(0, 0), (5_000, 0), (5_001, 96), (10_000, 96)]


def test_a_blip_of_one_call_survives_noise_and_thinning() -> None:
    noisy = curve(calls=10_000).flat().noise(seed=1, by=10).blip(at=7_777, by=11_000).make()
    thinned = thin(noisy)
    assert max(thinned.values) == max(noisy.values)
    assert 7_777 in thinned.calls


def test_only_rows_that_were_measured_remain_and_few_of_them() -> None:
    noisy = curve(calls=10_000).grows(per_call=3).noise(seed=2).make()
    thinned = thin(noisy)
    assert set(thinned) <= set(noisy)
    assert len(thinned) <= 4 * BUCKETS
    assert (thinned.calls[0], thinned.calls[-1]) == (0, 10_000)


def test_a_short_curve_is_left_as_it_is() -> None:
    noisy = curve(calls=100).flat().noise(seed=3).make()
    assert thin(noisy) == noisy


def test_the_first_calls_keep_every_row_beside_a_long_rest() -> None:
    noisy = curve(calls=2_000).flat().noise(seed=4).make()
    assert list(thin_parts(noisy, 100).head(100)) == list(noisy.head(100))
