"""Thinned curves draw the same picture: steps, peaks and ends stay, nothing is invented."""

from hypothesis import given
from hypothesis import strategies as st

from memcurve.model.curve import Curve
from memcurve.report.downsampling import BUCKETS, thin, thin_parts
from tests.memcurve.making import curve

ROWS = st.dictionaries(st.integers(0, 20_000), st.integers(-(2**40), 2**40), min_size=1)
CURVES = ROWS.map(
    lambda rows: Curve(
        counter="live_bytes",
        calls=tuple(sorted(rows)),
        values=tuple(rows[call] for call in sorted(rows)),
    )
)


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


@given(CURVES, st.integers(1, 20))
def test_no_curve_loses_its_ends_its_extremes_or_gains_a_row(whole: Curve, buckets: int) -> None:
    thinned = thin(whole, buckets)
    assert set(thinned) <= set(whole)
    assert len(thinned) <= 4 * buckets
    assert (thinned.calls[0], thinned.calls[-1]) == (whole.calls[0], whole.calls[-1])
    assert (min(thinned.values), max(thinned.values)) == (min(whole.values), max(whole.values))


@given(CURVES, st.integers(1, 20))
def test_each_bucket_keeps_its_own_extremes(whole: Curve, buckets: int) -> None:
    """A peak in one part of the curve is not lost for a higher one elsewhere."""
    span = max(whole.last_call - whole.calls[0], 1) + 1
    thinned = thin(whole, buckets)

    def extremes(curve: Curve) -> dict[int, tuple[int, int]]:
        parts: dict[int, list[int]] = {}
        for call, value in curve:
            parts.setdefault((call - whole.calls[0]) * buckets // span, []).append(value)
        return {part: (min(values), max(values)) for part, values in parts.items()}

    kept = extremes(thinned)
    assert {part: ends for part, ends in extremes(whole).items() if part in kept} == kept
