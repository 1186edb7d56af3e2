"""Run passes in this very process: for what is tied to its event loop or to open connections.

The same calls, settling and counters as in a worker, without a process around them. So there is no
time limit for a call and nothing to kill, memory that runs out takes the caller along, and what
other threads of the process do is in the figures. The collector's state is put back afterwards.
"""

import contextlib
import functools
import gc
import inspect
import os
import tempfile
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator, Iterator
from typing import Any

import msgspec

from memcurve.measure.runner import NextStep, PassPlan
from memcurve.measure.table import LocalTable
from memcurve.measure.worker.churn import counts
from memcurve.measure.worker.counters import COLUMNS, Counters, Gauges, make_readers
from memcurve.measure.worker.loop import Allowance, CallError, CallLoop
from memcurve.measure.worker.main import describe
from memcurve.measure.worker.settle import Settler, yield_to_loop
from memcurve.model.recording import Failure, PassRecord, Samples, Verification
from memcurve.model.steps import Calls, Finish, Step, Survey, Verify
from memcurve.model.surveys import Surveys
from memcurve.model.text import printable

REHEARSALS, REHEARSED_CALLS = 2, 320
Steps = Generator[Any, None, PassRecord]
"""Yields what must be awaited; `worker.loop.drive` and `adrive` run it to its end."""


@functools.lru_cache(maxsize=1)
def readers_of(pid: int) -> Any:
    """Return the readers of this process: made once, because they hold descriptors.

    `pid` is the process's own number: a fork needs readers of its own.
    """
    return make_readers()


@contextlib.contextmanager
def collector_restored() -> Iterator[None]:
    """Put the collector's state back: enabled or not, debug flags, garbage, what was frozen.

    Which objects were frozen cannot be told. Where it was most of them, all that is alive is frozen
    afterwards, once it is collected; else none: CPython 3.12 freezes some 400 objects as it starts,
    and to freeze the rest with them would keep from every later collection what the calls left.
    """
    enabled, flags, garbage = gc.isenabled(), gc.get_debug(), list(gc.garbage)
    mostly_frozen = gc.get_freeze_count() > len(gc.get_objects())
    # what waits in there for a collection must not fall out of the figures in the middle of a pass
    gc.unfreeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_debug(flags)
        gc.garbage[:] = garbage
        if mostly_frozen:
            gc.collect()
            gc.freeze()
        if enabled:
            gc.enable()
        else:
            gc.disable()


class _Log:
    """Verifications of a pass, kept in a file: what this process allocates is being counted."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed with the pass
        self.surveys = Surveys()

    def add(self, answer: object) -> None:
        self._file.write(msgspec.json.encode(answer) + b"\n")

    def clear(self) -> None:
        self._file.seek(0)
        self._file.truncate()

    def all(self) -> tuple[Verification, ...]:
        self._file.seek(0)
        lines = self._file.read().splitlines()
        return tuple(msgspec.json.decode(line, type=Verification) for line in lines)

    def close(self) -> None:
        self._file.close()


class InProcess:
    """Passes of one callable in this process.

    `loop` is the loop that runs already, None for a synchronous callable. `error` is what the
    last failed call raised, for a caller that wants to raise it again.
    """

    def __init__(self, function: Callable[..., object], loop: AbstractEventLoop | None) -> None:
        self._function, self._loop = function, loop
        self._takes_number = bool(_required(function))
        self.error: BaseException | None = None

    def run(self, plan: PassPlan, next_step: NextStep) -> Steps:
        """Run one pass: after each step, `next_step` says what comes next.

        Raises nothing of the target but what is no `Exception` (a skipped test, an interrupt).
        """
        began = time.monotonic()
        columns = (*COLUMNS, *plan.gauges)
        with (
            collector_restored(),
            LocalTable(columns, plan.capacity) as table,
            contextlib.closing(_Log()) as log,
        ):
            counters = Counters(
                table,
                Gauges(list(plan.gauges.values())),
                plan.mode == "natural",
                readers_of(os.getpid()),
            )
            allowance = Allowance(counters.clock, plan.allowance_s, plan.share)
            settler = Settler(
                self._loop,
                counters.live_bytes,
                counters.resources.threads,
                plan.grace_s,
                turn=yield_to_loop,
            )
            calls = CallLoop(
                self._function, self._arguments, counters, settler, allowance, plan.mode
            )

            def record() -> PassRecord:
                samples = table.samples()
                return PassRecord(
                    kind=plan.kind,
                    mode=plan.mode,
                    samples=samples,
                    verifications=log.all(),
                    surveys=log.surveys,
                    isolation="none",
                    calls=samples.calls[-1] if samples.calls else 0,
                    cpu_s=counters.clock.cpu_ns / 1e9,
                    wall_s=counters.clock.wall_ns / 1e9,
                    sampling_s=allowance.spent_ns / 1e9,
                    elapsed_s=time.monotonic() - began,
                )

            threads = counters.resources.threads
            if plan.mode != "natural":
                # what judging and verifying leave behind at their first time is there before row 0
                for _ in range(REHEARSALS):
                    _apart(lambda: next_step(_rehearsal(plan)), threads)
                log.add((yield from calls.verify()))
                log.clear()
            failure = yield from self._steps(
                calls, log, lambda: _apart(lambda: next_step(record()), threads)
            )
            return msgspec.structs.replace(record(), failure=failure)

    def _arguments(self, number: int) -> tuple[int, ...]:
        return (number,) if self._takes_number else ()

    def _steps(
        self, calls: Any, log: _Log, decide: Callable[[], Step]
    ) -> Generator[Any, None, Failure | None]:
        try:
            yield from calls.begin()
            while True:
                match decide():
                    case Calls(to=to):
                        yield from calls.run(to, frozenset({to}))
                    case Verify():
                        log.add((yield from calls.verify()))
                    case Survey(stage=stage):
                        # what it would ask for allocates in the very heap that is being counted
                        answer = {"counts": counts()} if stage in ("begin", "end") else {}
                        log.surveys = log.surveys.with_answer(stage, answer)
                    case Finish():
                        return None
        except CallError as error:
            self.error = error.__cause__
            return _failure(describe(error, "call"))


def _failure(told: dict[str, Any]) -> Failure:
    """Return what `describe` tells as a failure, in printable words."""
    words = {key: printable(told[key]) for key in ("message", "traceback")}
    return msgspec.convert(told | words, Failure)


def _apart(decide: Callable[[], Step], threads: Callable[[], int]) -> Step:
    """Decide in a thread of its own and wait until it is gone.

    Judging frees thousands of small blocks. glibc would keep some of them in the cache of this
    thread and count them as in use; the cache of a thread that ends is given back. `join` returns
    a little before that, so the kernel is asked, for a second at most.
    """
    found: list[Step] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            found.append(decide())
        except BaseException as error:
            errors.append(error)

    before = threads()
    thread = threading.Thread(target=run, name="memcurve-judge")
    thread.start()
    thread.join()
    deadline = time.monotonic() + 1.0
    while threads() > before and time.monotonic() < deadline:
        time.sleep(0.0002)
    if errors:
        raise errors[0]
    return found[0]


def _rehearsal(plan: PassPlan) -> PassRecord:
    """Return a record of a rising curve: deciding about it runs every part of the judge once."""
    calls = tuple(range(REHEARSED_CALLS))
    rising: tuple[int | None, ...] = tuple(96 * call for call in calls)
    counters = {name: rising for name in COLUMNS if name != "call"}
    samples = Samples(calls=calls, counters=counters)
    return PassRecord(kind=plan.kind, mode=plan.mode, samples=samples, calls=calls[-1])


def _required(function: Callable[..., object]) -> int:
    from memcurve.measure.worker.target import TargetError as BadTarget
    from memcurve.measure.worker.target import required
    from memcurve.model.errors import TargetError

    try:
        count: int = required(function)
    except BadTarget as error:
        raise TargetError(str(error)) from error
    if count > 1:
        raise TargetError(
            f"{inspect.unwrap(function)!r} takes {count} arguments; "
            "a target takes none or the call's number: wrap it in a function"
        )
    return count
