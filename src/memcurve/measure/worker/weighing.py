"""Weigh the groups of survivors, one after another, by letting each go."""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys
from typing import AbstractSet, Any, Callable, Dict, List, Optional

from . import release
from .census import is_interned
from .counters import Counters
from .groups import Group
from .holders import children
from .roots import OUTSIDE

Fact = Dict[str, Any]

CPU_S, WALL_S = 4.0, 15.0
"""Seconds after which no further group is let go: CPU, and of the clock on a busy machine. Chosen:
about what the rest of the pass costs where calls are expensive."""
MOST_RELEASED = 6
"""Groups that are let go: they are ranked, and settling around each costs some collections."""
MOST_TRIED = 40
"""Heads of a group that may be used up on the way down; with 200 in a window, 160 stay to weigh."""
LITTLE = 0.3
"""Of a group's own sizes: what frees less when it is let go is held elsewhere too. Not 1: what was
freed may stay in free lists, and a part of it may be shared."""


class Weighing:
    """Lets groups go and reads both heaps around that; destroys the measured program.

    `born` are the ids of what was born in the windows, `exits` how many callbacks `atexit` held
    before them. `is_lost` says of an object whether nothing in Python holds it any more.
    """

    def __init__(
        self,
        counters: Counters,
        settle: Callable[[], None],
        born: AbstractSet[int],
        exits: int,
        is_lost: Callable[[Any], bool],
    ) -> None:
        self._meter = release.ReleaseMeter(counters, settle, CPU_S, WALL_S)
        self._settle, self._born, self._exits = settle, born, exits
        self._is_lost = is_lost

    def of_groups(self, groups: List[Group], native_each: float) -> List[Fact]:
        """Return {"group": position, "python", "malloc", "heads", "steps"} of what could go."""
        found: List[Fact] = []
        for number, group in enumerate(groups[:MOST_RELEASED]):
            if self._meter.out_of_time():
                break
            fact = self._of_group(group, native_each)
            self._settle()  # what the probe kept is not the next group's
            if fact is not None:
                found.append({"group": number, **fact})
        return found

    def _of_group(self, group: Group, native_each: float) -> Optional[Fact]:
        """Let one group go; settling before the next lets go of the last of it."""
        if group.holder is None:
            return self._of_exit_callbacks(group)
        ids, meter = set(group.all_heads), self._meter
        direct = [thing for thing in group.children() if id(thing) in ids]
        if not direct:
            return None
        # one stays alive, to see whether anything else holds it; the newest may be in use elsewhere
        probe = direct.pop(0) if len(direct) > 1 else None
        count = len(direct)
        del direct
        steps: List[release.Step] = []
        before = meter.settled()
        if native_each >= release.LEAST_NATIVE_BYTES:
            heads = [key for key in group.all_heads if key != id(probe)][-MOST_TRIED:]
            steps = release.walk_down(heads, _finder(group), self._born, meter, native_each)
        if meter.freed_by(lambda: _cut_all(group, ids)) is None:
            return None
        after = meter.settled()
        freed = before[0] - after[0], before[1] - after[1]
        fact: Fact = {"python": freed[0], "malloc": freed[1], "heads": count, "steps": steps}
        if (
            probe is not None
            and sum(freed) < LITTLE * group.bytes / max(len(group.heads), 1) * count
        ):
            nobodys = object()
            # a name is in the interpreter's table, from 3.12 on for ever: the holder is no less one
            alive = sys.getrefcount(probe) > sys.getrefcount(nobodys) and not is_interned(probe)
            if alive and self._is_lost(probe):
                fact.update(python=0, malloc=0, heads=0, steps=[], root=OUTSIDE)
        return fact

    def _of_exit_callbacks(self, group: Group) -> Optional[Fact]:
        """Prove that `atexit` holds a group: its callbacks grew, and clearing them frees it."""
        count = exit_callbacks() - self._exits
        if count < len(group.heads) or not hasattr(atexit, "_clear"):
            return None  # fewer callbacks than objects: they cannot hold one each
        self._settle()
        before = self._meter.read()
        atexit._clear()
        self._settle()
        after = self._meter.read()
        freed = before[0] - after[0], before[1] - after[1]
        if sum(freed) < 0.5 * group.bytes:
            return None
        return {
            "python": freed[0],
            "malloc": freed[1],
            "heads": count,
            "steps": [],
            "root": "atexit",
        }


def _cut_all(group: Group, ids: AbstractSet[int]) -> bool:
    """Let every holder of a group go of it; say whether each could."""
    done = [release.cut(holder.thing, ids) for holder in group.holders]
    return all(done)


def _finder(group: Group) -> release.Find:
    """Return a function that gives a living object below a group's holders by its id."""

    def find(key: int) -> Any:
        for holder in group.holders:
            for thing in children(holder.thing):
                if id(thing) == key:
                    return thing
        return None

    return find


def exit_callbacks() -> int:
    """Return how many callbacks `atexit` holds; 0 where it does not say."""
    count = getattr(atexit, "_ncallbacks", None)
    return count() if count is not None else 0


def leave_to_the_collector(born: AbstractSet[int]) -> None:
    """Freeze all but the objects with these ids: then a collection costs what they cost.

    An object that is tracked again counts as one that was just made, whatever was frozen before.
    """
    try:
        untrack = ctypes.pythonapi.PyObject_GC_UnTrack
        track = ctypes.pythonapi.PyObject_GC_Track
    except AttributeError:
        return
    untrack.argtypes = track.argtypes = [ctypes.py_object]
    untrack.restype = track.restype = None
    gc.collect()  # of what looked for them: frozen garbage would hold them forever
    things = [thing for thing in gc.get_objects() if id(thing) in born]
    gc.freeze()
    for thing in things:
        untrack(thing)
        track(thing)
