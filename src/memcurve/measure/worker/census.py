"""Know what was there before, so that what is new can be told to the object.

The collector's own list tells new tracked objects exactly, because what is older is frozen. What
the collector does not track (bytes, text, numbers, dictionaries and tuples of these) it never
lists: such objects are found through their holders, and their addresses say that they are
new. The older ones are kept alive meanwhile, so that no address comes back as another object.
"""

from __future__ import annotations

import array
import collections
import ctypes
import gc
import io
import sys
from itertools import filterfalse
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Optional, Set, Tuple

from . import labels
from .block_sizes import heaps_of
from .blocks import Blocks
from .pools import Block
from .references import referents_of

CHUNK = 512
TEXT_STATE, INTERNED_BITS = 32, 3
"""Where the state of a text stands in it, and the bits of that which say that it is interned."""
SIZED = (dict, list, set, collections.deque, labels.LRU_WRAPPER)
BUFFERS = (bytearray, array.array, io.BytesIO, io.StringIO)
NESTING = (dict, tuple)


def of_kinds(things: List[Any], wanted: Tuple[type, ...]) -> List[Any]:
    """Return those of these kinds: a heap has a thousand classes and half a million objects."""
    kinds = {kind for kind in set(map(type, things)) if issubclass(kind, wanted)}
    return [thing for thing in things if type(thing) in kinds]


def chunks(things: List[Any]) -> Iterator[List[Any]]:
    """Yield a list in pieces that one call of the collector's functions can take."""
    for start in range(0, len(things), CHUNK):
        yield things[start : start + CHUNK]


class Census:
    """The objects that exist at one moment, and how broad each container is."""

    def __init__(self) -> None:
        self.tracked: FrozenSet[int] = frozenset()
        self.held: FrozenSet[int] = frozenset()
        self.breadth: Dict[int, int] = {}
        self.sizes: Dict[int, int] = {}
        self.buffers: Dict[int, int] = {}
        self.newborn: Optional[Blocks] = None  # blocks that are live now and were not then
        self._kept: List[Any] = []
        self.untracked_dicts: List[Any] = []

    def ignored(self) -> Set[int]:
        """Return the ids of this census's own containers."""
        own = (self, *vars(self).values(), vars(self))
        return {id(thing) for thing in own}

    def take(self) -> None:
        """List everything that can be reached; costs about a microsecond for each object.

        Nothing may be frozen meanwhile.
        """
        things = gc.get_objects()
        self.tracked = frozenset(map(id, things))
        held = self.untracked_below(things)
        self.held = frozenset(held)
        self._kept = list(held.values())
        self.untracked_dicts = of_kinds(self._kept, (dict,))
        sized = of_kinds(things, SIZED) + self.untracked_dicts
        self.breadth = {id(thing): breadth(thing) for thing in sized}
        self.sizes = {id(thing): sys.getsizeof(thing) for thing in sized}
        buffers = of_kinds(things, BUFFERS) + of_kinds(self._kept, BUFFERS)
        self.buffers = {id(thing): thing.__sizeof__() for thing in buffers}

    @staticmethod
    def _untracked(things: List[Any]) -> Dict[int, Any]:
        """Return {id: thing} of what these refer to and the collector does not track."""
        found: Dict[int, Any] = {}
        for piece in chunks(things):
            untracked = list(filterfalse(gc.is_tracked, referents_of(*piece)))
            found.update(zip(map(id, untracked), untracked))
        return found

    @classmethod
    def untracked_below(cls, things: List[Any]) -> Dict[int, Any]:
        """Return {id: thing} of all that these lead to and the collector does not track."""
        held = cls._untracked(things)
        cls._note_nested(held)
        return held

    @classmethod
    def _note_nested(cls, held: Dict[int, Any]) -> None:
        level = of_kinds(list(held.values()), NESTING)
        while level:
            found = cls._untracked(level)
            level = [found[key] for key in found.keys() - held.keys()]
            held.update(found)
            level = of_kinds(level, NESTING)

    def keep(self, things: Iterable[Any]) -> None:
        """Keep untracked new objects alive too, so that their addresses stay theirs."""
        self._kept.extend(things)

    def let_go(self) -> None:
        """Stop keeping anything alive; addresses tell nothing any more."""
        del self._kept[:], self.untracked_dicts[:]

    def grown_buffers(self) -> Iterator[Tuple[Any, int]]:
        """Yield (buffer, bytes grown) for buffers that grew in place."""
        for thing in of_kinds(self._kept + gc.get_objects(), BUFFERS):
            before = self.buffers.get(id(thing))
            if before is not None and thing.__sizeof__() > before:
                yield thing, thing.__sizeof__() - before


def breadth(holder: Any) -> int:
    """Return how many references a container holds, keys and values both."""
    return len(referents_of(holder))


def is_static(thing: Any) -> bool:
    """Say whether the interpreter itself keeps such a value forever."""
    kind = type(thing)
    if kind is int:
        return bool(-5 <= thing <= 256)
    if kind is str:  # what is interned names attributes, and classes have it, unseen, as keys
        return len(thing) <= 1 or is_interned(thing)
    if kind in (bytes, tuple, frozenset):
        return len(thing) == 0 or (kind is bytes and len(thing) == 1)
    return thing is None or thing is True or thing is False or thing is Ellipsis


def is_interned(thing: Any) -> bool:
    """Say whether a text is in the interpreter's table of names; from 3.12.0 on for ever."""
    if type(thing) is not str:
        return False
    state: int = ctypes.c_uint.from_address(id(thing) + TEXT_STATE).value
    return state & INTERNED_BITS != 0


class Newcomers:
    """Tells what is new since a census; `young` are the ids of new tracked objects."""

    def __init__(self, census: Census, young: FrozenSet[int]) -> None:
        self._held, self.young = census.held, young
        self._newborn = census.newborn
        self._names: Dict[int, bool] = {}  # of this look: an address comes back as another text

    def __call__(self, thing: Any) -> bool:
        if id(thing) in self.young:
            return True
        # what was tracked stays so, once collections have untracked what they can: an untracked
        # object at the address of a tracked one is another one
        if gc.is_tracked(thing) or id(thing) in self._held:
            return False
        return not is_static(thing) or self._is_new_name(thing)

    def _is_new_name(self, thing: Any) -> bool:
        """Say whether an interned text is surely one of the calls': its block was not live before.

        A name may first be seen now and be older: names in code have no holder that tells. One that
        came to the place of something that was freed is taken for such.
        """
        if self._newborn is None or not is_interned(thing) or len(thing) <= 1:
            return False
        key = id(thing)
        if key not in self._names:
            size = sum(heaps_of(thing))
            self._names[key] = self._newborn.has(Block(key, size))
        return self._names[key]

    def edges(self, things: List[Any]) -> Iterator[Tuple[Any, List[Any]]]:
        """Yield (holder, new things it refers to) for those of `things` that have any."""
        for piece in chunks(things):
            if self._has_new(referents_of(*piece)):
                for holder in piece:
                    referents = referents_of(holder)
                    if self._has_new(referents):
                        new = [thing for thing in referents if self(thing)]
                        if new:
                            yield holder, new

    def _has_new(self, things: List[Any]) -> bool:
        """Say whether one may be new, at the speed of sets: a heap has millions of references."""
        if not self.young.isdisjoint(map(id, things)):
            return True
        return not self._held.issuperset(map(id, filterfalse(gc.is_tracked, things)))
