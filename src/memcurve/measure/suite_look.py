"""Look at each test of a suite once, without running it again, at a few per cent of its time.

What is alive before a test is frozen, so the collector's list names what the test left, and a
collection around a test costs what the test made. Only the addresses of what it left are kept: who
holds it is looked for once, when all fixtures are gone, for what is still alive then.

Note: `gc.get_objects` and `gc.get_referrers` do not list frozen objects. A test that asks them for
what is older than itself sees less during a survey.
"""

import array
import collections
import gc
import os
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any, TypeAlias
from weakref import ReferenceType

from memcurve.measure.suite_containers import Containers
from memcurve.measure.suite_holders import survivors_of
from memcurve.measure.suite_tools import Tools
from memcurve.measure.worker import heap, labels
from memcurve.measure.worker.interpreter_bugs import collector_referents_of as referents_of
from memcurve.model.suite import Residue, SuiteSurvey

SHARE = 0.03
"""Of the suite's time, what looks at the whole heap may take: the promise is 5 %, and what each
test costs (a collection of what it made, three counters) is some 0.1 ms of the rest."""
FREE_S = 0.5
"""CPU seconds that it may take in any case: a suite of seconds gets a look that names holders, too.
They are the same beside other processes, which make the clock go on."""
LEAST_NOTED = 4096
"""Bytes of malloc's that are worth a note: below it, a block that was split says nothing."""
BOOKKEEPING = (ReferenceType, types.FrameType)

Addresses: TypeAlias = "array.array[int]"


class Heaps:
    """Live bytes of malloc's and blocks of Python's heap: some microseconds a reading."""

    def __init__(self) -> None:
        self._malloc = heap.malloc_source()

    def read(self) -> tuple[int, int]:
        return self._malloc.read(), sys.getallocatedblocks()


class Counts:
    """Descriptors, threads and children of this process: some 20 microseconds a reading."""

    def __init__(self) -> None:
        self._children = f"/proc/self/task/{os.getpid()}/children"

    def read(self) -> tuple[int, int, int]:
        return _descriptors(), threading.active_count(), self._processes()

    def _processes(self) -> int:
        try:
            descriptor = os.open(self._children, os.O_RDONLY)
        except OSError:
            return 0
        try:
            return len(os.read(descriptor, 4096).split())
        finally:
            os.close(descriptor)


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a tenth of the time of Path's
    except OSError:
        return 0


class SuiteLook:
    """Looks at the tests of one process; `tools` tells objects of pytest and its plugins.

    `is_worth` says of survivors, by the number of their tests and their bytes, whether their holder
    is to be looked for. `free_s` are CPU seconds that looks at the whole heap may take in any case.
    """

    def __init__(
        self,
        tools: Tools,
        is_worth: Callable[[int, int], bool],
        free_s: float = FREE_S,
    ) -> None:
        self._tools, self._is_worth, self._free_s = tools, is_worth, free_s
        self._counts, self._heaps = Counts(), Heaps()
        self._born: dict[str, Addresses] = {}
        self._residues: list[Residue] = []
        self._tests = self._passed_by = self._not_asked = 0
        self._modules = 0
        self._spent = 0.0
        self._began = time.perf_counter()
        start = time.process_time()
        self._containers = Containers()
        self._file = ""
        self._inside = [0, 0]
        self._before = self._heaps.read(), self._counts.read()
        gc.collect()
        self._containers.start()
        gc.freeze()
        self._spent = time.process_time() - start

    def begin(self, file: str) -> None:
        """Start one test: freeze what is alive. Between files, let go of frozen garbage."""
        start = time.process_time()
        if file != self._file:
            self._file = file
            if self._may_spend():
                gc.unfreeze()
                gc.collect()
        self._modules = len(sys.modules)
        self._inside = [0, 0]
        self._before = self._heaps.read(), self._counts.read()
        gc.freeze()
        self._spent += time.process_time() - start

    def enter(self) -> tuple[int, int]:
        """Read the heaps before a part of a test: its set-up, its call or its teardown."""
        return self._heaps.read()

    def leave(self, before: tuple[int, int], *, last: bool) -> None:
        """Add what the heaps moved by over that part, less what the collector frees."""
        start = time.process_time()
        if last:
            gc.collect()
        for place, now in enumerate(self._heaps.read()):
            self._inside[place] += now - before[place]
        self._spent += time.process_time() - start

    def end(self, test: str, *, passed: bool) -> None:
        """Finish one test: note what it left. A failed one keeps frames; it is passed by."""
        start = time.process_time()
        self._tests += 1
        if passed:
            self._note(test)
        else:
            self._passed_by += 1
        self._spent += time.process_time() - start

    def _note(self, test: str) -> None:
        gc.collect(0)  # the values of fixtures, which pytest lets go of after the teardown
        young = [thing for thing in gc.get_objects() if not _is_bookkeeping(thing)]
        imported = len(sys.modules) - self._modules
        names = list(sys.modules)[-imported:] if imported > 0 else []
        ours = {id(young)} | _below_modules(names, young)
        left = [thing for thing in young if id(thing) not in ours and not self._tools.own(thing)]
        if left:
            self._born[test] = array.array("Q", map(id, left))
            self._born[test].extend(id(type(thing)) for thing in left)
        del young, left
        blocks = self._note_counts(test, imported=imported > 0)
        self._containers.measure(test)
        if blocks > 0 and self._may_spend():
            self._scan(test)
        elif blocks > 0:
            self._not_asked += 1

    def _note_counts(self, test: str, *, imported: bool) -> int:
        """Note what the counters moved by, and return the blocks that a test left.

        What pytest made between the parts of a test is not in what moved inside them, and what it
        let go of after the last one not in there either: the lesser of both is the test's own.
        """
        heaps, counts = self._before
        around = [now - before for before, now in zip(heaps, self._heaps.read(), strict=True)]
        malloc, blocks = map(min, self._inside, around)
        now = self._counts.read()
        fds, threads, processes = (b - a for a, b in zip(counts, now, strict=True))
        if malloc >= LEAST_NOTED or fds > 0 or threads > 0 or processes > 0:
            residue = Residue(
                test=test,
                malloc_bytes=max(malloc, 0),
                fds=fds,
                threads=threads,
                processes=processes,
                imported=imported,
            )
            self._residues.append(residue)
        return blocks

    def _may_spend(self) -> bool:
        return self._spent < self._allowed()

    def _allowed(self) -> float:
        return max(self._free_s, SHARE * (time.perf_counter() - self._began))

    def _scan(self, test: str) -> None:
        """Find old containers that grew since the last scan; costs a look at the whole heap."""
        gc.unfreeze()
        self._containers.scan(test, self._is_mine)
        gc.freeze()

    def _is_mine(self, thing: Any) -> bool:
        return any(thing is one for one in (vars(self), *vars(self).values()))

    def close(self) -> SuiteSurvey:
        """Look for who holds what is still alive; unfreezes everything."""
        start = time.process_time()
        gc.unfreeze()
        gc.collect()
        born = _born_in(self._born)
        watched = self._containers.found()
        # what this look keeps is held by nobody else's structures
        private = {id(one) for one in vars(self).values()} | {id(vars(self)), id(self), id(born)}
        private |= {id(watched), *map(id, watched)} | self._containers.private()
        private |= set(map(id, born.values()))
        private |= set(map(id, self._residues))
        seconds = max(self._free_s, self._allowed() - self._spent)
        found = survivors_of(born, watched, self._tools, private, self._is_worth, seconds)
        self._spent += time.process_time() - start
        return SuiteSurvey(
            residues=tuple(self._residues),
            survivors=found,
            tests=self._tests,
            not_looked_at=self._passed_by,
            not_asked=self._not_asked,
            elapsed_s=time.perf_counter() - self._began,
            survey_s=self._spent,
        )


def _born_in(born: dict[str, Addresses]) -> dict[int, tuple[str, int]]:
    """Return {id: (test, id of its type)}; an address that came back belongs to the later test."""
    found: dict[int, tuple[str, int]] = {}
    for test, both in born.items():
        half = len(both) // 2
        found.update(zip(both[:half], ((test, kind) for kind in both[half:]), strict=True))
    return found


def _is_bookkeeping(thing: Any) -> bool:
    """Say whether a thing is no survivor: a weak reference, a frame, a generator that is done."""
    if labels.is_a(thing, types.GeneratorType):
        return thing.gi_frame is None
    return labels.is_a(thing, BOOKKEEPING)


def _below_modules(names: list[str], young: list[Any]) -> set[int]:
    """Return the ids of what belongs to modules that were imported just now."""
    modules = [sys.modules[name] for name in names]
    if not modules:
        return set()
    fresh = {id(thing) for thing in young}
    found: set[int] = set()
    queue = collections.deque(modules)
    while queue:
        thing = queue.popleft()
        if id(thing) not in found and id(thing) in fresh:
            found.add(id(thing))
            queue.extend(referents_of(thing))
    return found
