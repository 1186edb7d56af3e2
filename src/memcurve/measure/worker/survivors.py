"""Tell what calls leave behind, who holds it, and what it weighs: the stages of a look.

A look ends a pass: from the mark on its calls write no rows, and at the end it takes the measured
program apart. A pass of its own (kind "survivors") is one look; where calls are slow, the pass that
counted them ends with it.

cycles    what one call leaves to the collector, taken apart
cycle_lines    another call or two under tracemalloc, for the lines that make those cycles
mark      note everything that is there; a first window of calls follows
middle    what was born in it is a candidate; a second window follows
survivors group the candidates that are alive, and find their roots
drawings  draw who refers to the heaviest, where that is wanted
sites     a few calls more under tracemalloc, for the lines that make them
release   let the groups go: what that frees is what they weigh
"""

from __future__ import annotations

import gc
from typing import Any, Awaitable, Callable, Dict, FrozenSet, List, Optional, Set

from . import (
    backrefs,
    census,
    cycle_lines,
    cycles,
    descriptors,
    grown,
    labels,
    pools,
    roots,
    sites,
    spread,
    untracked,
    waiting,
)
from .counters import Counters
from .facts import facts
from .groups import MOST_GROUPS, Group, Grouping, has_descriptor, types_of
from .loop import CallLoop, drive
from .settle import Settler
from .survey import Survey
from .weighing import Weighing, exit_callbacks, leave_to_the_collector

Fact = Dict[str, Any]

MOST_COLLECTIONS = 6
"""Collections after a cut: a client, its pool, its connections and their transports fall one after
the other, and the loop has to turn in between."""
SITE_CALLS = 3
"""Traced calls between two looks at whether the lines are known: most leaks need one call."""
ENOUGH_SITES = 3
"""Groups whose lines end the tracing: they are ranked by weight."""
MOST_TRACED = 8
"""Groups whose lines are looked for."""
MOST_TYPES = 40
"""Types that are told of all survivors: a screen full."""


class Survivors:
    """What calls leave behind: cycles, survivors, their holders, roots and weights.

    `named` are the objects that a retention path may end at although only the worker holds them.
    With `samples`, the beginning of a text or of bytes that stay is told.
    """

    def __init__(
        self,
        loop: CallLoop,
        counters: Counters,
        settler: Settler,
        runner: Callable[[Awaitable[Any]], Any],
        named: Dict[int, str],
        *,
        samples: bool = True,
    ) -> None:
        self._loop, self._counters, self._settler = loop, counters, settler
        self._runner, self._named = runner, named
        self._census: census.Census = None  # type: ignore[assignment]  # until the mark
        self._first: FrozenSet[int] = frozenset()
        self._first_tracked: FrozenSet[int] = frozenset()
        self._born: FrozenSet[int] = frozenset()
        self._marks: Fact = {}
        self._places: Optional[grown.Places] = None
        self._groups: List[Group] = []
        self._samples = samples
        self._untracked: Optional[untracked.Untracked] = None

    def stage_cycles(self, calls: int) -> Fact:
        """Take apart what the last `calls` calls, run unsettled, left for the collector."""
        self._settle()
        self._run_unsampled(calls)
        drive(self._settler.turns(), self._runner)
        before = gc.get_stats()[2].get("uncollectable", 0)
        found = cycles.collect_saved()
        answer = cycles.describe(found, calls)
        garbage = cycles.Garbage(found)
        found.clear()  # from here on the garbage alone holds them
        shapes = cycles.shapes(garbage)
        answer["cycles"] = waiting.weighed(garbage, shapes, self._counters.live_bytes, self._quiet)
        del garbage
        answer["uncollectable"] = gc.get_stats()[2].get("uncollectable", 0) - before
        self._settle()
        answer["call"] = self._loop.calls
        return answer

    def stage_cycle_lines(self, calls: int) -> Fact:
        """Run a traced call, or up to so many, and see where the cycles that it leaves are made.

        The free lists are emptied before each: what comes from one was allocated long ago.
        """
        found = cycle_lines.CycleLines()
        with sites.Tracing() as tracing:
            for _ in range(calls):
                gc.collect()
                self._run_unsampled(1)
                drive(self._settler.turns(), self._runner)
                found.look(cycles.collect_saved())
                if found.complete:
                    break
                tracing.spare()
        self._settle()
        return {"lines": found.facts(), "call": self._loop.calls}

    def stage_mark(self, blocks: bool = False) -> Fact:
        """Note everything that is there: survivors are what is born from here on.

        With `blocks`, also of what the collector does not track, as far as that can be read.
        """
        self._settle()
        gc.unfreeze()
        gc.collect()
        self._census = census.Census()
        self._census.take()
        self._marks = {
            "call": self._loop.calls,
            "descriptors": descriptors.open_ones(),
            "atexit": exit_callbacks(),
        }
        gc.freeze()
        self._loop.writing = False  # what is noted is in the heaps: rows would count it
        self._loop.freezing = False  # a frozen survivor would not be listed among what is new
        answer = {"call": self._loop.calls, "objects": len(self._census.tracked)}
        if blocks and pools.usable():
            self._untracked = untracked.Untracked()
        return answer

    def stage_middle(self) -> Fact:
        """End the first window: what was born in it and is alive now is a candidate."""
        self._settle()
        if self._untracked is not None:
            self._census.newborn = self._untracked.middle()
        young = frozenset(map(id, gc.get_objects()))
        gc.unfreeze()
        objects = gc.get_objects()
        survey = Survey(self._census, objects, young, self._ignored() | {id(young), id(objects)})
        survey.walk()
        self._first_tracked = young
        self._first = frozenset(survey.things)
        self._census.keep([t for t in survey.things.values() if not gc.is_tracked(t)])
        self._places = grown.Places(survey)
        del survey, objects
        self._marks["middle"] = self._loop.calls
        gc.freeze()
        return {"call": self._loop.calls, "objects": len(self._first)}

    def stage_survivors(self, least_per_call: float = 0.0, least_lost: float = 0.0) -> Fact:
        """Group what was born in the first window and is still alive."""
        drive(self._settler.patient(), self._runner)
        second = frozenset(map(id, gc.get_objects()))
        gc.unfreeze()
        gc.collect()
        # what this survey makes may come to the address of something that died
        objects = gc.get_objects()
        window = self._marks["middle"] - self._marks["call"]
        if self._untracked is not None:
            self._census.newborn = self._untracked.survivors(objects, least_lost * window)
        alive = frozenset(map(id, objects))
        young = ((self._first_tracked - second) | second) & alive
        first = self._first - second
        ignored = self._ignored() | {id(own) for own in (second, first, young, objects, alive)}
        survey = Survey(self._census, objects, young, ignored)
        survey.walk()
        every, least = Grouping(survey, first).groups(least_per_call * window)
        ignored |= survey.own_ids()
        kept = [
            group for group in spread.merged(every, least, alive - ignored) if group.bytes >= least
        ]
        kept = sorted(kept, key=lambda group: -group.bytes)[:MOST_GROUPS]
        search = roots.Search(self._named, ignored, alive, self._census.untracked_dicts)
        answer = {
            "call": self._loop.calls,
            "calls": window,
            "calls_since_mark": self._calls(),
            "groups": [facts(group, survey, search, samples=self._samples) for group in kept],
            "types": _types(every),
            "grown": self._grown(survey, search),
            "descriptors": descriptors.opened_since(self._marks["descriptors"]),
            "files": any(map(has_descriptor, types_of(every))),
        }
        self._places = None
        self._groups, self._born = kept, frozenset(survey.things)
        for group in kept:
            group.types.clear()  # of classes that the calls made, and that must be free to go
        survey.forget()
        self._census.newborn = None
        return answer

    def stage_drawings(self, groups: int) -> Fact:
        """Draw who refers to a survivor of each of the heaviest groups; none where that fails."""
        alive = frozenset(map(id, gc.get_objects()))
        ignored = self._ignored() | {id(alive)}
        found = [self._drawn(group, ignored, alive) for group in self._groups[:groups]]
        return {"drawings": found}

    def _drawn(self, group: Group, ignored: Set[int], alive: FrozenSet[int]) -> Optional[str]:
        if group.holder is None:
            return None
        heads = set(group.heads)
        for thing in group.children():
            if id(thing) in heads:
                return backrefs.drawn(thing, ignored, alive)
        return None

    def stage_sites(self, calls: int) -> Fact:
        """Run more calls under tracemalloc, and see where each group's newest heads are made.

        The free lists are emptied before each call: what comes from one was allocated long ago.
        """
        self._census.let_go()
        groups = self._groups[:MOST_TRACED]
        before = [frozenset(map(id, group.children())) for group in groups]
        gc.freeze()
        if self._untracked is not None:
            self._untracked.begin_tracing()
        with sites.Tracing() as tracing:
            found: List[Dict[str, sites.Frames]] = [{} for _ in groups]
            while calls > 0 and not (self._lines_known() and all(found[:ENOUGH_SITES])):
                for _ in range(min(calls, SITE_CALLS)):
                    gc.collect()
                    self._run_unsampled(1)
                calls -= SITE_CALLS
                drive(self._settler.turns(), self._runner)
                looks = [sites.of_group(g, b) for g, b in zip(groups, before)]
                found = [{**old, **new} for old, new in zip(found, looks)]
                if self._untracked is not None:
                    self._untracked.look()
                tracing.spare()
        gc.unfreeze()
        return {"sites": found}

    def _lines_known(self) -> bool:
        return self._untracked is None or self._untracked.lines_known

    def stage_release(self, native_each: float) -> Fact:
        """Let the groups go, one after another, and weigh what that frees.

        What outlives that, untracked and with no holder, is told.
        """
        leave_to_the_collector(self._born)  # it is asked some dozen times
        weighing = Weighing(
            self._counters, self._quiet, self._born, self._marks["atexit"], self._is_lost
        )
        released = weighing.of_groups(self._groups, native_each)
        del weighing
        # tables of the addresses that are searched for next
        self._born = self._first = self._first_tracked = frozenset()
        self._census = census.Census()
        if self._untracked is None:
            return {"released": released}
        return {
            "released": released,
            "lost": self._untracked.facts(self._samples),
            "outside": self._outside(self._untracked),
        }

    def _outside(self, blocks: untracked.Untracked) -> List[Fact]:
        """Return of each group that nothing holds how many outlived the cuts, and who has them."""
        gc.unfreeze()
        found: List[Fact] = []
        for number, group in enumerate(self._groups):
            if group.holder is None and number < MOST_TRACED:
                alive = _alive(group)
                fact: Fact = {"group": number, "alive": len(alive), "heads": len(group.heads)}
                found.append({**fact, **(blocks.tracked(alive) if alive else {})})
        return found

    def _grown(self, survey: Survey, search: roots.Search) -> List[Fact]:
        """Return what is longer than before in the same place, in place or replaced."""
        facts = grown.in_place(self._census, self._calls(), search)
        if self._places is not None:
            second = self._loop.calls - self._marks["middle"]
            facts += grown.replaced(self._places, survey, second, self._calls(), search)
        return facts

    def _settle(self) -> None:
        return drive(self._loop.rest(), self._runner)

    def _run_unsampled(self, calls: int) -> None:
        self._loop.sampling = False
        try:
            drive(self._loop.run(self._loop.calls + calls, frozenset()), self._runner)
        finally:
            self._loop.sampling = True

    def _is_lost(self, thing: Any) -> bool:
        """Say whether nothing in Python leads to an object."""
        gc.unfreeze()
        alive = frozenset(map(id, gc.get_objects()))
        search = roots.Search(self._named, self._ignored() | {id(alive)}, alive)
        return search.up(thing).kind == roots.OUTSIDE

    def _quiet(self) -> None:
        for _ in range(
            MOST_COLLECTIONS
        ):  # what one frees may close what the loop still has to tell
            drive(self._settler.turns(), self._runner)
            if not gc.collect():
                return

    def _ignored(self) -> Set[int]:
        own = (self, self.__dict__, self._marks, self._first, self._first_tracked)
        return self._census.ignored() | {id(thing) for thing in own} | {id(self._named)}

    def _calls(self) -> int:
        calls: int = self._loop.calls - self._marks["call"]
        return calls


def _alive(group: Group) -> List[int]:
    """Return the addresses of a group's heads that are there still."""
    wanted = frozenset(key >> 4 for key in group.heads)  # not as they are: they are searched for
    return [
        id(thing)
        for thing in gc.get_objects()
        if id(thing) >> 4 in wanted and type(thing) is group.kind
    ]


def _types(groups: List[Group]) -> List[List[Any]]:
    rows: List[List[Any]] = [
        [labels.type_name(kind), c, s] for kind, (c, s) in types_of(groups).items()
    ]
    return sorted(rows, key=lambda row: -row[2])[:MOST_TYPES]
