"""Old objects that refer to new ones: who holds a survivor, and whether that holder grew."""

from __future__ import annotations

import collections
import gc
import types
from typing import Any, List, Optional, Set
from weakref import ReferenceType

from . import labels
from .references import referents_of

GROWN = 0.2
"""A holder that gained fewer entries than this share of what is new in it only replaced them. Not
1: a container may lose old entries while it gains new ones."""

REFERENCES = (type(None), types.FrameType, types.ModuleType, type)


class Holder:
    """An old object that refers to new ones, and how many entries it had before and has now."""

    __slots__ = ("thing", "new", "before", "after", "size_before", "frame_label", "full", "weak")

    def __init__(
        self, thing: Any, new: List[Any], before: Optional[int], after: Any, size_before: int = 0
    ) -> None:
        self.thing, self.new, self.before = thing, new, before
        self.after: int = after  # None just where `before` is, which is asked first
        self.size_before = size_before
        self.frame_label: Optional[str] = None
        self.full = is_full(thing)
        self.weak = all(labels.is_a(one, ReferenceType) for one in new)

    @property
    def grown(self) -> bool:
        """Say whether it gained about as many entries as there are new ones in it."""
        if self.full:
            return False
        return self.before is None or self.after - self.before >= GROWN * len(self.new)

    @property
    def turn(self) -> int:
        """Return when what it leads to is followed: growing containers first, full ones last.

        What a full cache also happens to hold belongs to whoever gained an entry for it, and what
        the callback of a weak reference holds to whoever holds it besides.
        """
        if self.full or self.weak:
            return 2
        return 0 if self.before is not None and self.grown else 1

    def order(self) -> Any:
        """Return the key by which holders of the same turn come: caches, then the broadest."""
        lru = labels.is_a(self.thing, labels.LRU_WRAPPER)
        return self.turn, not lru, not self.grown, -len(self.new)


def is_full(thing: Any) -> bool:
    """Say whether a cache or a queue holds as much as it declares to hold."""
    if labels.is_a(thing, labels.LRU_WRAPPER):
        information = thing.cache_info()
        return information.maxsize is not None and information.currsize >= information.maxsize
    if labels.is_a(thing, collections.deque):
        return thing.maxlen is not None and len(thing) >= thing.maxlen
    return False


def children(thing: Any) -> List[Any]:
    """Return what a holder refers to, through its `__dict__` too: a look may have made it one."""
    found = referents_of(thing)
    if labels.is_a(thing, REFERENCES) or labels.entry(thing) is not None:
        return found
    namespace = labels.namespace_of(thing)
    known: Set[int] = set(map(id, found))
    if namespace is None or id(namespace) not in known:
        return found
    return found + [value for value in namespace.values() if id(value) not in known]


def namespace_owner(thing: Any) -> Any:
    """Return the instance, class or module whose namespace a dictionary is, or None."""
    if type(thing) is not dict:
        return None
    for referrer in gc.get_referrers(thing):
        if labels.is_a(referrer, type) and referrer.__dict__ == thing:
            return referrer
        if labels.namespace_of(referrer) is thing:
            return referrer
    return None


def is_subclass_list(thing: Any) -> bool:
    """Say whether a dictionary is the `__subclasses__` of a class: weak, and nobody's own."""
    if type(thing) is not dict or not thing:
        return False
    key, value = next(iter(dict.items(thing)))
    return type(key) is int and subclass_of(value) is not None and id(value()) == key


def subclass_of(thing: Any) -> Optional[type]:
    """Return the class that an entry of a `__subclasses__` stands for, else None."""
    if type(thing) is not ReferenceType:
        return None
    target = thing()
    return target if labels.is_a(target, type) else None
