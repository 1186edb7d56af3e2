"""Bring the process to rest: turn the event loop and collect until nothing changes.

A quick settle follows every sampled call. It never waits for the clock. A patient settle waits,
up to a grace, for what calls left running: tasks, callbacks, timers that are due, threads.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
from typing import Any, Awaitable, Callable, Generator, Optional, Tuple, TypeVar

from . import interpreter_bugs, other_loops

T = TypeVar("T")
Steps = Generator[Awaitable[Any], None, T]
Loop = Optional[asyncio.AbstractEventLoop]

MAX_TURNS = 16
MAX_COLLECTIONS = 4
HAND_OVER_S = 0.0002  # how long a thread may hold what it worked on after handing over its result
THREAD_EXIT_S = 0.005  # how long a thread that Python has joined may take to leave the process
FIRST_NAP_S, LONGEST_NAP_S = 0.001, 0.05


# CPython's cache of type attributes keeps the name of each look-up, by its address: what looks up
# one name by ever new strings, as `re.finditer` does, fills its 4,096 entries over many calls
forget_names: Callable[[], Any] = getattr(
    sys, "_clear_internal_caches", getattr(sys, "_clear_type_cache", int)
)
if interpreter_bugs.has(interpreter_bugs.running(), interpreter_bugs.TYPE_CACHE):
    forget_names = int


def collect_all() -> None:
    """Collect until nothing is found: what one collection finalizes may free more at the next."""
    for _ in range(MAX_COLLECTIONS):
        if not gc.collect():
            return


async def _nothing() -> None:
    return None


async def yield_to_loop() -> None:
    """Let a loop that is already running take one turn."""
    await asyncio.sleep(0)


def _ready(loop: asyncio.AbstractEventLoop) -> int:
    return len(getattr(loop, "_ready", ()))


def _timers(loop: asyncio.AbstractEventLoop, within_s: float) -> int:
    due = loop.time() + within_s
    handles = getattr(loop, "_scheduled", ())
    return sum(1 for handle in handles if not handle.cancelled() and handle.when() <= due)


class Settler:
    """Settle this process between calls.

    `loop` is the event loop of an asynchronous target, or None. Where the loop is already running
    (a test's own), its turns are awaited, and `turn` is `yield_to_loop`: the methods are generators
    of awaitables, and whoever drives them (see `loop.drive`) knows how.
    """

    def __init__(
        self,
        loop: Loop,
        live_bytes: Callable[[], int],
        threads: Callable[[], int],
        grace_s: float,
        turn: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.loop, self.grace_s, self._turn = loop, grace_s, turn
        self._live_bytes, self._threads = live_bytes, threads
        self.mark()

    def mark(self) -> None:
        """Take the tasks, timers and threads of now as those that are there to stay."""
        self._base_tasks = self.tasks()
        self._base_timers = self._timers(self.grace_s)
        self._base_threads = self._threads()
        self._base_joinable = threading.active_count()

    def tasks(self) -> int:
        return len(asyncio.all_tasks(self.loop)) if self.loop is not None else 0

    def _timers(self, within_s: float) -> int:
        return _timers(self.loop, within_s) if self.loop is not None else 0

    def turns(self) -> Steps[None]:
        """Turn the loop until no callback is ready."""
        if self.loop is None:
            return
        yield self._turn()
        for _ in range(MAX_TURNS):
            if not _ready(self.loop):
                break
            yield self._turn()
        other_loops.forget_cancelled_timers(self.loop)

    def in_flight(self, within_s: float) -> Tuple[int, int, int]:
        """Return how many tasks, due timers and threads are left of what calls started."""
        tasks = max(self.tasks() - self._base_tasks, 0)
        timers = max(self._timers(within_s) - self._base_timers, 0)
        return tasks, timers, max(self._threads() - self._base_threads, 0)

    def quick(self) -> Steps[None]:
        """Turn the loop, then collect until a collection finds nothing."""
        yield from self.turns()
        forget_names()
        other_loops.forget_timers_elsewhere()
        self.let_threads_leave()
        for _ in range(MAX_COLLECTIONS):
            if not gc.collect():
                break
            yield from self.turns()

    def let_threads_leave(self) -> None:
        """Let threads of a pool drop the work they have done, and those that Python has joined end.

        The system frees the state of a joined thread a moment later.
        """
        if threading.active_count() > 1:
            time.sleep(HAND_OVER_S)  # without the interpreter's lock
        if self._threads() <= self._base_threads:
            return
        deadline = time.monotonic() + THREAD_EXIT_S
        while self._threads() > self._base_threads and time.monotonic() < deadline:
            if threading.active_count() > self._base_joinable:
                return  # one that still runs: not for us to wait for
            time.sleep(0)

    def patient(self) -> Steps[Tuple[int, int, int]]:
        """Settle until nothing is in flight, at most for the grace; return what still is."""
        deadline = time.monotonic() + self.grace_s
        nap_s, before = FIRST_NAP_S, -1
        while True:
            yield from self.quick()
            left = self.in_flight(deadline - time.monotonic())
            live = self._live_bytes()
            if not any(left):
                if 0 <= before <= live:
                    return left
            elif time.monotonic() >= deadline:
                self.mark()  # it outlived the grace: it is not waited for a second time
                return left
            else:
                yield from self._nap(nap_s)
                nap_s = min(nap_s * 2, LONGEST_NAP_S)
            before = live

    def _nap(self, seconds: float) -> Steps[None]:
        if self.loop is None:
            time.sleep(seconds)
        else:
            yield asyncio.sleep(seconds)
