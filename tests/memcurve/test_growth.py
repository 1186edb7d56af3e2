"""Every rule of the growth module, with a curve that it must catch and one that it must not."""

import random

import pytest

from memcurve.judge.growth import Limits, Reading, read_curve
from memcurve.model.curve import Curve
from memcurve.model.thresholds import Thresholds
from tests.memcurve.making import CurveMaker, curve

BYTES = Limits.of_bytes(Thresholds())
COUNTS = Limits.of_resource("fds", Thresholds())
THREADS = Limits.of_resource("threads", Thresholds())
LONG = 1500
CLEAN_RUNS, LEAKING_RUNS = 300, 60  # a thousand of each take a minute


def shape(maker: CurveMaker, limits: Limits = BYTES) -> str:
    return read_curve(maker.make(), limits).shape


def read(maker: CurveMaker, limits: Limits = BYTES) -> Reading:
    return read_curve(maker.make(), limits)


def holds(maker: CurveMaker, per_call: float) -> None:
    """Assert that a leak is growing, and that its interval contains the true slope within 2 %."""
    reading = read(maker)
    assert reading.shape == "growing", reading.why
    assert reading.trend is not None
    assert reading.trend.low <= per_call <= reading.trend.high
    assert reading.trend.per_call == pytest.approx(per_call, rel=0.02)


def chance_steps(*, by: float, one_in: int, seed: int, calls: int = LONG) -> CurveMaker:
    dice = random.Random(seed)
    values = [0.0]
    for _ in range(calls):
        values.append(values[-1] + (by if dice.random() * one_in < 1 else 0))
    return from_values(values)


def from_values(values: list[float]) -> CurveMaker:
    return CurveMaker(calls=len(values) - 1, levels=tuple(values))


def list_growth(calls: int, *, entry: float = 8) -> CurveMaker:
    """Make the curve of a list that over-allocates by an eighth, without what it holds."""
    capacity, values = 0, [0.0]
    for size in range(1, calls + 1):
        if size > capacity:
            capacity = (size + (size >> 3) + 6) & ~3
        values.append(capacity * entry)
    return from_values(values)


def plus(one: CurveMaker, other: CurveMaker) -> CurveMaker:
    return from_values([a + b for a, b in zip(one.levels, other.levels, strict=True)])


def test_an_exactly_flat_curve_is_flat_with_the_tolerance_as_floor() -> None:
    reading = read(curve(calls=250).flat())
    assert (reading.shape, reading.floor, reading.at) == ("flat", 1.0, 0)


def test_a_block_or_two_in_a_level_curve_is_flat() -> None:
    reading = read(curve(calls=250).flat(202).jumps(64).flat())
    assert (reading.shape, reading.floor) == ("flat", 1.0)


def test_a_fall_is_flat_and_says_what_it_hides() -> None:
    reading = read(curve(calls=250, start=2_000_000).grows(per_call=-5000))
    assert reading.shape == "flat"
    assert reading.floor == pytest.approx(5000, rel=0.02)


def test_a_fall_that_turned_into_growth_is_not_flat() -> None:
    maker = curve(calls=300, start=500_000).grows(per_call=-1500, calls=150).grows(per_call=300)
    assert shape(maker) != "flat"


def test_growth_that_paused_for_a_quarter_is_not_growing() -> None:
    maker = curve(calls=450).grows(per_call=300, calls=120).flat(139).grows(per_call=5)
    assert shape(maker) == "undecided"


def test_too_few_rows_prove_nothing() -> None:
    assert shape(curve(calls=4).flat()) == "undecided"


def test_a_curve_without_rows_proves_nothing() -> None:
    empty = Curve(counter="live_bytes", calls=(), values=())
    assert read_curve(empty, BYTES).why == "no rows to judge"


def test_a_flat_tail_shorter_than_150_calls_is_not_called_flat() -> None:
    assert shape(curve(calls=260).grows(per_call=96, calls=140).flat()) != "flat"


@pytest.mark.parametrize("per_call", [16, 96, 1024, 1 << 20])
def test_an_even_leak_is_growing_by_what_it_leaks(per_call: float) -> None:
    holds(curve(calls=LONG).grows(per_call=per_call), per_call)


def test_growth_below_the_tolerance_is_flat() -> None:
    assert shape(curve(calls=LONG).grows(per_call=0.5)) == "flat"


def test_one_late_step_is_no_slope() -> None:
    assert shape(curve(calls=300).flat(220).jumps(100_000).flat()) == "undecided"
    assert shape(curve(calls=450).flat(220).jumps(100_000).flat()) == "undecided"
    assert shape(curve(calls=700).flat(220).jumps(100_000).flat()) == "flat"


def test_a_warm_up_that_ends_is_where_the_curve_stopped() -> None:
    reading = read(curve(calls=300).grows(per_call=1000, calls=60).flat())
    assert reading.shape == "flat"
    assert 55 <= reading.at <= 60
    assert reading.size == 60_000


@pytest.mark.parametrize("every", [10, 23, 100])
def test_a_staircase_of_rare_steps_is_growing(every: int) -> None:
    maker = curve(calls=2000).steps(by=1024, every=every)
    reading = read(maker)
    assert reading.shape == "growing", reading.why
    assert reading.trend is not None
    assert reading.trend.low <= 1024 / every <= reading.trend.high


def test_a_staircase_that_stopped_is_flat() -> None:
    assert shape(curve(calls=2000).steps(by=1024, every=100, calls=800).flat()) == "flat"


def test_a_leak_at_every_hundredth_call_is_not_flat_at_the_first_look() -> None:
    for calls in range(250, 401, 10):
        assert shape(curve(calls=calls).steps(by=1024, every=100)) != "flat", calls


def test_a_leak_at_one_call_in_ten_by_chance_is_never_acquitted_and_mostly_convicted() -> None:
    shapes = [shape(chance_steps(by=4096, one_in=10, seed=seed)) for seed in range(10)]
    assert set(shapes) <= {"growing", "undecided"}
    assert shapes.count("growing") >= 8


def test_growth_that_accelerates_is_growing() -> None:
    maker = from_values([float(n * n) for n in range(LONG + 1)])
    assert shape(maker) == "growing"


def test_growth_that_decays_is_no_leak() -> None:
    reading = read(curve(calls=LONG).fills(to=2_000_000, within=600))
    assert reading.shape == "decaying"
    assert reading.projected > 0


def test_a_cache_that_filled_by_chance_is_flat_in_the_end() -> None:
    assert shape(curve(calls=LONG).fills(to=200_000, within=60)) == "flat"


@pytest.mark.parametrize("every", [7, 50, 250])
def test_a_sawtooth_is_flat(every: int) -> None:
    assert shape(curve(calls=LONG).flat().sawtooth(per_call=1000, every=every)) == "flat"


SPIKES = (233, 560, 730)
"""Calls on the slopes of a sawtooth of 100: a fall from such a spike ends near the top."""


@pytest.mark.parametrize(("leak", "verdict"), [(0, "flat"), (60, "undecided")])
def test_a_spike_on_a_sawtooth_makes_no_low_of_it(leak: int, verdict: str) -> None:
    maker = curve(calls=800).grows(per_call=leak).sawtooth(per_call=175, every=100)
    for at in SPIKES:
        maker = maker.blip(at=at, by=11_000, calls=1)
    assert shape(maker) == verdict


def test_a_sawtooth_of_two_rows_is_all_spikes_and_flat() -> None:
    assert shape(curve(calls=LONG).flat().sawtooth(per_call=1000, every=2)) == "flat"


def test_a_sawtooth_on_a_leak_is_growing() -> None:
    assert (
        shape(curve(calls=LONG).grows(per_call=2000).sawtooth(per_call=1000, every=50)) == "growing"
    )


@pytest.mark.parametrize("by", [16, 500, 20_000])
def test_noise_that_stays_where_it_is_is_flat(by: float) -> None:
    assert shape(curve(calls=LONG).flat().noise(seed=3, by=by)) == "flat"


def test_a_leak_under_noise_is_growing() -> None:
    assert shape(curve(calls=LONG).grows(per_call=100).noise(seed=3, by=500)) == "growing"


def test_blips_are_given_back_and_count_for_nothing() -> None:
    maker = curve(calls=300).flat()
    for at in (40, 133, 250, 298):
        maker = maker.blip(at=at, by=11_000, calls=2)
    assert shape(maker) == "flat"


def test_a_blip_does_not_hide_a_leak() -> None:
    maker = curve(calls=LONG).grows(per_call=96).blip(at=700, by=50_000, calls=3)
    assert shape(maker) == "growing"


def test_growth_that_begins_late_is_growing() -> None:
    assert shape(curve(calls=2000).flat(400).grows(per_call=500)) == "growing"


def test_growth_that_began_just_now_is_not_flat() -> None:
    assert shape(curve(calls=2000).flat(1500).grows(per_call=500)) != "flat"


@pytest.mark.parametrize("bound", [300, 1000])
def test_a_bound_that_nobody_declared_is_flat_once_it_is_reached(bound: int) -> None:
    reading = read(curve(calls=LONG).grows(per_call=200, calls=bound).flat())
    assert reading.shape == "flat"
    assert bound * 0.9 <= reading.at <= bound
    assert reading.size == 200 * bound


def test_what_a_growing_list_takes_in_steps_of_an_eighth_is_in_the_slope() -> None:
    holds(plus(curve(calls=LONG).grows(per_call=1000), list_growth(LONG)), 1008.6)


def test_a_list_of_numbers_alone_is_not_flat() -> None:
    assert shape(list_growth(LONG)) != "flat"


def test_a_dict_that_doubles_does_not_hide_what_its_entries_cost() -> None:
    table = [float(2 ** max(n * 3 // 2, 8).bit_length() * 25) for n in range(LONG + 1)]
    maker = plus(curve(calls=LONG).grows(per_call=500), from_values(table))
    assert shape(maker) == "growing"


def test_rows_at_every_23rd_call_are_enough_for_both_verdicts() -> None:
    assert shape(curve(calls=LONG).grows(per_call=96).sampled(every=23)) == "growing"
    assert shape(curve(calls=LONG).flat().noise(seed=5, by=100).sampled(every=23)) == "flat"


def test_growth_that_stands_still_for_200_calls_is_no_leak() -> None:
    maker = curve(calls=500).flat()
    for _ in range(6):
        maker = maker.grows(per_call=50, calls=20).flat(230)
    assert shape(maker) != "growing"


@pytest.mark.parametrize("every", [6, 24, 47])
def test_a_leak_below_what_comes_and_goes_is_growing(every: int) -> None:
    leak = curve(calls=2000).grows(per_call=32).sawtooth(per_call=500, every=every).sampled(every=7)
    assert shape(leak) == "growing"


@pytest.mark.parametrize("seed", range(12))
def test_a_cache_that_fills_below_what_comes_and_goes_is_not(seed: int) -> None:
    dice = random.Random(seed)
    found, values = set(), [0.0]
    for _ in range(2000):
        found.add(dice.randrange(800))
        values.append(len(found) * 100.0)
    assert shape(from_values(values).sawtooth(per_call=500, every=24).sampled(every=7)) != "growing"


def test_one_descriptor_every_ten_calls_is_growing() -> None:
    assert shape(curve(calls=LONG).steps(by=1, every=10), COUNTS) == "growing"


def test_descriptors_of_a_pool_are_flat_when_it_is_full() -> None:
    assert shape(curve(calls=300).grows(per_call=1, calls=10).flat(), COUNTS) == "flat"


@pytest.mark.parametrize(("started", "at"), [(8, 0), (9, 59)])
def test_a_pool_of_threads_is_named_when_it_is_more_than_asyncios_own(
    started: int, at: int
) -> None:
    steps = curve(calls=300).flat(50).grows(per_call=1, calls=started).flat()
    assert (read(steps, THREADS).shape, read(steps, THREADS).at) == ("flat", at)
    assert read(steps, COUNTS).at > 0


def test_descriptors_that_come_and_go_are_flat() -> None:
    assert shape(curve(calls=300).flat().sawtooth(per_call=1, every=12), COUNTS) == "flat"


def test_the_floor_says_what_noise_would_have_hidden() -> None:
    reading = read(curve(calls=300).flat().noise(seed=2, by=2000))
    assert reading.shape == "flat"
    assert 1.0 <= reading.floor <= 16.0


def clean(seed: int) -> CurveMaker:
    """Make a clean curve by chance: a warm-up or a cache that fills, noise, blips, a sawtooth."""
    dice = random.Random(seed)
    maker = curve(calls=LONG)
    if dice.random() < 0.6:
        maker = maker.fills(to=dice.uniform(1e3, 1e6), within=dice.uniform(5, 120))
    else:
        bound = dice.randrange(1, 900)
        maker = maker.grows(per_call=dice.choice([16, 200, 5000]), calls=bound).flat()
    if dice.random() < 0.7:
        maker = maker.noise(seed=seed, by=dice.choice([0.0, 16, 300, 20_000]))
    if dice.random() < 0.3:
        maker = maker.sawtooth(per_call=dice.uniform(16, 2000), every=dice.randrange(2, 90))
    for _ in range(dice.randrange(3)):
        maker = maker.blip(at=dice.randrange(1, LONG), by=11_000, calls=dice.randrange(1, 6))
    return maker.sampled(every=dice.choice([1, 3, 7, 23]))


def leaking(seed: int) -> CurveMaker:
    """Make a leak by chance: at each call or every k-th, under noise well below it."""
    dice = random.Random(seed)
    per_call = dice.choice([16, 96, 1000, 60_000])
    maker = curve(calls=LONG).fills(to=dice.uniform(0, 50) * per_call, within=30, calls=100)
    every = dice.choice([1, 1, 2, 5, 10, 30])
    maker = maker.steps(by=per_call * every, every=every)
    if dice.random() < 0.7:
        maker = maker.noise(seed=seed, by=per_call * dice.choice([0.1, 1.0, 3.0]))
    return maker.sampled(every=dice.choice([1, 3, 7, 23]))


def test_no_clean_curve_of_hundreds_is_growing() -> None:
    assert [seed for seed in range(CLEAN_RUNS) if shape(clean(seed)) == "growing"] == []


def test_every_leak_of_dozens_is_growing() -> None:
    assert [seed for seed in range(LEAKING_RUNS) if shape(leaking(seed)) != "growing"] == []
