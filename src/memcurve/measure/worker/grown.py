"""Find what is longer after the calls than before: buffers in place, and what is replaced.

A text that grows by `+=` is another object at each call, an array that is appended to as well. No
object of such a growth outlives two calls, so no survivor shows it. But its place stays: an old
holder, and the steps from there down. The heaviest new objects at the end of the first window are
noted by place; what stands at the same place at the end of the second, is another object and is
larger, has grown there. Objects in one list or set share a place: they count together, and only as
long as they are as many.
"""

from __future__ import annotations

import gc
import heapq
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from . import labels, roots
from .block_sizes import heaps_of
from .census import Census
from .references import referents_of
from .survey import Survey

MOST_PLACES = 48
"""New objects that are looked at, the heaviest: each costs a look at every entry of its holders."""
DEEPEST = 8
"""Steps below an old holder: a frame of pandas keeps its values four below."""

Fact = Dict[str, Any]
Place = Tuple[int, Tuple[str, ...]]  # of the old holder, and the steps down from it


class Standing(NamedTuple):
    """What stands at a place: how many objects, their bytes, and one of them by its address."""

    objects: int
    bytes: int
    address: int
    tracked: bool


class Places:
    """Where the heaviest of what is new stands. Holds numbers and texts, and no object."""

    def __init__(self, survey: Survey) -> None:
        self.standing: Dict[Place, Standing] = {}
        # no table by address: a hash of one is the address, and who has it is searched for later
        sizes = ((sum(heaps_of(thing)), key) for key, thing in survey.things.items())
        for weight, key in heapq.nlargest(MOST_PLACES, sizes):
            place = _place_of(key, survey)
            if place is not None:
                had = self.standing.get(place)
                objects, size = (had.objects, had.bytes) if had is not None else (0, 0)
                tracked = gc.is_tracked(survey.things[key])
                self.standing[place] = Standing(objects + 1, size + weight, key, tracked)

    def grown_since(self, before: Places) -> Iterator[Tuple[Standing, int]]:
        """Yield what stands where something smaller stood, and by how many bytes it is larger.

        What the collector tracks and has the same address is the same object: its entries tell it.
        A text may have been lengthened where it was.
        """
        for place, now in self.standing.items():
            then = before.standing.get(place)
            if then is None or then.objects != now.objects:
                continue
            same = now.address == then.address and now.tracked
            if now.bytes > then.bytes and not same:
                yield now, now.bytes - then.bytes


def _place_of(key: int, survey: Survey) -> Optional[Place]:
    """Return the place of a new object; None for one that nothing holds, or that is deep down."""
    holder = survey.holder_of[key]
    if holder is None:
        return None
    chain: List[Any] = []
    above: Optional[int] = key
    while above is not None:
        if len(chain) == DEEPEST:
            return None
        chain.append(survey.things[above])
        above = survey.parent[above]
    first = holder.frame_label or _step(holder.thing, chain[-1])
    steps = (_step(upper, lower) for upper, lower in zip(chain[::-1], chain[-2::-1]))
    return id(holder.thing), (first, *steps)


def _step(upper: Any, lower: Any) -> str:
    """Return where an object stands in another one.

    Not its label: to look for one gives an instance a `__dict__`, which would then be its holder.
    """
    if labels.is_a(upper, dict):
        return labels.label(upper, lower)
    at = (number for number, one in enumerate(referents_of(upper)) if one is lower)
    return labels.entry(upper) or str(next(at, ""))


def in_place(census: Census, calls: int, search: roots.Search) -> List[Fact]:
    """Return the buffers that grew by a byte a call or more, with nothing new in them."""
    return [
        _fact(thing, grown, thing.__sizeof__(), search)
        for thing, grown in census.grown_buffers()
        if grown >= calls
    ]


def replaced(
    before: Places, survey: Survey, window: int, calls: int, search: roots.Search
) -> List[Fact]:
    """Return what took the place of something shorter, by a byte a call or more.

    `window` are the calls since `before`; told is the growth of all `calls`, as of a buffer.
    """
    return [
        {**_fact(thing, grown * calls // window, now.bytes, search), "replaced": True}
        for now, grown in Places(survey).grown_since(before)
        for thing in [survey.things[now.address]]
        if grown >= window > 0
    ]


def _fact(thing: Any, grown: int, size: int, search: roots.Search) -> Fact:
    root, kind = search.up(thing), labels.type_name(type(thing))
    return {"type": kind, "grown": grown, "root": root.kind, "path": root.steps, "size": size}
