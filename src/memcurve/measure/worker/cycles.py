"""Find the reference cycles in what only the cyclic collector frees.

What one call leaves for the collector is kept for a moment (DEBUG_SAVEALL) and taken apart into
strongly connected components (Tarjan 1972, without recursion). An instance and its `__dict__` count
as one member, so that cycles read as a person would write them.
"""

from __future__ import annotations

import collections
import gc
import types
from typing import Any, Collection, Dict, Iterable, Iterator, List, Set, Tuple

from . import bounds, labels
from .references import referents_of

Edges = Dict[int, List[int]]  # ids to ids
MOST_MEMBERS, MOST_DRAWN = 400, 16
"""Members among which the shortest way round is looked for, and that fit in one drawing."""


def collect_saved() -> List[Any]:
    """Collect and return what was unreachable, alive; the caller drops it."""
    flags = gc.get_debug()
    gc.set_debug(flags | gc.DEBUG_SAVEALL)
    try:
        gc.collect()
    finally:
        gc.set_debug(flags)
    found = list(gc.garbage)
    gc.garbage.clear()
    return found


class Garbage:
    """Unreachable objects as a graph; namespaces are folded into their instances."""

    def __init__(self, things: Iterable[Any]) -> None:
        self.things = {id(thing): thing for thing in things}
        self._owner = self._owners()
        self.edges: Edges = {
            key: self._targets(key) for key in self.things if key not in self._owner
        }

    def _owners(self) -> Dict[int, int]:
        """Return {namespace: instance}; a namespace that was only virtual is one from now on."""
        owners = {}
        for key, thing in list(self.things.items()):
            namespace = labels.namespace_of(thing)
            if namespace is not None and namespace is not thing:
                owners[id(namespace)] = key
                self.things[id(namespace)] = namespace
        return owners

    def _targets(self, key: int) -> List[int]:
        targets: Dict[int, None] = {}
        thing = self.things[key]
        namespace = labels.namespace_of(thing)
        for source in (thing, namespace):
            if source is None:
                continue
            for child in referents_of(source):
                target = self._owner.get(id(child), id(child))
                if target in self.things and not (target == key and id(child) != key):
                    targets[target] = None
        return list(targets)

    def reached(self, keys: Iterable[int]) -> Set[int]:
        """Return the ids of what waits with these objects, namespaces included."""
        seen, stack = set(keys), list(keys)
        while stack:
            for target in self.edges[stack.pop()]:
                if target not in seen:
                    seen.add(target)
                    stack.append(target)
        return seen | {name for name, owner in self._owner.items() if owner in seen}

    def components(self) -> List[List[int]]:
        """Return the strongly connected components that are cycles, the largest first."""
        found = [
            part for part in _strong(self.edges) if len(part) > 1 or part[0] in self.edges[part[0]]
        ]
        return sorted(found, key=len, reverse=True)


def _strong(edges: Edges) -> List[List[int]]:
    index: Dict[int, int] = {}
    low: Dict[int, int] = {}
    on_stack: Set[int] = set()
    stack: List[int] = []
    parts: List[List[int]] = []
    for start in edges:
        if start in index:
            continue
        work: List[Tuple[int, Iterator[int]]] = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(edges[target])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    parts.append(_pop_part(node, stack, on_stack))
    return parts


def _pop_part(node: int, stack: List[int], on_stack: Set[int]) -> List[int]:
    part = []
    while True:
        member = stack.pop()
        on_stack.discard(member)
        part.append(member)
        if member == node:
            return part


class Shape:
    """Cycles that read alike: what is told of them, the ids of all members, and each way round."""

    def __init__(self, fact: Dict[str, Any]) -> None:
        self.fact = fact
        self.members: List[int] = []
        self.rings: List[List[int]] = []


def shapes(garbage: Garbage) -> List[Shape]:
    """Return the cycles of a garbage, equal ones together, the largest first."""
    found: Dict[Tuple[str, int], Shape] = {}
    for part in garbage.components():
        ring = _ring(garbage, set(part[:MOST_MEMBERS]))
        fact = _fact(garbage, part, ring)
        shape = found.setdefault((fact["words"], len(part)), Shape(fact))
        shape.fact["count"] += 1
        shape.members.extend(part)
        shape.rings.append(ring)
    return list(found.values())


def describe(things: Collection[Any], calls: int) -> Dict[str, Any]:
    """Return what is unreachable as plain values."""
    return {
        "calls": calls,
        "objects": len(things),
        "bytes": sum(bounds.block_bytes(thing) for thing in things),
        "types": [
            [labels.type_name(kind), count]
            for kind, count in collections.Counter(map(type, things)).most_common(12)
        ],
        "finalizers": _finalizers(things),
    }


def _finalizers(things: Iterable[Any]) -> List[str]:
    kinds = {type(t) for t in things if hasattr(type(t), "__del__")}
    return sorted(labels.type_name(kind) for kind in kinds)


def _fact(garbage: Garbage, part: List[int], ring: List[int]) -> Dict[str, Any]:
    inside = set(part[:MOST_MEMBERS])
    drawn = _drawn(garbage, inside, ring)
    place = {key: number for number, key in enumerate(drawn)}
    edges = [
        [place[key], place[target], _label(garbage, key, target).strip()]
        for key in drawn
        for target in garbage.edges[key]
        if target in place
    ]
    members = [garbage.things[key] for key in part]
    return {
        "count": 0,
        "size": len(part),
        "bytes": sum(bounds.block_bytes(thing) for thing in members),
        "members": [labels.describe(garbage.things[key]) for key in drawn],
        "types": [
            [labels.type_name(kind), count]
            for kind, count in collections.Counter(map(type, members)).most_common(12)
        ],
        "edges": edges,
        "words": _words(garbage, ring),
        "finalizers": _finalizers(members),
    }


def _label(garbage: Garbage, key: int, target: int) -> str:
    return labels.label(garbage.things[key], garbage.things[target])


def _telling(thing: Any) -> int:
    """Say how well an object names a cycle: instances of classes before the interpreter's own.

    A class or a function that the calls made has a name, which a tuple or a cell has not.
    """
    if labels.is_a(thing, (type, types.FunctionType)):
        return 1
    module = getattr(type(thing), "__module__", "builtins")
    if module == "builtins":
        return 0
    name = type(thing).__name__.lower()
    return 4 if name.endswith(("client", "session")) else 2 if module.startswith("_") else 3


def _order(thing: Any) -> Tuple[int, str]:
    return -_telling(thing), labels.type_name(type(thing))


def _ring(garbage: Garbage, inside: Set[int]) -> List[int]:
    """Return the shortest way round through the most telling member."""
    ranked = sorted(inside, key=lambda key: _order(garbage.things[key]))
    best: List[int] = []
    for start in ranked[:8]:
        if best and _telling(garbage.things[start]) < _telling(garbage.things[best[0]]):
            break
        ring = _shortest(garbage.edges, start, inside)
        if ring and (not best or len(ring) < len(best)):
            best = ring
    return best


def _shortest(edges: Edges, start: int, inside: Set[int]) -> List[int]:
    before: Dict[int, int] = {}
    queue = collections.deque([start])
    while queue:
        node = queue.popleft()
        for target in edges[node]:
            if target == start:
                ring = [node]
                while node != start:
                    node = before[node]
                    ring.append(node)
                return ring[::-1]
            if target in inside and target not in before:
                before[target] = node
                queue.append(target)
    return []


def _drawn(garbage: Garbage, inside: Set[int], ring: List[int]) -> List[int]:
    """Return the members to draw: the ring first, then the telling ones."""
    rest = sorted(inside - set(ring), key=lambda key: _order(garbage.things[key]))
    return list(ring) + rest[: max(MOST_DRAWN - len(ring), 0)]


def _words(garbage: Garbage, ring: List[int]) -> str:
    if not ring:
        return ""
    words = [labels.describe(garbage.things[ring[0]])]
    for key, target in zip(ring, ring[1:] + ring[:1]):
        words.append(
            "%s → %s" % (_label(garbage, key, target), labels.describe(garbage.things[target]))
        )
    return "".join(words)
