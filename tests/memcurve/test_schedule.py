"""What the settled pass must do next, after each step."""

import msgspec

from memcurve.judge.schedule import Shapes, next_step, rerun_mode
from memcurve.model.effort import Effort, effort_for
from memcurve.model.recording import Bound, InFlight, Mode, PassRecord, Verification
from memcurve.model.steps import Calls, Finish, Step, Verify
from memcurve.model.thresholds import Thresholds
from tests.memcurve.making import CurveMaker, curve, settled

THRESHOLDS = Thresholds()


def step(record: PassRecord, *, spent: bool = False, calls: int = 100) -> Step:
    effort = Effort(shown=calls, seconds=0.0 if spent else 10.0)
    return next_step(record, THRESHOLDS, effort)


def leaking(calls: int, *, verified: bool = True) -> PassRecord:
    return settled(curve(calls=calls).grows(per_call=96), verified=verified)


def test_the_first_look_is_reached_in_short_stretches() -> None:
    reached, marks = 0, []
    while reached < THRESHOLDS.first_look:
        following = step(settled(curve(calls=reached).flat()))
        assert isinstance(following, Calls)
        assert following.to > reached
        reached = following.to
        marks.append(reached)
    assert marks == [1, 5, 25, 50, 100, 150, 200, 250]


def test_a_flat_pass_ends_at_the_first_look() -> None:
    assert isinstance(step(settled(curve(calls=250).flat())), Finish)


def test_what_rises_is_verified_before_anything_else() -> None:
    assert isinstance(step(leaking(250, verified=False)), Verify)


def test_a_rise_that_was_verified_runs_on() -> None:
    assert step(leaking(250)) == Calls(to=300)
    assert step(leaking(300)) == Calls(to=450)


def test_an_even_rise_is_convicted_at_1500_calls_and_not_before() -> None:
    assert isinstance(step(leaking(1400)), Calls)
    assert isinstance(step(leaking(1500)), Finish)


def test_a_descriptor_that_rises_keeps_a_pass_with_flat_memory_running() -> None:
    record = settled(curve(calls=250).flat(), fds=curve(calls=250).grows(per_call=1))
    assert Shapes(record, THRESHOLDS).memory.shape == "flat"
    assert step(record) == Calls(to=300)


def test_time_ends_a_pass_after_300_calls_and_not_before() -> None:
    assert isinstance(step(leaking(250), spent=True), Calls)
    assert isinstance(step(leaking(300), spent=True), Finish)


def test_nothing_runs_beyond_the_most_calls() -> None:
    uneven = curve(calls=2000).steps(by=4096, every=90)
    assert isinstance(step(settled(uneven)), Finish)


def test_memory_beyond_what_any_cache_may_hold_is_not_filled_further() -> None:
    record = settled(curve(calls=150).grows(per_call=4 << 20))
    assert record.grown_bytes > THRESHOLDS.max_bytes
    assert isinstance(step(record), Finish)


def with_bound(maker: CurveMaker, *, size: int, bound: int) -> PassRecord:
    found = Bound(kind="lru_cache", name="m.f", id=1, size=size, bound=bound, entry_bytes=96)
    proof = Verification(
        call=maker.calls,
        released_bytes=0,
        waited_bytes=0,
        unfrozen_objects=0,
        in_flight=InFlight(),
        bounds=(found,),
    )
    return msgspec.structs.replace(settled(maker), verifications=(proof,))


def test_a_container_that_will_be_full_soon_is_waited_for_with_a_flat_third_after_it() -> None:
    following = step(with_bound(curve(calls=300).grows(per_call=96), size=300, bound=600))
    assert isinstance(following, Calls)
    assert following.to >= 1.5 * 600


def after_300_calls(record: CurveMaker, *, most: int) -> Step:
    effort = Effort(throughout=300, seconds=0.0, counted="cpu", followed_to=most)
    return next_step(settled(record), THRESHOLDS, effort)


def test_a_benchmark_follows_what_surely_rises_until_it_is_proved() -> None:
    noisy = curve(calls=300).grows(per_call=700).noise(seed=1, by=30_000)
    assert Shapes(settled(noisy), THRESHOLDS).memory.shape == "undecided"
    assert after_300_calls(noisy, most=1500) == Calls(to=600)
    assert isinstance(after_300_calls(noisy, most=0), Finish)


def test_of_what_may_grow_a_benchmark_follows_only_what_evidently_does() -> None:
    effort = Effort(
        throughout=100, least=100, seconds=0.0, counted="cpu", followed_to=250, until_grown=True
    )

    def after(calls: int, per_call: int) -> Step:
        record = settled(curve(calls=calls).grows(per_call=per_call))
        return next_step(record, THRESHOLDS, effort)

    assert after(100, 800_000) == Calls(to=200)
    assert after(200, 800_000) == Calls(to=250)
    assert isinstance(after(250, 800_000), Finish)
    assert isinstance(after(100, 100), Finish)


def test_a_benchmark_does_not_follow_noise_or_what_is_proved_already() -> None:
    noise = curve(calls=300).flat().noise(seed=1, by=10_000)
    assert isinstance(after_300_calls(noise, most=1500), Finish)
    even = curve(calls=300).grows(per_call=96)
    assert isinstance(after_300_calls(even, most=1500), Finish)


def test_a_design_that_may_grow_is_run_on_while_its_curve_is_undecided() -> None:
    effort = Effort(throughout=300, seconds=0.0, counted="cpu", open_to=900)
    undecided = settled(curve(calls=300).flat().noise(seed=1, by=10_000))
    assert Shapes(undecided, THRESHOLDS).is_undecided
    assert next_step(undecided, THRESHOLDS, effort) == Calls(to=600)
    assert isinstance(
        after_300_calls(curve(calls=300).flat().noise(seed=1, by=10_000), most=0), Finish
    )
    assert isinstance(next_step(settled(curve(calls=300).flat()), THRESHOLDS, effort), Finish)
    at_the_end = settled(curve(calls=900).flat().noise(seed=1, by=10_000))
    assert isinstance(next_step(at_the_end, THRESHOLDS, effort), Finish)


def test_half_of_a_budget_that_was_asked_for_is_left_to_the_explanation() -> None:
    record = msgspec.structs.replace(leaking(450), elapsed_s=6.0)
    asked, default = (effort_for(None, seconds, THRESHOLDS) for seconds in (10.0, None))
    assert isinstance(next_step(record, THRESHOLDS, asked), Finish)
    assert isinstance(next_step(record, THRESHOLDS, default), Calls)


def test_a_benchmark_does_not_fill_memory_further_that_is_full() -> None:
    uneven = curve(calls=300).steps(by=20 << 20, every=9)
    assert settled(uneven).grown_bytes > THRESHOLDS.max_bytes
    assert isinstance(after_300_calls(uneven, most=1500), Finish)


def flat_after(released: int, *, at: int = 250, calls: int = 300) -> PassRecord:
    """Return a pass that is flat over its last two thirds, with a verification in between."""
    proof = Verification(
        call=at, released_bytes=released, waited_bytes=0, unfrozen_objects=9, in_flight=InFlight()
    )
    return msgspec.structs.replace(settled(curve(calls=calls).flat()), verifications=(proof,))


def test_a_flat_pass_that_gave_back_more_than_its_floor_allows_is_repeated_unfrozen() -> None:
    assert rerun_mode(flat_after(390_000), THRESHOLDS) == "unfrozen"


def test_a_flat_pass_that_gave_back_next_to_nothing_is_not_repeated() -> None:
    assert rerun_mode(flat_after(900), THRESHOLDS) is None


def test_what_was_given_back_before_the_tail_that_is_flat_hides_nothing() -> None:
    assert rerun_mode(flat_after(390_000, at=40), THRESHOLDS) is None


def in_flight(waited: int, *, mode: Mode = "settled") -> PassRecord:
    proof = Verification(
        call=250,
        released_bytes=waited,
        waited_bytes=waited,
        unfrozen_objects=0,
        in_flight=InFlight(),
    )
    rises = settled(curve(calls=250).grows(per_call=200))
    return msgspec.structs.replace(rises, mode=mode, verifications=(proof,))


def test_a_rise_that_was_in_flight_ends_the_pass_since_it_is_measured_again() -> None:
    assert isinstance(step(in_flight(45_000)), Finish)
    assert rerun_mode(in_flight(45_000), THRESHOLDS) == "patient"


def test_a_rise_that_stayed_or_was_waited_for_already_runs_on() -> None:
    assert step(in_flight(900)) == Calls(to=300)
    assert step(in_flight(45_000, mode="patient")) == Calls(to=300)


def undeclared(
    calls: int, *, cpu_s: float = 1.0, elapsed_s: float = 2.0, **more: CurveMaker
) -> Step:
    leak = settled(curve(calls=calls).grows(per_call=96), verified=True, **more)
    record = msgspec.structs.replace(leak, cpu_s=cpu_s, elapsed_s=elapsed_s)
    return next_step(record, THRESHOLDS, effort_for(None, None, THRESHOLDS))


def test_a_bound_that_nobody_declares_is_looked_for_in_a_third_of_the_time() -> None:
    assert undeclared(1500) == Calls(to=2250)
    assert undeclared(7000) == Calls(to=10_000)
    assert isinstance(undeclared(10_000), Finish)
    assert isinstance(undeclared(1500, cpu_s=3.4), Finish)
    assert isinstance(undeclared(3000, cpu_s=3.4), Finish)


def test_a_busy_machine_makes_no_leak_of_a_cache_before_all_of_the_time_is_over() -> None:
    assert undeclared(1500, elapsed_s=9.0) == Calls(to=2250)
    assert isinstance(undeclared(1500, elapsed_s=10.0), Finish)


def test_descriptors_that_rise_too_are_not_used_up_to_find_a_bound_of_memory() -> None:
    assert isinstance(undeclared(1500, fds=curve(calls=1500).grows(per_call=1)), Finish)


def test_a_cache_in_c_of_3300_entries_is_acquitted_within_the_calls_that_may_be_run() -> None:
    record = settled(curve(calls=5062).grows(per_call=1360, calls=3300).flat())
    assert Shapes(record, THRESHOLDS).memory.shape == "flat"


def test_a_container_that_would_be_full_after_thousands_of_calls_is_not_waited_for() -> None:
    record = with_bound(curve(calls=300).grows(per_call=96), size=300, bound=6000)
    effort = effort_for(None, None, THRESHOLDS)
    assert next_step(record, THRESHOLDS, effort) == Calls(to=450)
