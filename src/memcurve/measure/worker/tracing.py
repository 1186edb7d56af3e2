"""The two passes that explain: what survives and who holds it, and where it was allocated."""

from __future__ import annotations

import atexit
import gc
import os
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Optional, Sequence, Set, Union

from . import allocations, census, cycles, labels, lines, release, roots, sites, survivors
from .loop import drive
from .passes import Runner, SampledPass, Spec
from .target import Arguments

Fact = Dict[str, Any]

RELEASE_CPU_S, RELEASE_WALL_S = 6.0, 15.0
MOST_RELEASED = 6
SITE_CALLS, ENOUGH_SITES, MOST_TRACED = 5, 3, 8


def descriptors() -> Dict[int, str]:
    """Return {number: what it is} of the open descriptors, where /proc tells."""
    found: Dict[int, str] = {}
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for name in names:
        try:
            found[int(name)] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
    return found


class ExplainingPass(SampledPass):
    """A settled pass that answers surveys between its calls; its rows are nobody's evidence."""

    def __init__(
        self,
        spec: Spec,
        function: Callable[..., Any],
        arguments: Arguments,
        runner: Runner,
        named: Dict[int, str],
    ) -> None:
        super().__init__(spec, function, arguments, runner, named)
        read = self._counters.python.read

        def read_or_nothing() -> int:
            try:
                return read() or 0
            except ValueError:  # a tracer took pymalloc's place, which then says nothing of itself
                return 0

        self._counters.python.read = read_or_nothing

    def _settle(self) -> None:
        return drive(self._loop.rest(), self._runner)


class SurvivorsPass(ExplainingPass):
    """What calls leave behind: cycles, survivors, their holders, roots and weights."""

    def __init__(
        self,
        spec: Spec,
        function: Callable[..., Any],
        arguments: Arguments,
        runner: Runner,
        named: Dict[int, str],
    ) -> None:
        super().__init__(spec, function, arguments, runner, named)
        self._named = named
        self._census: census.Census = None  # type: ignore[assignment]  # until the mark
        self._first: FrozenSet[int] = frozenset()
        self._first_tracked: FrozenSet[int] = frozenset()
        self._marks: Fact = {}
        self._groups: Sequence[survivors.Group] = ()

    def stage_cycles(self, calls: int) -> Fact:
        """Take apart what the last `calls` calls, run unsettled, left for the collector."""
        self._settle()
        self._loop.sampling = False
        try:
            drive(self._loop.run(self._loop.calls + calls, frozenset()), self._runner)
        finally:
            self._loop.sampling = True
        drive(self._settler.turns(), self._runner)
        before = gc.get_stats()[2].get("uncollectable", 0)
        found = cycles.collect_saved()
        facts = cycles.describe(found, calls)
        del found
        facts["uncollectable"] = gc.get_stats()[2].get("uncollectable", 0) - before
        self._settle()
        facts["call"] = self._loop.calls
        return facts

    def stage_mark(self) -> Fact:
        """Note everything that is there: survivors are what is born from here on."""
        self._settle()
        gc.unfreeze()
        gc.collect()
        self._census = census.Census()
        self._census.take()
        self._marks = {
            "call": self._loop.calls,
            "live": self._counters.live_bytes(),
            "descriptors": descriptors(),
            "atexit": _exit_callbacks(),
        }
        gc.freeze()
        return {"call": self._loop.calls, "objects": len(self._census.tracked)}

    def stage_middle(self) -> Fact:
        """End the first window: what was born in it and is alive now is a candidate."""
        self._settle()
        young = frozenset(id(thing) for thing in gc.get_objects())
        gc.unfreeze()
        survey = survivors.Survey(self._census, young, frozenset(), self._ignored())
        survey.walk()
        self._first_tracked = young
        self._first = frozenset(survey.things)
        self._census.keep([t for t in survey.things.values() if not gc.is_tracked(t)])
        del survey
        self._marks["middle"] = self._loop.calls
        gc.freeze()
        return {"call": self._loop.calls, "objects": len(self._first)}

    def stage_end(self, least_per_call: float = 0.0) -> Fact:
        """Group what was born in the first window and is still alive."""
        drive(self._settler.patient(), self._runner)
        second = frozenset(id(thing) for thing in gc.get_objects())
        gc.unfreeze()
        gc.collect()
        first = self._first - second
        # alive only: what this survey makes may come to the address of something that died
        alive = frozenset(map(id, gc.get_objects()))
        young = ((self._first_tracked - second) | second) & alive
        ignored = self._ignored() | {id(second), id(first), id(young), id(alive)}
        survey = survivors.Survey(self._census, young, first, ignored)
        survey.walk()
        window = self._marks["middle"] - self._marks["call"]
        kept, every = survey.groups(least_per_call * window)
        search = roots.Search(self._named, ignored | _own_ids(survey), alive)
        below = survey.subtree(())
        facts = [survivors.facts(group, survey, search, below) for group in kept]
        answer = {
            "call": self._loop.calls,
            "calls": window,
            "groups": facts,
            "types": _types(every),
            "in_place": self._in_place(search),
            "descriptors": self._new_descriptors(),
        }
        self._groups = kept
        survey.things.clear()
        for holder in survey.holders:
            del holder.new[:]
        return answer

    def stage_sites(self, calls: int) -> Fact:
        """Run more calls under tracemalloc, and see where each group's newest heads are made.

        The free lists are emptied before each call: what comes from one was allocated long ago.
        """
        self._census.let_go()
        groups = self._groups[:MOST_TRACED]
        before = [sites.children(group.holder) for group in groups]
        self._loop.sampling = False
        gc.freeze()
        with sites.traced():
            found: List[Dict[str, sites.Frames]] = []
            while calls > 0 and not (found and all(found[:ENOUGH_SITES])):
                for _ in range(min(calls, SITE_CALLS)):
                    gc.collect()
                    drive(self._loop.run(self._loop.calls + 1, frozenset()), self._runner)
                calls -= SITE_CALLS
                drive(self._settler.turns(), self._runner)
                found = [sites.of_group(g, b) for g, b in zip(groups, before)]
        self._loop.sampling = True
        gc.unfreeze()
        return {"sites": found}

    def _ignored(self) -> Set[int]:
        own = (self, self.__dict__, self._marks, self._first, self._first_tracked)
        return self._census.ignored() | {id(thing) for thing in own} | {id(self._named)}

    def _new_descriptors(self) -> List[List[Any]]:
        new: Dict[str, int] = {}
        before = self._marks["descriptors"]
        calls = self._loop.calls - self._marks["call"]
        for number, text in descriptors().items():
            if before.get(number) != text:
                kind = text.partition(":")[0] if ":[" in text or text.startswith("anon") else text
                new[kind] = new.get(kind, 0) + 1
        return [[kind, count, calls] for kind, count in sorted(new.items())]

    def _in_place(self, search: roots.Search) -> List[List[Any]]:
        """Return buffers and containers that grew although nothing new is in them."""
        found: List[List[Any]] = []
        calls = self._loop.calls - self._marks["call"]
        for thing, grown in self._census.grown_buffers():
            if grown >= calls:
                root = search.up(thing)
                found.append([labels.type_name(type(thing)), grown, calls, root.kind, root.steps])
        return found

    def stage_release(self, native_each: float) -> Fact:
        """Let the groups go, one after another, and weigh what that frees."""
        scales = release.Scales(self._counters, self._quiet, RELEASE_CPU_S, RELEASE_WALL_S)
        found: List[List[Any]] = []
        for number, group in enumerate(self._groups[:MOST_RELEASED]):
            if scales.out_of_time():
                break
            fact = self._release(group, scales, native_each)
            if fact is not None:
                found.append([number, fact])
        return {"released": found}

    def _quiet(self) -> None:
        gc.collect()
        drive(self._settler.turns(), self._runner)
        gc.collect()

    def _release(
        self, group: survivors.Group, scales: release.Scales, native_each: float
    ) -> Optional[Fact]:
        if group.holder is None:
            return self._release_exit_callbacks(group, scales)
        holder, ids = group.holder.thing, set(group.all_heads)
        direct = [thing for thing in gc.get_referents(holder) if id(thing) in ids]
        if not direct:
            return None
        count = len(direct)
        steps: List[release.Step] = []
        del direct
        python, malloc = scales.python, scales.malloc
        if native_each >= release.LEAST_NATIVE_BYTES:
            order = [key for key in group.all_heads if key in self._first]
            steps = release.walk_down(order[-40:], _finder(holder), scales, native_each)
        if scales.freed_by(holder, ids) is None:
            return None
        return {
            "python": scales.python - python,
            "malloc": scales.malloc - malloc,
            "heads": count,
            "steps": steps,
        }

    def _release_exit_callbacks(
        self, group: survivors.Group, scales: release.Scales
    ) -> Optional[Fact]:
        """Prove that `atexit` holds a group: its callbacks grew, and clearing them frees it."""
        count = _exit_callbacks() - self._marks["atexit"]
        if count <= 0 or not hasattr(atexit, "_clear"):
            return None
        before = scales.read()
        atexit._clear()
        self._quiet()
        after = scales.read()
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
        for thing in gc.get_referents(holder):
            if id(thing) == key:
                return thing
        return None

    return find


def _own_ids(survey: survivors.Survey) -> Set[int]:
    own = (survey, survey.__dict__, survey.things, survey.parent, survey.holder_of, survey.holders)
    return {id(thing) for thing in own} | {id(holder) for holder in survey.holders}


def _exit_callbacks() -> int:
    count = getattr(atexit, "_ncallbacks", None)
    return count() if count is not None else 0


def _types(groups: Iterable[survivors.Group]) -> List[List[Any]]:
    merged: Dict[type, List[int]] = {}
    for group in groups:
        for kind, (count, size) in group.types.items():
            entry = merged.setdefault(kind, [0, 0])
            entry[0] += count
            entry[1] += size
    rows: List[List[Any]] = [[labels.type_name(kind), c, s] for kind, (c, s) in merged.items()]
    return sorted(rows, key=lambda row: -row[2])[:40]


class AllocationsPass(ExplainingPass):
    """Where what is live after a stretch of calls was allocated."""

    _tracer: Union[allocations.MemrayTracer, allocations.TracemallocTracer, lines.LineCounter]

    def stage_start(self, tracer: str, native: bool) -> Fact:
        self._settle()
        if tracer == "lines":
            self._tracer = lines.LineCounter(self._counters.python.read, self._counters.malloc.read)
        else:
            self._tracer = allocations.make_tracer(tracer, native)
        self._from = self._loop.calls
        self._loop.sampling = False
        self._tracer.start()
        return {"tracer": self._tracer.name}

    def stage_stop(self, flame_graph: Optional[str] = None, keep: Optional[str] = None) -> Fact:
        if not self._tracer.settles:
            self._tracer.stop()
        drive(self._settler.patient(), self._runner)
        if self._tracer.settles:
            self._tracer.stop()
        answer = self._tracer.read(flame_graph, keep)
        answer.update(
            tracer=self._tracer.name,
            sees_malloc=self._tracer.sees_malloc,
            calls=self._loop.calls - self._from,
        )
        return answer


PASSES = {"survivors": SurvivorsPass, "allocations": AllocationsPass}
