"""Look at a workload as the collector does: what its counts see, and how old garbage is by then.

Answers, after the calls of a natural pass, what a forecast of standing garbage needs:

net       by how much a call raises the count that CPython starts a collection by
peak      by how much it raises it at most before it is over: what a call makes and drops at once
starts    how often a collection starts within one call, by the thresholds that CPython has had
left      what such a call leaves uncollected all the same
young     of what calls left: objects and bytes that were born since the last collection
old       those that had outlived one, and so wait for a later one
caught    objects that were alive when a collection came in the middle of a call, and garbage after
"""

from __future__ import annotations

import gc
from typing import Any, Callable, Dict, List, NamedTuple

THRESHOLDS = (700, 2000)  # of CPython up to 3.12, and from 3.13 on
NEVER = 1000000
HALVINGS = 5  # a peak is known to a thirtieth of the threshold: the forecast needs no more
SMALL_BURST = 50  # objects: what running a call makes by itself
WIDER = 4  # windows for garbage that lives long
LIVES_LONG = 10  # so many times as much that outlived a window asks for a wider one

Run = Callable[[int], None]
Fact = Dict[str, Any]


class Readers(NamedTuple):
    """What is read of this process: live bytes, and descriptors that are open."""

    live_bytes: Callable[[], int]
    descriptors: Callable[[], int]


def counts() -> List[int]:
    """Return the collections of each generation so far, the first count, and its threshold."""
    young, middle, full = (one["collections"] for one in gc.get_stats())
    threshold = gc.get_threshold()[0] if gc.isenabled() else 0
    return [young, middle, full, gc.get_count()[0], threshold]


def churn(run: Run, read: Readers, calls: int, most: int) -> Fact:
    """Run `calls` calls and some more, and say what the collector would see of them.

    Wider windows follow, of `most` calls at most, while all that was garbage had outlived the last
    one: by calls and by no clock, so that a busy machine sees as much. The collector's switch and
    thresholds are put back. `run` runs so many calls.
    """
    enabled, thresholds = gc.isenabled(), gc.get_threshold()
    gc.disable()
    try:
        found = _lifetimes(run, read, calls)
        while calls * WIDER <= most:
            if found["young_objects"] * LIVES_LONG >= max(found["old_objects"], 1):
                break
            calls *= WIDER
            found = _lifetimes(run, read, calls)
        return {**found, **_single_calls(run)}
    finally:
        gc.set_threshold(*thresholds)
        if enabled:
            gc.enable()


def _single_calls(run: Run) -> Fact:
    """Look at one call at a time: what is older is frozen, or each look would walk all of it."""
    bursts = _Bursts(run)
    gc.freeze()  # all that is garbage was collected a moment ago
    try:
        peak = bursts.peak()
        caught = bursts.caught(peak)
    finally:
        gc.unfreeze()
    return {"peak": peak, "starts": bursts.starts, "left": bursts.left, "caught": caught}


def _lifetimes(run: Run, read: Readers, calls: int) -> Fact:
    _start_afresh(run)
    heap, before = len(gc.get_objects()), gc.get_count()[0]
    run(calls)
    net = (gc.get_count()[0] - before) / calls
    levels, opened = [read.live_bytes()], read.descriptors()
    young = gc.collect(0)
    levels.append(read.live_bytes())
    recent = max(len(gc.get_objects(generation=1)), len(gc.get_objects(generation=0)))
    old = gc.collect()
    levels.append(read.live_bytes())
    return {
        "descriptors": max(opened - read.descriptors(), 0),
        "calls": calls,
        "net": net,
        "heap": heap,
        "recent": recent,
        "young_objects": young,
        "young_bytes": max(levels[0] - levels[1], 0) if young else 0,
        "old_objects": old,
        "old_bytes": max(levels[1] - levels[2], 0) if old else 0,
    }


def _start_afresh(run: Run) -> None:
    """Collect all, but leave the interpreter's free lists as full as a call finds them.

    What comes from one is no allocation to the collector, and a full collection empties them.
    """
    gc.collect()
    run(1)
    gc.collect(0)  # sets the count to nothing


class _Bursts:
    """One call at a time, with a collector that looks at what is young alone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.starts: Dict[str, int] = {}
        self.left: Dict[str, int] = {}

    def peak(self) -> int:
        """Return the count that a call reaches from nothing, 2,000 at most."""
        below = above = 0
        for threshold in THRESHOLDS:
            started = self._started(threshold)
            if not started:
                above = threshold
                break
            below = threshold
            self.starts[str(threshold)] = started
            self.left[str(threshold)] = gc.collect()
        if not above:
            return below
        for _ in range(HALVINGS):
            middle = (below + above) // 2
            if self._started(middle):
                below = middle
            else:
                above = middle
        return above

    def caught(self, peak: int) -> int:
        """Return how many objects a collection in the middle of a call found alive, and soon dead.

        It comes at any place of a call: half-way is the mean; or near the peak, where calls are so
        large that each starts one or more.
        """
        self._started(max(peak * 9 // 10 if self.starts else peak // 2, 1))
        gc.collect(0)
        return gc.collect()

    def _started(self, threshold: int) -> int:
        """Return how many collections start in one call: of those that find nothing too."""
        _start_afresh(self._run)
        starts: List[str] = []

        def count(phase: str, info: Fact) -> None:
            if phase == "start":
                starts.append(phase)

        gc.callbacks.append(count)
        gc.set_threshold(threshold, NEVER, NEVER)
        gc.enable()
        try:
            self._run(1)
        finally:
            gc.disable()
            gc.callbacks.remove(count)
        return len(starts)
