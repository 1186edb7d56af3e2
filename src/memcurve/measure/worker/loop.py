"""Run the calls and take a row of counters after each, as far as sampling can be afforded.

The settled pass keeps the collector off during a call and settles after it; everything that was
there before is frozen, which makes a collection cost what the survivors cost. The natural pass
leaves the process alone. Both are one generator of awaitables, so that the same code serves a loop
of our own and a loop that a test is already running.
"""

from __future__ import annotations

import array
import gc
import inspect
import os
import sys
import time
from typing import Any, Awaitable, Callable, Collection, Dict, Iterable, Optional, Tuple

from . import bounds, target
from .counters import Clock, Counters
from .resources import MISSING
from .settle import Settler, Steps, T, collect_all, forget_names

FIRST_CALLS = 5  # always sampled: what the first calls build is part of every picture
NO_MORE_THAN_APART = 23  # calls, whatever a row costs; a prime, so that it beats with no period
WARM_UP_CALLS = 25  # in which imports on demand and the like may still be frozen
MANY_OBJECTS = 1000  # that make a collection expensive to walk: 0.3 microseconds each
# What calls may leave to the collector between two rows. Objects: CPython itself lets 2,000 stand
# (700 up to 3.12), so that no more descriptors wait here than in production. Bytes: a tenth of the
# smallest container in which anybody runs this.
MOST_WAITING_OBJECTS, MOST_WAITING_BYTES = 2000, 25 << 20
LIST_BYTES = sys.getsizeof([])


def drive(steps: Steps[T], run: Callable[[Awaitable[Any]], Any]) -> T:
    """Run a generator of awaitables to its end with `run(awaitable)`, and return its value.

    What an awaitable gives is dropped before the generator goes on: the result of a call must not
    be alive when the call is sampled.
    """
    awaitable: Optional[Awaitable[Any]]
    try:
        awaitable = next(steps)
        while True:
            try:
                run(awaitable)
            except BaseException as error:  # the generator decides what an error of a call means
                awaitable = steps.throw(error)
            else:
                awaitable = None
                awaitable = steps.send(None)
    except StopIteration as end:
        value: T = end.value
        return value


async def adrive(steps: Steps[T]) -> T:
    """Do the same inside a running loop."""
    awaitable: Optional[Awaitable[Any]]
    try:
        awaitable = next(steps)
        while True:
            try:
                await awaitable
            except BaseException as error:
                awaitable = steps.throw(error)
            else:
                awaitable = None
                awaitable = steps.send(None)
    except StopIteration as end:
        value: T = end.value
        return value


class CallError(Exception):
    """A call of the target raised; the cause carries what it raised."""

    def __init__(self, call: int) -> None:
        super().__init__(call)
        self.call = call


ALL_OF_THE_FIRST = 100  # calls get a row each where rows stand at fixed calls
FAST_CALL_NS = 200000  # calls faster than this cost next to nothing: they get more rows
FAST_FACTOR = 4


class Allowance:
    """Say whether one more row can be afforded: a fixed amount plus a share of the workload.

    With `every`, rows stand at fixed calls instead, whatever they cost: two runs of one workload
    then have the same rows, on a machine that is busy or not.
    """

    def __init__(
        self, clock: Clock, fixed_s: float, share: float, every: Optional[int] = None
    ) -> None:
        self._clock, self._fixed_ns, self._share = clock, int(fixed_s * 1e9), share
        self._every = every
        self.spent_ns = 0

    def covers_a_row(self, calls: int) -> bool:
        if self._every is not None:
            return calls <= ALL_OF_THE_FIRST or calls % self._every == 0
        used_ns = self._clock.cpu_ns
        fixed_ns = self._fixed_ns * (FAST_FACTOR if used_ns < calls * FAST_CALL_NS else 1)
        return self.spent_ns <= fixed_ns + self._share * used_ns

    def spend(self, since_ns: int) -> None:
        self.spent_ns += time.process_time_ns() - since_ns


# places of the numbers that a loop keeps
(
    CALLS,
    ROW_CALL,
    ROWS_APART,  # calls between two rows at least: twice as many whenever the table was full
    SETTLED_CALL,
    WAITED_BYTES,
    WAITED_OBJECTS,
    BYTES_A_CALL,
    OBJECTS_A_CALL,
    ROW_BYTES,  # live at the last row: what is waited for after it was in that row
) = range(9)


class CallLoop:
    """Run calls of one target and sample them.

    `mode` is "natural", "settled", "unfrozen" (settled, but nothing is ever frozen) or "patient"
    (settled, and every row waits for what the calls left running).
    """

    def __init__(
        self,
        function: Callable[..., Any],
        arguments: Callable[[int], Tuple[Any, ...]],
        counters: Counters,
        settler: Settler,
        allowance: Allowance,
        mode: str,
    ) -> None:
        self._function, self._arguments = function, arguments
        self._counters, self._settler = counters, settler
        self._allowance, self._mode = allowance, mode
        # not as Python's integers: from 257 on those are objects, and would read as growth
        self._numbers = array.array("q", [0] * 9)
        self._numbers[ROWS_APART] = 1
        self._pid = os.getpid()
        self._every = {"unfrozen": 0, "patient": 0}.get(mode, 1)
        self.sampling = True
        self.writing = True  # rows; without, it settles as often as with them
        self.freezing = True  # what the first calls build; not where every newcomer is wanted

    @property
    def calls(self) -> int:
        """Return how many calls are done."""
        return self._numbers[CALLS]

    def begin(self) -> Steps[None]:
        """Settle, freeze what is there, and write row 0.

        What was imported comes frozen: it was collected before, and need not be walked again.
        """
        collect_all()
        if self._mode == "natural":
            gc.unfreeze()
            self._counters.resources.reset_rss_peak()
            self._row((MISSING, MISSING))
            return
        gc.freeze()  # or each of the next collections would walk all that was imported
        # what a verification leaves behind at its first run is there before the first row
        yield from self.verify(bounds.rehearsal())
        self._counters.objects_frozen = 0
        gc.disable()
        if self._mode == "unfrozen":
            gc.unfreeze()
        self._settler.mark()
        # twice: what the first reading itself leaves behind is there before the second
        self._row((0, 0))
        self._counters.table.clear()
        self._row((0, 0))

    def run(self, last: int, rows: Collection[int]) -> Steps[None]:
        """Run calls up to number `last`; `rows` call numbers are sampled whatever they cost."""
        clock, function = self._counters.clock, self._function
        while self.calls < last:
            arguments = self._arguments(self.calls)
            self._counters.table.running(self.calls + 1)
            clock.start()
            try:
                pending = function(*arguments)
                if inspect.isawaitable(pending):
                    yield pending
                elif isinstance(pending, target.NOTHING_RAN):
                    raise target.nothing_ran(pending)
                del pending, arguments
            except Exception as error:
                clock.stop()
                raise CallError(self.calls + 1) from error
            clock.stop()
            if os.getpid() != self._pid:
                self._counters.table.copied()
                os._exit(0)  # the copy must not go on measuring
            if self._counters.table.was_copied:
                text = "the target forked, and the copy returned from the call too"
                raise CallError(self.calls + 1) from RuntimeError(text)
            self._counters.table.returned()
            self._numbers[CALLS] += 1
            if self._wanted(rows):
                yield from self._sample()
            elif self.sampling and self._mode != "natural" and self._much_waits():
                yield from self._settle()

    def _wanted(self, rows: Collection[int]) -> bool:
        call = self.calls
        if not self.sampling:
            return False
        if call in rows or call <= FIRST_CALLS:
            return True
        since, apart = call - self._numbers[ROW_CALL], self._numbers[ROWS_APART]
        if since < apart or since >= max(NO_MORE_THAN_APART, apart):
            return since >= apart
        return bool(self._every) and self._allowance.covers_a_row(call)

    def _sample(self) -> Steps[None]:
        began_ns = time.process_time_ns()
        deferred = (MISSING, MISSING)
        if self._mode != "natural":
            yield from self._settle()
            deferred = self._numbers[WAITED_BYTES], self._numbers[WAITED_OBJECTS]
        self._row(deferred)
        self._numbers[ROW_BYTES] = self._counters.live_bytes()
        warming_up = self.freezing and FIRST_CALLS <= self.calls <= WARM_UP_CALLS
        if warming_up and self._mode in ("settled", "patient"):
            self._freeze_warm_up()
        self._allowance.spend(began_ns)

    def _freeze_warm_up(self) -> None:
        """Freeze what the first calls built, where it is much: every row would walk it twice.

        A verification gives it back to the collector like everything else that is frozen.
        """
        born = len(gc.get_objects())
        if born >= MANY_OBJECTS:
            gc.freeze()
            self._counters.objects_frozen += born

    def _row(self, deferred: Tuple[int, int]) -> None:
        loop, frozen = self._settler.loop, self._mode in ("settled", "patient")
        if self.writing and self._counters.write_row(self.calls, deferred, loop, frozen):
            self._numbers[ROWS_APART] *= 2
        self._numbers[ROW_CALL] = self.calls
        self._numbers[WAITED_BYTES] = self._numbers[WAITED_OBJECTS] = 0

    def _much_waits(self) -> bool:
        """Say whether what the calls left since the last settling may be more than is let stand.

        By what a call left before the last row: to look would cost a collection.
        """
        calls, numbers = self.calls - self._numbers[SETTLED_CALL], self._numbers
        return (
            calls * numbers[OBJECTS_A_CALL] > MOST_WAITING_OBJECTS
            or calls * numbers[BYTES_A_CALL] > MOST_WAITING_BYTES
        )

    def _settle(self) -> Steps[None]:
        """Settle, and count the (bytes, objects) that only the cyclic collector could free.

        The first collection keeps what it finds (DEBUG_SAVEALL), which also empties the free
        lists; the bytes that go when the finds are dropped are the deferred ones, exactly. It is a
        full one: what calls left may have grown old before it was garbage. Whatever all calls since
        the last row left is counted for the next row, which stands for all of them.
        """
        self._settler.let_threads_leave()
        yield from self._settler.turns()
        forget_names()
        flags = gc.get_debug()
        gc.set_debug(flags | gc.DEBUG_SAVEALL)
        try:
            found = gc.collect()
        finally:
            gc.set_debug(flags)
        if not found:
            if self._mode == "patient":
                yield from self._settler.patient()
            self._count(0, 0)
            return
        shelf = sys.getsizeof(gc.garbage) - LIST_BYTES
        before = self._counters.live_bytes() - (shelf + 15) // 16 * 16
        gc.garbage.clear()
        if self._mode == "patient":
            yield from self._settler.patient()
        else:
            yield from self._settler.quick()
        self._count(max(before - self._counters.live_bytes(), 0), found)

    def _count(self, freed: int, objects: int) -> None:
        numbers = self._numbers
        calls = max(self.calls - numbers[SETTLED_CALL], 1)
        numbers[WAITED_BYTES] += freed
        numbers[WAITED_OBJECTS] += objects
        numbers[BYTES_A_CALL], numbers[OBJECTS_A_CALL] = freed // calls, -(-objects // calls)
        numbers[SETTLED_CALL] = self.calls

    def rest(self) -> Steps[None]:
        """Settle until nothing changes, as before a row, without one."""
        yield from self._settle()
        yield from self._settler.patient()

    def verify(self, things: Optional[Iterable[Any]] = None) -> Steps[Dict[str, Any]]:
        """Give everything frozen back to the collector, settle patiently, and compare.

        With `things` it is a rehearsal: it looks at those only, and leaves frozen what is frozen.
        Returns the bytes and objects that this freed, what is still in flight, and which bounded
        containers are filling: the evidence without which nothing may be called growing. What was
        in flight at the last row is compared with that row: it may have become due since then.
        """
        yield from self._settler.quick()
        has_row = self._numbers[ROW_CALL] == self.calls > 0
        before = self._numbers[ROW_BYTES] if has_row else self._counters.live_bytes()
        left = yield from self._settler.patient()
        waited = before - self._counters.live_bytes()
        frozen = gc.get_freeze_count()
        self._counters.objects_frozen += len(gc.get_objects()) if frozen else 0
        if things is None:
            gc.unfreeze()
        objects = gc.collect()
        if objects:  # their finalizers may have left something running
            gc.freeze()  # waiting collects many times
            again = yield from self._settler.patient()
            left = again if any(again) else left  # what outlived the grace is waited for only once
            gc.unfreeze()
            gc.collect()
        after = self._numbers[ROW_BYTES] = self._counters.live_bytes()
        found = bounds.filling(things)  # now: nothing frozen is listed by the collector
        if frozen:
            gc.freeze()
        return {
            "call": self.calls,
            "bounds": found,
            "released_bytes": before - after,
            "waited_bytes": waited,
            "unfrozen_objects": objects,
            "in_flight": {"tasks": left[0], "timers": left[1], "threads": left[2]},
            "children": self._counters.child_processes(),
        }
