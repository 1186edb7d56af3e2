"""Which heap an object is in, and how much of it: compared with what the allocators say."""

import array
import collections
import gc
from collections.abc import Callable

import pytest

from memcurve.measure.worker import heap
from memcurve.measure.worker.block_sizes import heaps_of

MANY = 1000


class Slotted:
    __slots__ = ("one", "two")


class Boastful:
    def __sizeof__(self) -> int:
        return 1 << 30


def counted(make: Callable[[], object]) -> tuple[float, float]:
    """Return what one object of many took from each heap, by the allocators' own books."""
    python, malloc = heap.python_source().read, heap.malloc_source().read
    make()
    kept: list[object] = [None] * MANY
    gc.collect()
    before = python(), malloc()
    for place in range(MANY):
        kept[place] = make()
    after = python(), malloc()
    return (after[0] - before[0]) / MANY, (after[1] - before[1]) / MANY


@pytest.mark.parametrize(
    "make",
    [
        Slotted,
        lambda: bytes(300),
        lambda: bytes(3000),
        lambda: "ä" * len(range(700)),
        lambda: [None] * 1000,
        lambda: [None] * 20,
        lambda: dict.fromkeys(range(200)),
        lambda: bytearray(2000),
        lambda: array.array("d", bytes(1600)),
        lambda: tuple(range(90)),
        collections.deque,
    ],
)
def test_the_bytes_of_an_object_are_those_that_each_allocator_gave(
    make: Callable[[], object],
) -> None:
    python, malloc = heaps_of(make())
    took = counted(make)
    assert took[0] == pytest.approx(python, abs=16.5)
    assert took[1] == pytest.approx(malloc, abs=16.5)


def test_what_a_class_says_of_its_own_size_is_not_asked() -> None:
    assert sum(heaps_of(Boastful())) < 200


def test_an_extension_takes_what_it_points_at_from_malloc() -> None:
    numpy = pytest.importorskip("numpy")
    assert heaps_of(numpy.zeros(4))[1] >= 32
    assert heaps_of([None] * 4)[1] == 0
