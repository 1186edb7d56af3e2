"""A cache that is filling up is not taken for a leak."""

import msgspec

from memcurve.judge.filling import filling_bounds, full_at
from memcurve.model.recording import Bound, InFlight, PassRecord, Verification
from memcurve.model.thresholds import Thresholds
from tests.memcurve.making import curve, settled

THRESHOLDS = Thresholds()


def record(*sizes: tuple[int, int], bound: int = 1000, entry_bytes: float = 200) -> PassRecord:
    """Make a pass with a verification at each (call, size) of one bounded container."""
    proofs = tuple(
        Verification(
            call=call,
            released_bytes=0,
            waited_bytes=0,
            unfrozen_objects=0,
            in_flight=InFlight(),
            bounds=(
                Bound(
                    kind="lru_cache",
                    name="app.render",
                    id=7,
                    size=size,
                    bound=bound,
                    entry_bytes=entry_bytes,
                ),
            ),
        )
        for call, size in sizes
    )
    last = sizes[-1][0] if sizes else 100
    made = settled(curve(calls=last).grows(per_call=200), verified=False)
    return msgspec.structs.replace(made, verifications=proofs)


def test_a_container_that_gains_what_the_curve_rises_by_is_named_with_its_end() -> None:
    found = filling_bounds(record((250, 250), (500, 500)), 200.0, THRESHOLDS)
    assert found is not None
    assert (found.name, found.bound, found.size) == ("app.render", 1000, 500)
    assert (found.full_at_call, found.full_bytes) == (1000, 200_000)


def test_one_look_is_no_rate() -> None:
    assert filling_bounds(record((500, 500)), 200.0, THRESHOLDS) is None


def test_a_container_that_stands_still_explains_nothing() -> None:
    assert filling_bounds(record((250, 250), (500, 250)), 200.0, THRESHOLDS) is None


def test_a_container_that_explains_half_of_the_growth_acquits_none_of_it() -> None:
    assert filling_bounds(record((250, 250), (500, 500)), 400.0, THRESHOLDS) is None


def test_a_bound_beyond_max_bytes_is_no_bound() -> None:
    huge = record((250, 250), (500, 500), bound=10_000_000)
    assert filling_bounds(huge, 200.0, THRESHOLDS) is None
    generous = Thresholds(max_bytes=1 << 40)
    assert filling_bounds(huge, 200.0, generous) is not None


def test_growth_of_nothing_needs_no_explanation() -> None:
    assert filling_bounds(record((250, 250), (500, 500)), 0.0, THRESHOLDS) is None


def test_the_call_at_which_it_is_full_can_be_planned_from_one_look() -> None:
    assert full_at(record((500, 250))) == 2000
    assert full_at(record()) is None


def test_a_container_that_is_born_in_the_calls_has_no_history() -> None:
    made = record((250, 250), (500, 500))
    first, last = made.verifications
    born = msgspec.structs.replace(last.bounds[0], id=8)
    made = msgspec.structs.replace(
        made, verifications=(first, msgspec.structs.replace(last, bounds=(born,)))
    )
    assert filling_bounds(made, 200.0, THRESHOLDS) is None


def test_what_all_that_fill_will_hold_is_held_to_the_most_that_a_cache_may() -> None:
    made = record((250, 250), (500, 500), bound=800_000)
    proofs = [
        msgspec.structs.replace(
            proof,
            bounds=(*proof.bounds, *(msgspec.structs.replace(b, id=8) for b in proof.bounds)),
        )
        for proof in made.verifications
    ]
    both = msgspec.structs.replace(made, verifications=tuple(proofs))
    assert filling_bounds(made, 200.0, THRESHOLDS) is not None  # 160 MB
    assert filling_bounds(both, 400.0, THRESHOLDS) is None  # 320 MB
