"""What weighing leaves to the collector, so that asking it often is cheap."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from memcurve.measure.worker.weighing import leave_to_the_collector


class Ring:
    __slots__ = ("__weakref__", "me")

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def thawed() -> Iterator[None]:
    """Give back whatever the test froze."""
    yield
    gc.unfreeze()
    gc.collect()


def test_a_collection_frees_what_was_left_to_it_and_walks_nothing_else(thawed: None) -> None:
    rings = [Ring() for _ in range(20)]
    inside, outside = weakref.ref(rings[0]), weakref.ref(rings[-1])
    leave_to_the_collector({id(ring) for ring in rings[:10]})
    assert len([one for one in gc.get_objects() if isinstance(one, Ring)]) == 10
    assert len(gc.get_objects()) < 100
    rings.clear()
    gc.collect()
    assert inside() is None
    assert outside() is not None


def test_garbage_that_holds_what_is_to_go_is_collected_first(thawed: None) -> None:
    kept = [Ring()]
    watched, holder = weakref.ref(kept[0]), [kept[0]]
    holder.append(holder)  # type: ignore[arg-type]  # a cycle is what is meant
    del holder
    leave_to_the_collector({id(kept[0])})
    kept[0].me = None  # type: ignore[assignment]
    kept.clear()
    assert watched() is None
