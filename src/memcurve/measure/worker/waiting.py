"""Weigh what waits for the collector because of each cycle.

A small cycle may keep a large client waiting that is in no cycle itself. So each is let go with all
that it leads to, the one that leads to most first, and both heaps are read around that. What
several cycles lead to counts for the first of them.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, List, Set, Tuple

from . import bounds, labels
from .cycles import Garbage, Shape

MOST_CYCLES, MOST_REACHED, MOST_NAMES = 12, 60, 3
"""Shapes that are weighed, by letting each go; shapes that are ranked before, by what they lead to;
and names that are told of one: a sentence holds three."""
# endings of names that a person recognises, the outermost kind first
KNOWN = ("client", "session", "engine", "pool", "context", "connection", "transport")


def weighed(
    garbage: Garbage, shapes: List[Shape], live_bytes: Callable[[], int], settle: Callable[[], Any]
) -> List[Dict[str, Any]]:
    """Return the facts of the cycles that keep most waiting, the heaviest first.

    Lets the garbage go. Each fact gains "held": objects, bytes and names of what all the cycles of
    its shape together keep waiting, themselves included. `settle` collects, once or twice a shape.
    """
    ranked = sorted(_reaching(garbage, shapes), key=lambda pair: -pair[0])[:MOST_CYCLES]
    for _, shape in ranked:
        ids = garbage.reached(shape.members) & garbage.things.keys()
        names = _names(garbage.things[key] for key in ids.difference(shape.members))
        freed = _freed(garbage, ids, live_bytes, settle) if ids else 0
        shape.fact["held"] = {"objects": len(ids), "bytes": freed, "names": names}
    return sorted((shape.fact for _, shape in ranked), key=lambda fact: -fact["held"]["bytes"])


def _reaching(garbage: Garbage, shapes: List[Shape]) -> List[Tuple[int, Shape]]:
    """Return (bytes of the objects that cycles of a shape lead to, shape) by their own sizes."""
    sizes = {key: bounds.block_bytes(thing) for key, thing in garbage.things.items()}
    return [
        (sum(sizes[key] for key in garbage.reached(shape.members)), shape)
        for shape in shapes[:MOST_REACHED]
    ]


def _freed(
    garbage: Garbage, ids: Set[int], live_bytes: Callable[[], int], settle: Callable[[], Any]
) -> int:
    before = live_bytes()
    for key in ids:
        del garbage.things[key]
    settle()
    return max(before - live_bytes(), 0)


def _names(things: Iterable[Any]) -> List[str]:
    """Return the types of a few things that a person recognises by the ends of their names."""
    found: Dict[str, int] = {}
    for thing in things:
        kind = type(thing)
        name = kind.__name__.lower()
        for rank, ending in enumerate(KNOWN):
            if name.endswith(ending):
                found[labels.type_name(kind)] = rank
    return sorted(found, key=lambda name: (found[name], name))[:MOST_NAMES]
