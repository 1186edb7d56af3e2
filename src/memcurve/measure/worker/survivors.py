"""Find what calls leave behind, and group it by who holds it.

Two windows of calls follow the warm-up. Counted is what was born in the first and is still alive
after the second: a cache that holds fewer entries than a window has calls has dropped them by then.
Every new object hangs below one old holder, the way to which is the shortest; what nothing refers
to is held outside Python. Objects of one holder, label and type are one group.
"""

from __future__ import annotations

import asyncio
import collections
import gc
import sys
import types
from typing import (
    Any,
    DefaultDict,
    Deque,
    Dict,
    FrozenSet,
    Iterable,
    List,
    Optional,
    Set,
    Tuple,
)

from . import bounds, labels, roots
from .census import Census, Newcomers

Below = Dict[int, List[int]]  # the ids of the children of an id

MOST_GROUPS, MOST_TYPES = 24, 12
LEAST_SHARE = 0.002
GROWN = 0.2  # a holder that gained fewer entries than this share of what is new in it: replaced
DEEPEST_TAIL = 12
TAIL_SHARE = 0.5
HEAP_TYPE = 1 << 9
MOST_IN_USE = 16  # entries of a container of the worker's own that are looked at
INTERNAL = frozenset(  # the tree inside a context: copied at every change, nobody's own object
    ("hamt", "hamt_bitmap_node", "hamt_array_node", "hamt_collision_node")
)


class Holder:
    """An old object that refers to new ones."""

    __slots__ = ("thing", "new", "before", "after", "size_before", "frame_label")

    def __init__(
        self, thing: Any, new: List[Any], before: Optional[int], after: Any, size_before: int = 0
    ) -> None:
        self.thing, self.new, self.before = thing, new, before
        self.after: int = after  # None just where `before` is, which is asked first
        self.size_before = size_before
        self.frame_label: Optional[str] = None

    @property
    def grown(self) -> bool:
        """Say whether it gained about as many entries as there are new ones in it."""
        if _is_full(self.thing):
            return False
        return self.before is None or self.after - self.before >= GROWN * len(self.new)

    def order(self) -> Tuple[bool, bool, bool, int]:
        sized = self.before is not None
        lru = labels.is_a(self.thing, labels.LRU_WRAPPER)
        return not (sized and self.grown), not lru, not self.grown, -len(self.new)


def _is_full(thing: Any) -> bool:
    """Say whether a cache or a queue holds as much as it declares to hold."""
    if labels.is_a(thing, labels.LRU_WRAPPER):
        information = thing.cache_info()
        return information.maxsize is not None and information.currsize >= information.maxsize
    if labels.is_a(thing, collections.deque):
        return thing.maxlen is not None and len(thing) >= thing.maxlen
    return False


class Group:
    """New objects of one type below one label of one holder; ids only, so that nothing is kept."""

    def __init__(self, holder: Optional[Holder], label: str, kind: type) -> None:
        self.holder, self.label, self.kind = holder, label, kind
        self.heads: List[int] = []
        self.all_heads: List[int] = []
        self.types: DefaultDict[type, List[int]] = collections.defaultdict(lambda: [0, 0])
        self.bytes = 0

    def add(self, thing: Any, size: int) -> None:
        entry = self.types[type(thing)]
        entry[0] += 1
        entry[1] += size
        self.bytes += size


class Survey:
    """One look at what is new, taken while nothing is frozen."""

    def __init__(
        self,
        census: Census,
        young_ids: FrozenSet[int],
        first_ids: FrozenSet[int],
        ignored: Set[int],
    ) -> None:
        self._census, self._first = census, first_ids
        self._is_new = Newcomers(census, young_ids)
        self._ignored = ignored
        self.things: Dict[int, Any] = {}
        self.parent: Dict[int, Any] = {}  # an id, None below the holder
        self.holder_of: Dict[int, Optional[Holder]] = {}
        self.holders: List[Holder] = []

    def walk(self) -> None:
        """Reach every new object from its holder, the growing containers first."""
        objects = gc.get_objects()
        old = [o for o in objects if id(o) not in self._is_new.young]
        old.extend(self._census.untracked_dicts)
        ignored = self._ignored | {id(objects), id(old)}
        for thing, new in self._is_new.edges(old):
            if id(thing) not in ignored and not labels.is_ours(thing):
                before = self._census.breadth.get(id(thing))
                after = len(set(map(id, gc.get_referents(thing)))) if before is not None else None
                size = self._census.sizes.get(id(thing), 0)
                self.holders.append(Holder(thing, new, before, after, size))
        self._add_frames()
        self.holders.sort(key=Holder.order)
        queue: Deque[Any] = collections.deque()
        for holder in self.holders:
            keys = self._keys(holder)
            for thing in holder.new:
                self._reach(thing, keys.get(id(thing)), holder, queue)
        self._spread(queue)
        young = [o for o in objects if id(o) in self._is_new.young and not labels.is_ours(o)]
        in_use = _in_use()
        left = [o for o in young if id(o) not in self.things and id(o) not in in_use]
        self._reach_outside(left)

    def _keys(self, holder: Holder) -> Dict[int, int]:
        """Return {id of a new key: id of its new value}: a key belongs to what it leads to."""
        if not labels.is_a(holder.thing, dict):
            return {}
        return {
            id(key): id(value)
            for key, value in list(dict.items(holder.thing))
            if value is not key and self._is_new(key) and self._is_new(value)
        }

    def _add_frames(self) -> None:
        for _, frame in labels.thread_frames():
            if not labels.is_ours(frame):
                for text, value in labels.edges(frame):
                    if text.startswith(" local") and self._is_new(value):
                        holder = Holder(frame, [value], None, None)
                        holder.frame_label = text
                        self.holders.append(holder)

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
            for child in gc.get_referents(thing):
                if self._is_new(child):
                    self._reach(child, id(thing), holder, queue)

    def _reach_outside(self, left: List[Any]) -> None:
        """Reach what nothing refers to, from those that no other such object refers to."""
        wanted = {id(thing) for thing in left}
        pointed: Set[int] = set()
        for thing in left:
            pointed.update(id(child) for child in gc.get_referents(thing) if child is not thing)
        queue: Deque[Any] = collections.deque()
        tops = [thing for thing in left if id(thing) not in pointed]
        for thing in tops + left:
            if id(thing) in wanted:
                self._reach(thing, None, None, queue)
                self._spread(queue)

    def groups(self, least_bytes: float) -> Tuple[List[Group], List[Group]]:
        """Return the groups of what was born in the first window: the heavy ones, and all.

        Those below `least_bytes` in all are left out of the first, and so is what is light beside
        the others.
        """
        found: Dict[Tuple[int, type], Group] = {}
        tops: Dict[int, int] = {}
        for key, thing in self.things.items():
            group = self._group_of(self._top(key, tops), found)
            if key in self._first:
                group.add(thing, bounds.block_bytes(thing))
        for key in set(tops.values()):
            group = self._group_of(key, found)
            group.all_heads.append(key)
            if key in self._first:
                group.heads.append(key)
        # one object that nothing refers to is not growth: it may be an iterator of our own
        kept = [
            group
            for group in found.values()
            if group.bytes and (group.holder or len(group.heads) > 1) and not self.replaced(group)
        ]
        kept.sort(key=lambda group: -group.bytes)
        total = sum(group.bytes for group in kept) or 1
        least = max(least_bytes, LEAST_SHARE * total)
        return [group for group in kept if group.bytes >= least][:MOST_GROUPS], kept

    def replaced(self, group: Group) -> bool:
        """Say whether a container only exchanged its entries: then it is full, and cannot grow."""
        if group.holder is None or group.holder.grown:
            return False
        return any(self.parent[key] is None for key in group.heads)

    def _top(self, key: int, tops: Dict[int, int]) -> int:
        """Return the highest object of the same window on the way from `key` to its holder."""
        first = key in self._first
        chain: List[int] = []
        while key not in tops:
            chain.append(key)
            above = self.parent[key]
            if above is None or (above in self._first) is not first:
                break
            if type(self.things[above]).__name__ in INTERNAL:
                break
            key = above
        top = tops.get(key, key)
        for link in chain:
            tops[link] = top
        return top

    def _group_of(self, top: int, found: Dict[Tuple[int, type], Group]) -> Group:
        holder, thing = self.holder_of[top], self.things[top]
        key = (id(holder.thing) if holder is not None else 0, type(thing))
        if key not in found:
            found[key] = Group(holder, "", type(thing))
        return found[key]

    def subtree(self, heads: Iterable[int]) -> Below:
        """Return {id: [ids]} of the children below `heads`, within the first window's objects."""
        below: Below = collections.defaultdict(list)
        for key, above in self.parent.items():
            if above is not None:
                below[above].append(key)
        return below


def _in_use() -> Set[int]:
    """Return the ids of what the frames of this thread hold: the worker is at work in them."""
    found: Set[int] = set()
    frame: Optional[types.FrameType] = sys._getframe()
    while frame is not None:
        for value in list(frame.f_locals.values()):
            found.add(id(value))
            if type(value) in (dict, list, tuple) and len(value) <= MOST_IN_USE:
                found.update(map(id, gc.get_referents(value)))
        frame = frame.f_back
    return found


def label_of(group: Group, survey: Survey) -> Tuple[Optional[str], Any]:
    """Return the label between a holder and the group's heads, and the namespace's owner."""
    holder = group.holder
    if holder is None:
        return None, None
    if holder.frame_label:
        return holder.frame_label, holder.thing
    owner = namespace_owner(holder.thing, survey)
    general = labels.entry(holder.thing) is not None and owner is None
    found = []
    for key in group.heads[:3]:
        while survey.parent[key] is not None:
            key = survey.parent[key]
        text = labels.label(holder.thing, survey.things[key], general)
        found.append("." + text[2:-2] if owner is not None and text.startswith("['") else text)
    text = found[0] if len(set(found)) == 1 else (".*" if owner is not None else "[*]")
    return text, owner if owner is not None else holder.thing


def namespace_owner(thing: Any, survey: Survey) -> Any:
    """Return the instance, class or module whose namespace a dictionary is, or None."""
    if type(thing) is not dict:
        return None
    for referrer in gc.get_referrers(thing):
        if labels.is_a(referrer, type) and referrer.__dict__ == thing:
            return referrer
        if labels.namespace_of(referrer) is thing:
            return referrer
    return None


def inner_steps(group: Group, survey: Survey) -> Tuple[str, List[str]]:
    """Return the type of the first new object below a holder, and the steps down to the heads."""
    if not group.heads:
        return "", []
    key: Optional[int] = group.heads[len(group.heads) // 2]
    chain: List[Any] = []
    while key is not None:
        chain.append(survey.things[key])
        key = survey.parent[key]
    steps: List[str] = []
    for above, below in zip(chain[::-1], chain[-2::-1]):
        text = "%s: %s" % (labels.label(above, below, general=True), labels.describe(below))
        if text not in steps and type(below).__name__ not in INTERNAL:
            steps.append(text)
    if labels.is_a(chain[0], types.MethodType):
        steps.append(".__self__: %s" % labels.describe(chain[0].__self__))
    return labels.describe(chain[-1]), steps


def tail(group: Group, survey: Survey, below: Below) -> List[str]:
    """Return the steps from a head down to what carries half of its weight, and that type."""
    sizes: Dict[int, int] = {}

    def weigh(top: int) -> int:
        stack = [top]
        order: List[int] = []
        while stack:
            key = stack.pop()
            order.append(key)
            stack.extend(below.get(key, ()))
        for key in reversed(order):
            own = bounds.block_bytes(survey.things[key])
            sizes[key] = own + sum(sizes[child] for child in below.get(key, ()))
        return sizes[top]

    if not group.heads:
        return []
    key = group.heads[len(group.heads) // 2]
    whole = weigh(key)
    steps: List[str] = []
    while len(steps) < DEEPEST_TAIL:
        children = [child for child in below.get(key, ()) if child in sizes]
        heaviest = max(children, key=lambda child: sizes[child], default=None)
        if heaviest is None or sizes[heaviest] < TAIL_SHARE * whole:
            return steps
        thing, child = survey.things[key], survey.things[heaviest]
        steps.append("%s: %s" % (labels.label(thing, child), labels.describe(child)))
        key = heaviest
    return steps


def bound_of(group: Group, owner: Any) -> str:
    """Return the declared bound of what holds a group, as text; "" if it declares none."""
    if group.holder is None:
        return ""
    for thing in (group.holder.thing, owner):
        if thing is None or labels.is_a(thing, (types.ModuleType, type)):
            continue
        for _, name, _, size, bound in bounds._bounded(thing):
            return "%s: %d of %d" % (name, size, bound)
    return ""


def traits(group: Group, survey: Survey, root: roots.Root) -> List[str]:
    """Return words that advice goes by: what kind of thing the heads are."""
    found = []
    things = [survey.things[key] for key in group.heads[:5]]
    if any(labels.is_a(t, BaseException) and t.__traceback__ is not None for t in things):
        found.append("traceback")
    if any(labels.is_a(t, asyncio.Future) for t in things):
        found.append("task")
    if any(labels.is_a(t, types.CoroutineType) for t in things):
        found.append("coroutine")
    if any(labels.is_a(t, (types.FunctionType, types.MethodType)) for t in things):
        found.append("callback")
    if root.kind == "lru_cache" and any(_has_self(thing) for thing in things):
        found.append("method")
    return found


def _has_self(key: Any) -> bool:
    """Say whether a cache's key begins with an instance of a class written in Python."""
    first = key[0] if labels.is_a(key, tuple) and key else None
    return bool(type(first).__flags__ & HEAP_TYPE)


def facts(group: Group, survey: Survey, search: roots.Search, below: Below) -> Dict[str, Any]:
    """Return everything about one group as plain values."""
    label, owner = label_of(group, survey)
    first, inner = inner_steps(group, survey)
    root = _root(group, label, owner, first, search)
    heads = len(group.heads)
    same = group.types[group.kind][0]
    return {
        "type": _kind_of(group, survey, root),
        "objects": heads if heads * 10 >= same else same,
        "bytes": group.bytes,
        "root": root.kind,
        "path": root.steps + inner,
        "tail": tail(group, survey, below),
        "holder": labels.describe(group.holder.thing) if group.holder is not None else "",
        "entries_before": group.holder.before if group.holder is not None else None,
        "entries_after": group.holder.after if group.holder is not None else None,
        "entries_bytes": _entries_bytes(group.holder),
        "bound": bound_of(group, owner),
        "traits": traits(group, survey, root),
        "types": [
            [labels.type_name(kind), count, size]
            for kind, (count, size) in sorted(group.types.items(), key=lambda item: -item[1][1])
        ][:MOST_TYPES],
    }


def _kind_of(group: Group, survey: Survey, root: roots.Root) -> str:
    """Return the name of the heads' type; of a bound method, that of the object it is bound to."""
    things = [survey.things[key] for key in group.heads]
    owners = {type(thing.__self__) for thing in things if labels.is_a(thing, types.MethodType)}
    if root.kind == "lru_cache":
        # a cache's keys are tuples of arguments; the instance among them is what is kept
        keys = [thing for thing in things if labels.is_a(thing, tuple)]
        owners.update(
            type(part)
            for key in keys
            for part in gc.get_referents(key)
            if id(part) in survey.things and type(part).__module__ != "builtins"
        )
    return labels.type_name(owners.pop() if len(owners) == 1 else group.kind)


def _entries_bytes(holder: Optional[Holder]) -> int:
    """Return what the entries that a container gained added to its own size."""
    if holder is None or holder.before is None or holder.after <= holder.before:
        return 0
    size, entries = sys.getsizeof(holder.thing), max(len(gc.get_referents(holder.thing)), 1)
    if labels.is_a(holder.thing, list) and size == holder.size_before:
        return 0  # it was made that long
    return size * (holder.after - holder.before) // entries


def _root(
    group: Group, label: Optional[str], owner: Any, first: str, search: roots.Search
) -> roots.Root:
    """Return the root above a holder, with the step from the holder to the new object below it."""
    if group.holder is None:
        return roots.Root(roots.OUTSIDE, [roots.OUTSIDE])
    above = owner if owner is not None else group.holder.thing
    place = _named_place(above)
    if place is not None:
        kind, name = place
        return roots.Root(kind, ["%s%s: %s" % (name, label, first)])
    root = search.up(above)
    if first.startswith("hamt"):
        return root
    return roots.Root(root.kind, root.steps + ["%s: %s" % (label, first)])


def _named_place(thing: Any) -> Optional[Tuple[str, str]]:
    """Return (kind of root, name) of a holder that is a root itself, else None."""
    if labels.is_a(thing, types.ModuleType):
        name = thing.__name__
        return "logging" if name.partition(".")[0] == "logging" else "module global", name
    if labels.is_a(thing, type):
        return "class attribute", labels.type_name(thing)
    if labels.is_a(thing, types.FrameType):
        return "running frame", labels.describe(thing)
    return None
