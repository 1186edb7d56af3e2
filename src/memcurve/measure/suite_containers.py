"""Watch old containers that tests fill: what they gain is often not tracked by the collector.

A list of text, or a dictionary from text to numbers, never appears among what the collector calls
new. So the lengths of all containers are read once, and those that grew are watched from then on.
A dictionary of such things only is itself not tracked: it is found below the objects that held one
at the first look, which are asked again at each later one.
"""

import collections
import gc
import types
from collections.abc import Callable, Iterator
from itertools import compress, filterfalse
from typing import Any

from memcurve.measure.worker.census import chunks
from memcurve.measure.worker.interpreter_bugs import collector_referents_of

KINDS: frozenset[type] = frozenset(
    (
        dict,
        list,
        set,
        collections.Counter,
        collections.OrderedDict,
        collections.defaultdict,
        collections.deque,
    )
)
"""Their length is read by no code of the program's."""
MOST_WATCHED = 64
"""Old containers whose lengths are read at each test, once they were seen to grow."""
FEW = 16
"""Objects that are asked together: one in 30 holds such a dictionary, and most sixteens none."""
NO_OWNERS = frozenset(
    (
        types.BuiltinFunctionType,
        types.CellType,
        types.ClassMethodDescriptorType,
        types.FunctionType,
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
        types.MethodDescriptorType,
        types.WrapperDescriptorType,
        property,
    )
)
"""Not asked for dictionaries of text and numbers: half of a heap. A function's own are its
annotations and attributes; its default argument is in a tuple, and that is asked."""


class Containers:
    """The containers that were there at the start, and by how much which test made them grow."""

    def __init__(self) -> None:
        self._lengths: dict[int, int] = {}
        self._owners: frozenset[int] = frozenset()
        self._kinds: frozenset[type] = KINDS
        self._watched: dict[int, Any] = {}
        self._grown: dict[int, dict[str, int]] = {}

    def start(self) -> None:
        """Read all lengths; costs a look at each reference of the heap. Nothing may be frozen."""
        objects = gc.get_objects()
        self._lengths.update((id(one), len(one)) for one in _of_kinds(objects, KINDS))
        owners: list[int] = []
        kinds: set[type] = set(KINDS)
        for owner, below in _owners(objects):
            owners.append(id(owner))
            kinds.add(type(owner))
            self._lengths.update((id(one), len(one)) for one in below)
        self._owners, self._kinds = frozenset(owners), frozenset(kinds)

    def scan(self, test: str, is_private: Callable[[Any], bool]) -> None:
        """Find those that grew since the last scan; costs a look at each object of the heap.

        Nothing may be frozen.
        """
        asked = _of_kinds(gc.get_objects(), self._kinds)
        owners = list(compress(asked, map(self._owners.__contains__, map(id, asked))))
        things = [*_of_kinds(asked, KINDS), *_below(owners)]
        lengths = zip(
            things, map(self._lengths.get, map(id, things)), map(len, things), strict=True
        )
        for thing, before, now in lengths:
            if before is not None and now > before and not is_private(thing):
                self._watch(thing, test, now - before)

    def _watch(self, thing: Any, test: str, grown: int) -> None:
        bounded = type(thing) is collections.deque and thing.maxlen is not None
        known = id(thing) in self._watched or self.is_private(thing)
        if len(self._watched) < MOST_WATCHED and not bounded and not known:
            self._watched[id(thing)] = thing
            self._grown[id(thing)] = {test: grown}
            self._lengths[id(thing)] = len(thing)

    def measure(self, test: str) -> None:
        """Note by how much a test made the watched ones grow: some microseconds."""
        for key, thing in self._watched.items():
            if len(thing) > self._lengths[key]:
                grown = self._grown[key]
                grown[test] = grown.get(test, 0) + len(thing) - self._lengths[key]
                self._lengths[key] = len(thing)

    def found(self) -> list[tuple[Any, dict[str, int]]]:
        """Return (container, {test: entries it added}) of those that grew."""
        return [(thing, self._grown[key]) for key, thing in self._watched.items()]

    def is_private(self, thing: Any) -> bool:
        """Say whether a thing is a container of this look's own."""
        mine = (vars(self), *vars(self).values(), *self._grown.values())
        return any(thing is one for one in mine)

    def private(self) -> set[int]:
        """Return the ids of this look's own containers."""
        mine = (self, vars(self), *vars(self).values(), *self._grown.values())
        return set(map(id, mine))


def _of_kinds(things: list[Any], kinds: frozenset[type]) -> list[Any]:
    return list(compress(things, map(kinds.__contains__, map(type, things))))


def _below(owners: list[Any]) -> Iterator[Any]:
    """Yield the dictionaries that these refer to and the collector does not track."""
    for piece in chunks(owners):
        yield from _untracked(collector_referents_of(*piece))


def _untracked(things: list[Any]) -> Iterator[Any]:
    """Yield those dictionaries at the speed of the interpreter's own loops: there are thousands."""
    return filterfalse(gc.is_tracked, compress(things, map(_IS_DICT, map(type, things))))


_IS_DICT = frozenset((dict,)).__contains__


def _owners(objects: list[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """Yield (object, dictionaries below it that the collector does not track)."""
    asked = [thing for thing in objects if type(thing) not in NO_OWNERS]
    for piece in chunks(asked):
        for start in range(0, len(piece), FEW):
            few = piece[start : start + FEW]
            if any(True for _ in _untracked(collector_referents_of(*few))):
                for thing in few:
                    below = list(_untracked(collector_referents_of(thing)))
                    if type(thing) is dict:  # a namespace: nobody fills these
                        below = [one for one in below if one is not thing.get("__annotations__")]
                    if below:
                        yield thing, below
