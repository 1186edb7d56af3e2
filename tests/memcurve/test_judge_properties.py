"""What must hold of every curve, whatever it is: the judge reads shapes, not figures."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from memcurve.judge.growth import Reading, read_curve
from memcurve.judge.limits import Limits
from memcurve.model.curve import Curve
from memcurve.model.thresholds import Thresholds

BYTES = Limits.of_bytes(Thresholds())
EXAMPLES = 60  # a reading of 1,500 rows costs some milliseconds

leaks = st.builds(
    lambda per_call, noise, seed, calls: _curve(per_call, noise, seed, calls),
    per_call=st.integers(0, 512),
    noise=st.sampled_from((0, 16, 300, 4000)),
    seed=st.integers(0, 10_000),
    calls=st.sampled_from((250, 400, 1500)),
)


def _curve(per_call: int, noise: int, seed: int, calls: int) -> Curve:
    dice = random.Random(seed)
    values = tuple(100_000 + per_call * n + dice.randint(0, noise) for n in range(calls + 1))
    return Curve(counter="live_bytes", calls=tuple(range(calls + 1)), values=values)


def read(curve: Curve) -> Reading:
    return read_curve(curve, BYTES)


@settings(max_examples=EXAMPLES)
@given(curve=leaks, by=st.integers(-90_000, 1 << 40))
def test_a_shift_of_all_values_changes_nothing(curve: Curve, by: int) -> None:
    moved = Curve(
        counter=curve.counter, calls=curve.calls, values=tuple(v + by for v in curve.values)
    )
    one, other = read(curve), read(moved)
    assert (one.shape, one.way, one.why) == (other.shape, other.way, other.why)


@settings(max_examples=EXAMPLES)
@given(
    per_call=st.integers(16, 512),
    noise=st.sampled_from((0, 300, 4000)),
    seed=st.integers(0, 10_000),
    more=st.sampled_from((500, 4500)),
)
def test_more_calls_of_a_leak_never_turn_growing_into_flat(
    per_call: int, noise: int, seed: int, more: int
) -> None:
    if read(_curve(per_call, noise, seed, 1500)).shape == "growing":
        assert read(_curve(per_call, noise, seed, 1500 + more)).shape != "flat"


@settings(max_examples=EXAMPLES)
@given(
    noise=st.lists(st.integers(0, 5000), min_size=250, max_size=400),
    order=st.randoms(use_true_random=False),
)
def test_no_order_of_noise_is_growing(noise: list[int], order: random.Random) -> None:
    order.shuffle(noise)
    curve = Curve(counter="live_bytes", calls=tuple(range(len(noise))), values=tuple(noise))
    assert read(curve).shape != "growing"


@settings(max_examples=EXAMPLES)
@given(curve=leaks)
def test_a_flat_curve_excludes_no_less_than_the_tolerance(curve: Curve) -> None:
    reading = read(curve)
    if reading.shape == "flat":
        assert reading.floor >= BYTES.tolerance
