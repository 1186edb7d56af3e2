"""Weigh the groups of survivors, one after another, by letting each go."""

from __future__ import annotations

import atexit
from typing import AbstractSet, Any, Callable, Dict, List, Optional

from . import release
from .counters import Counters
from .groups import Group
from .holders import children

Fact = Dict[str, Any]

CPU_S, WALL_S = 6.0, 15.0
MOST_RELEASED, MOST_TRIED = 6, 40


class Weighing:
    """Lets groups go and reads both heaps around that; destroys the measured program.

    `first` are the ids of what was born in the first window, `exits` how many callbacks `atexit`
    held before it.
    """

    def __init__(
        self,
        counters: Counters,
        settle: Callable[[], None],
        first: AbstractSet[int],
        exits: int,
    ) -> None:
        self._scales = release.Scales(counters, settle, CPU_S, WALL_S)
        self._settle, self._first, self._exits = settle, first, exits

    def of_groups(self, groups: List[Group], native_each: float) -> List[List[Any]]:
        """Return [[position, {"python", "malloc", "heads", "steps"}]] of those that could go."""
        found: List[List[Any]] = []
        for number, group in enumerate(groups[:MOST_RELEASED]):
            if self._scales.out_of_time():
                break
            fact = self._of_group(group, native_each)
            if fact is not None:
                found.append([number, fact])
        return found

    def _of_group(self, group: Group, native_each: float) -> Optional[Fact]:
        if group.holder is None:
            return self._of_exit_callbacks(group)
        holder, ids, scales = group.holder.thing, set(group.all_heads), self._scales
        count = len([None for thing in children(holder) if id(thing) in ids])
        if not count:
            return None
        steps: List[release.Step] = []
        python, malloc = scales.python, scales.malloc
        if native_each >= release.LEAST_NATIVE_BYTES:
            order = [key for key in group.all_heads if key in self._first]
            steps = release.walk_down(order[-MOST_TRIED:], _finder(holder), scales, native_each)
        if scales.freed_by(holder, ids) is None:
            return None
        return {
            "python": scales.python - python,
            "malloc": scales.malloc - malloc,
            "heads": count,
            "steps": steps,
        }

    def _of_exit_callbacks(self, group: Group) -> Optional[Fact]:
        """Prove that `atexit` holds a group: its callbacks grew, and clearing them frees it."""
        count = exit_callbacks() - self._exits
        if count <= 0 or not hasattr(atexit, "_clear"):
            return None
        before = self._scales.read()
        atexit._clear()
        self._settle()
        after = self._scales.read()
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


def _finder(holder: Any) -> release.Find:
    """Return a function that gives a living object below a holder by its id."""

    def find(key: int) -> Any:
        for thing in children(holder):
            if id(thing) == key:
                return thing
        return None

    return find


def exit_callbacks() -> int:
    """Return how many callbacks `atexit` holds; 0 where it does not say."""
    count = getattr(atexit, "_ncallbacks", None)
    return count() if count is not None else 0
