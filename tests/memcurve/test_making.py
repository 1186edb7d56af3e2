"""The language of curves says what it means."""

from memcurve.model.verdict import Flat, Growing, Plateaued
from tests.memcurve.making import accepted, curve, outcome, recording, samples, settled


def test_segments_follow_one_another_and_the_last_runs_to_the_end() -> None:
    made = curve(calls=5).flat(2).grows(per_call=96).make()
    assert made.calls == (0, 1, 2, 3, 4, 5)
    assert made.values == (0, 0, 0, 96, 192, 288)


def test_noise_is_reproducible_and_leaves_the_start_alone() -> None:
    first, again = (curve().flat().noise(seed=1).make() for _ in range(2))
    assert first == again
    assert first.values[0] == 0
    assert first != curve().flat().noise(seed=2).make()


def test_a_sparse_curve_keeps_its_last_call() -> None:
    assert curve(calls=11).flat().sampled(every=5).make().calls == (0, 5, 10, 11)


def test_a_counter_that_was_not_read_at_a_call_is_missing_there() -> None:
    made = samples(fds=curve(calls=2).flat(), tasks=curve(calls=2).flat().sampled(every=2))
    assert made.counters["tasks"] == (0, None, 0)


def test_made_recordings_are_judged_as_they_were_meant() -> None:
    long = curve(calls=1600)
    for memory, meant in (
        (long.fills(to=9000, within=5), Flat),
        (long.grows(per_call=96), Growing),
        (long.grows(per_call=96, calls=300).flat(), Plateaued),
    ):
        judged = outcome(recording(settled(memory))).judgement
        assert judged is not None
        assert isinstance(judged.retained, meant)


def test_an_accepted_curve_is_relative_to_its_start() -> None:
    band = accepted(curve(calls=2, start=500).grows(per_call=10), band=5)
    assert (band.low, band.values, band.high) == ((-5, 5, 15), (0, 10, 20), (5, 15, 25))
