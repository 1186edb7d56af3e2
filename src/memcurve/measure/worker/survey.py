"""Reach every new object from an old one that holds it, the shortest way.

Every new object hangs below one old holder; what nothing refers to is held outside Python. The way
follows growing containers first and full ones last.
"""

from __future__ import annotations

import collections
import sys
import types
from typing import Any, Deque, Dict, FrozenSet, List, Optional, Set

from . import labels
from .census import Census, Newcomers, breadth
from .holders import Holder, is_full, is_subclass_list, subclass_of
from .references import referents_of

MOST_IN_USE = 16  # entries of a container of the worker's own that are looked at: it keeps few


class Survey:
    """One look at what is new, taken while nothing is frozen.

    `objects` are all tracked ones, listed before this look began: nothing else can be a holder.
    `young` are the ids of the new ones among them.
    """

    def __init__(
        self,
        census: Census,
        objects: List[Any],
        young: FrozenSet[int],
        ignored: Set[int],
    ) -> None:
        self._census, self._objects, self._ignored = census, objects, ignored
        self._is_new = Newcomers(census, young)
        self.things: Dict[int, Any] = {}
        self.parent: Dict[int, Optional[int]] = {}  # None below the holder
        self.holder_of: Dict[int, Optional[Holder]] = {}
        self.holders: List[Holder] = []

    def walk(self) -> None:
        """Reach every new object from its holder; costs one look at each reference of the heap."""
        young, passed_by = self._is_new.young, self._is_new.young | self._ignored
        old = [thing for thing in self._objects if id(thing) not in passed_by]
        old.extend(self._census.untracked_dicts)
        self._add_holders(old)
        self._add_frames()
        self.holders.sort(key=Holder.order)
        for turn in range(3):
            queue: Deque[Any] = collections.deque()
            for holder in self.holders:
                if holder.turn == turn:
                    self._enter(holder, queue)
            self._spread(queue)
        left = [o for o in self._objects if id(o) in young and id(o) not in self.things]
        in_use = _in_use() | _held_by_ours(left)
        self._reach_subclasses(left)
        self._reach_outside([o for o in left if id(o) not in in_use])

    def _add_holders(self, old: List[Any]) -> None:
        inside = _inside_full_caches(old)
        for thing, new in self._is_new.edges(old):
            if labels.is_ours(thing) or is_subclass_list(thing):
                continue
            before = self._census.breadth.get(id(thing))
            after = breadth(thing) if before is not None else None
            size = self._census.sizes.get(id(thing), 0)
            holder = Holder(thing, new, before, after, size)
            holder.full = holder.full or id(thing) in inside
            self.holders.append(holder)

    def _add_frames(self) -> None:
        for _, frame in labels.thread_frames():
            if not labels.is_ours(frame):
                for text, value in labels.edges(frame):
                    if text.startswith(" local") and self._is_new(value):
                        holder = Holder(frame, [value], None, None)
                        holder.frame_label = text
                        self.holders.append(holder)

    def _enter(self, holder: Holder, queue: Deque[Any]) -> None:
        keys = self._keys(holder)
        for thing in holder.new:
            self._reach(thing, keys.get(id(thing)), holder, queue)

    def _keys(self, holder: Holder) -> Dict[int, int]:
        """Return {id of a new key: id of its new value}: a key belongs to what it leads to."""
        if not labels.is_a(holder.thing, dict):
            return {}
        return {
            id(key): id(value)
            for key, value in list(dict.items(holder.thing))
            if value is not key and self._is_new(key) and self._is_new(value)
        }

    def _reach(
        self, thing: Any, parent: Optional[int], holder: Optional[Holder], queue: Deque[Any]
    ) -> None:
        if id(thing) not in self.things:
            self.things[id(thing)] = thing
            self.parent[id(thing)] = parent
            self.holder_of[id(thing)] = holder
            queue.append(thing)

    def _spread(self, queue: Deque[Any]) -> None:
        while queue:
            thing = queue.popleft()
            if labels.is_a(thing, types.FrameType) and labels.is_ours(thing):
                continue
            holder = self.holder_of[id(thing)]
            for child in referents_of(thing):
                if self._is_new(child):
                    self._reach(child, id(thing), holder, queue)

    def _reach_subclasses(self, left: List[Any]) -> None:
        """Let the entry of a new class in its base's `__subclasses__` belong to that class."""
        queue: Deque[Any] = collections.deque()
        for thing in left:
            target = subclass_of(thing)
            if target is not None and id(target) in self.things:
                self._reach(thing, id(target), self.holder_of[id(target)], queue)

    def _reach_outside(self, left: List[Any]) -> None:
        """Reach what nothing refers to, from those that no other such object refers to."""
        wanted = {id(thing) for thing in left if id(thing) not in self.things}
        pointed: Set[int] = set()
        for thing in left:
            pointed.update(id(child) for child in referents_of(thing) if child is not thing)
        queue: Deque[Any] = collections.deque()
        tops = [thing for thing in left if id(thing) not in pointed]
        for thing in tops + left:
            if id(thing) in wanted:
                self._reach(thing, None, None, queue)
                self._spread(queue)

    def own_ids(self) -> Set[int]:
        """Return the ids of what this survey itself made."""
        own = (self, self.__dict__, self.things, self.parent, self.holder_of, self.holders)
        return {id(thing) for thing in own} | {id(holder) for holder in self.holders}

    def forget(self) -> None:
        """Let go of everything found, but for who the holders are."""
        self.things.clear()
        self._objects = []
        for holder in self.holders:
            del holder.new[:]


def _inside_full_caches(things: List[Any]) -> Set[int]:
    """Return the ids of the dictionaries in which full caches keep their entries."""
    caches = [t for t in things if type(t) is labels.LRU_WRAPPER and is_full(t)]
    return {id(child) for child in referents_of(*caches) if type(child) is dict}


def _held_by_ours(left: List[Any]) -> Set[int]:
    """Return the ids of those among `left` that only objects of the worker lead to."""
    wanted = frozenset(map(id, left))
    found = {id(thing) for thing in left if labels.is_ours(thing)}
    queue = [thing for thing in left if id(thing) in found]
    while queue:
        for child in referents_of(queue.pop()):
            if id(child) in wanted and id(child) not in found:
                found.add(id(child))
                queue.append(child)
    return found


def _in_use() -> Set[int]:
    """Return the ids of what the frames of this thread hold: the worker is at work in them."""
    found: Set[int] = set()
    frame: Optional[types.FrameType] = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            found.add(id(value))
            if type(value) in (dict, list, tuple) and len(value) <= MOST_IN_USE:
                found.update(map(id, referents_of(value)))
        frame = frame.f_back
    return found
