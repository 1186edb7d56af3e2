"""Know what was there before, so that what is new can be told to the object.

The collector's own list tells new tracked objects exactly, because what is older is frozen. What
the collector does not track (bytes, text, numbers, dictionaries and tuples of these) it never
lists: such objects are found through their holders, and told from older ones by address. The older
ones are kept alive meanwhile, so that no address comes back as another object.
"""

from __future__ import annotations

import array
import collections
import gc
import io
import sys
from typing import Any, Dict, FrozenSet, Iterable, Iterator, List, Set, Tuple

from . import labels

CHUNK = 512
SIZED = (dict, list, set, collections.deque, labels.LRU_WRAPPER)
BUFFERS = (bytearray, array.array, io.BytesIO, io.StringIO)
NESTING = (dict, tuple)


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
        held: Dict[int, Any] = {}
        for piece in chunks(things):
            self._note_untracked(gc.get_referents(*piece), held)
        self._note_nested(held)
        self.held = frozenset(held)
        self._kept = list(held.values())
        self.untracked_dicts = [thing for thing in self._kept if labels.is_a(thing, dict)]
        sized = [t for t in things + self.untracked_dicts if labels.is_a(t, SIZED)]
        self.breadth = {id(thing): breadth(thing) for thing in sized}
        self.sizes = {id(thing): sys.getsizeof(thing) for thing in sized}
        buffers = [thing for thing in things + self._kept if labels.is_a(thing, BUFFERS)]
        self.buffers = {id(thing): thing.__sizeof__() for thing in buffers}

    def _note_untracked(self, referents: Iterable[Any], held: Dict[int, Any]) -> None:
        tracked = self.tracked
        for thing in referents:
            if id(thing) not in tracked:
                held[id(thing)] = thing

    def _note_nested(self, held: Dict[int, Any]) -> None:
        level = [thing for thing in held.values() if labels.is_a(thing, NESTING)]
        while level:
            found: Dict[int, Any] = {}
            for piece in chunks(level):
                self._note_untracked(gc.get_referents(*piece), found)
            new = [thing for key, thing in found.items() if key not in held]
            held.update(found)
            level = [thing for thing in new if labels.is_a(thing, NESTING)]

    def keep(self, things: Iterable[Any]) -> None:
        """Keep untracked new objects alive too, so that their addresses stay theirs."""
        self._kept.extend(things)

    def let_go(self) -> None:
        """Stop keeping anything alive; addresses tell nothing any more."""
        del self._kept[:], self.untracked_dicts[:]

    def grown_buffers(self) -> Iterator[Tuple[Any, int]]:
        """Yield (buffer, bytes grown) for buffers that grew in place."""
        for thing in self._kept + gc.get_objects():
            if not labels.is_a(thing, BUFFERS):
                continue
            before = self.buffers.get(id(thing))
            if before is not None and thing.__sizeof__() > before:
                yield thing, thing.__sizeof__() - before


def breadth(holder: Any) -> int:
    """Return how many different objects a container refers to."""
    return len(set(map(id, gc.get_referents(holder))))


def is_static(thing: Any) -> bool:
    """Say whether the interpreter itself keeps such a value for ever."""
    kind = type(thing)
    if kind is int:
        return bool(-5 <= thing <= 256)
    if kind is str:
        return len(thing) <= 1
    if kind in (bytes, tuple, frozenset):
        return len(thing) == 0 or (kind is bytes and len(thing) == 1)
    return thing is None or thing is True or thing is False or thing is Ellipsis


class Newcomers:
    """Tells what is new since a census; `young` are the ids of new tracked objects."""

    def __init__(self, census: Census, young: FrozenSet[int]) -> None:
        self._census, self.young = census, young

    def __call__(self, thing: Any) -> bool:
        key = id(thing)
        if key in self.young:
            return True
        # what was tracked stays so, once collections have untracked what they can: an untracked
        # object at the address of a tracked one is another one
        if key in self._census.held or gc.is_tracked(thing):
            return False
        return not is_static(thing)

    def edges(self, things: List[Any]) -> Iterator[Tuple[Any, List[Any]]]:
        """Yield (holder, new things it refers to) for those of `things` that have any."""
        held, young = self._census.held, self.young
        for piece in chunks(things):
            referents = gc.get_referents(*piece)
            if not any(
                id(r) in young or (id(r) not in held and not gc.is_tracked(r)) for r in referents
            ):
                continue
            for holder in piece:
                new = [r for r in gc.get_referents(holder) if self(r)]
                if new:
                    yield holder, new
