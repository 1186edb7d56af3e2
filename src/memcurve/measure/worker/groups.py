"""Group survivors: objects of one type below one label of one holder are one group.

Counted is what was born in the first window of calls and is still alive after the second: a cache
that holds fewer entries than a window has calls has dropped them by then.
"""

from __future__ import annotations

import collections
from typing import Any, DefaultDict, Dict, FrozenSet, Iterator, List, Optional, Tuple

from .block_sizes import heaps_of
from .holders import Holder, children
from .survey import Survey

MOST_GROUPS = 24
"""Groups that are told: twice as many as culprits, since some of them prove to be one."""
LEAST_SHARE = 0.002
"""Of all that survives: a fifth of the least share that a culprit is told with."""
INTERNAL = frozenset(  # the tree inside a context: copied at every change, nobody's own object
    ("hamt", "hamt_bitmap_node", "hamt_array_node", "hamt_collision_node")
)


class Group:
    """New objects of one type below one holder; ids only, so that nothing is kept.

    `holders` are all holders of a group that is spread over many; `holder` is the first of them,
    None where nothing was found that holds it. `malloc` is that heap's part of `bytes`.
    """

    def __init__(self, holder: Optional[Holder], kind: type) -> None:
        self.holder, self.kind = holder, kind
        self.holders: List[Holder] = [] if holder is None else [holder]
        self.heads: List[int] = []
        self.all_heads: List[int] = []
        self.types: DefaultDict[type, List[int]] = collections.defaultdict(lambda: [0, 0])
        self.bytes = self.malloc = 0

    def add(self, thing: Any) -> None:
        """Count one object of the first window that hangs below a head."""
        python, malloc = heaps_of(thing)
        entry = self.types[type(thing)]
        entry[0] += 1
        entry[1] += python + malloc
        self.bytes += python + malloc
        self.malloc += malloc

    def absorb(self, other: "Group") -> None:
        """Take in a group whose holder is of the same shape."""
        self.holders += other.holders
        self.heads += other.heads
        self.all_heads += other.all_heads
        self.bytes += other.bytes
        self.malloc += other.malloc
        for kind, (count, size) in other.types.items():
            self.types[kind][0] += count
            self.types[kind][1] += size

    def children(self) -> List[Any]:
        """Return what the holders refer to now."""
        return [thing for holder in self.holders for thing in children(holder.thing)]


class Grouping:
    """The groups of a survey; `first` are the ids of what was born in the first window."""

    def __init__(self, survey: Survey, first: FrozenSet[int]) -> None:
        self.survey, self._first = survey, first
        self._tops: Dict[int, int] = {}

    def groups(self, least_bytes: float) -> Tuple[List[Group], float]:
        """Return the groups of what was born in the first window, the heaviest first.

        And the bytes from which on a group is worth telling: `least_bytes`, or more, where others
        are heavy.
        """
        found: Dict[Tuple[int, type], Group] = {}
        for key, thing in self.survey.things.items():
            group = self._group_of(self._top(key), found)
            if key in self._first:
                group.add(thing)
        for key in set(self._tops.values()):
            group = self._group_of(key, found)
            group.all_heads.append(key)
            if key in self._first:
                group.heads.append(key)
        kept = sorted(self._grown(found), key=lambda group: -group.bytes)
        total = sum(group.bytes for group in kept) or 1
        return kept, max(least_bytes, LEAST_SHARE * total)

    def _grown(self, found: Dict[Tuple[int, type], Group]) -> Iterator[Group]:
        for group in found.values():
            # one object that nothing refers to is not growth: it may be an iterator of our own;
            # but a chain of them is, of which one holds the next
            alone = group.holder is None and group.types[group.kind][0] < 2
            if group.bytes and not alone and not self.replaced(group):
                yield group

    def replaced(self, group: Group) -> bool:
        """Say whether a container only exchanged its entries: then it is full, and cannot grow."""
        if group.holder is None or group.holder.grown:
            return False
        return any(self.survey.parent[key] is None for key in group.heads)

    def _top(self, key: int) -> int:
        """Return the highest object of the same window on the way from `key` to its holder."""
        first, tops = key in self._first, self._tops
        chain: List[int] = []
        while key not in tops:
            chain.append(key)
            above = self.survey.parent[key]
            if above is None or (above in self._first) is not first:
                break
            if type(self.survey.things[above]).__name__ in INTERNAL:
                break
            key = above
        top = tops.get(key, key)
        for link in chain:
            tops[link] = top
        return top

    def _group_of(self, top: int, found: Dict[Tuple[int, type], Group]) -> Group:
        holder, thing = self.survey.holder_of[top], self.survey.things[top]
        key = (id(holder.thing) if holder is not None else 0, type(thing))
        if key not in found:
            found[key] = Group(holder, type(thing))
        return found[key]


def types_of(groups: List[Group]) -> DefaultDict[type, List[int]]:
    """Return {type: [count, bytes]} over all groups."""
    merged: DefaultDict[type, List[int]] = collections.defaultdict(lambda: [0, 0])
    for group in groups:
        for kind, (count, size) in group.types.items():
            merged[kind][0] += count
            merged[kind][1] += size
    return merged


def has_descriptor(kind: type) -> bool:
    """Say whether instances of a class can have a descriptor: sockets, files, processes."""
    return any("fileno" in vars(ancestor) for ancestor in kind.__mro__)
