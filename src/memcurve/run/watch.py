"""Watch a program that runs anyway: one row of counters after each case, and what they say.

Nothing is replayed, frozen or collected unless asked for. So the curve is the natural one, as an
operator would see it: garbage that waits for the collector is in it and makes a sawtooth.

A mark costs what reading the counters costs: about 0.1 ms in a small process, more with a large
heap (0.2 microseconds for each 16 KiB of Python's heap) and many descriptors (2 microseconds each).
Where rows would cost more than `share` of the program's own CPU time, only every tenth mark writes
one; a table that is full keeps every second row. It is preallocated outside both heaps.
"""

import asyncio
import gc
import os
import threading
import time
from typing import Any, Self

import msgspec

from memcurve.judge.natural import FULL_COLLECTIONS, judge_natural
from memcurve.measure.headroom import read_headroom
from memcurve.measure.inprocess import readers_of
from memcurve.measure.table import LocalTable
from memcurve.measure.worker.counters import COLUMNS, INDEX, Counters
from memcurve.measure.worker.resources import MISSING
from memcurve.model.curve import Curve
from memcurve.model.diagnosis import Headroom
from memcurve.model.errors import MeasureError
from memcurve.model.recording import (
    InFlight,
    PassRecord,
    Recording,
    Samples,
    Verification,
)
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Checked, Judgement, Rise, Verdict
from memcurve.run.fork import environment_here

FIXED_ALLOWANCE_NS = 50_000_000
FIRST_MARKS = 5  # always written: what the first cases build is part of every picture
NO_MORE_THAN_APART = 10  # marks; however expensive a row is, a curve keeps that resolution
FEWEST_ROWS = 16


class Resources(msgspec.Struct, frozen=True, kw_only=True):
    """What the program holds at the last row; None where it cannot be read here."""

    fds: int | None
    sockets: int | None
    threads: int | None
    tasks: int | None
    rss_bytes: int | None
    rss_peak_bytes: int | None


class _Collections:
    """The number of full collections so far, as the last column of each row."""

    def write(self, cells: memoryview, start: int) -> None:
        cells[start] = gc.get_stats()[-1]["collections"]


class Watch:
    """The curve of the program from `__enter__` on; `mark` after each case adds to it."""

    def __init__(self, *, collect: bool, rows: int, share: float, thresholds: Thresholds) -> None:
        if rows < FEWEST_ROWS:
            raise ValueError(f"rows is {rows}; a curve needs {FEWEST_ROWS} or more")
        self.collect, self.share, self.thresholds = collect, share, thresholds
        self.marks = 0
        self._lock = threading.Lock()
        self._pid = os.getpid()
        # an odd number of rows: its first, its last and every second in between are evenly apart
        self._table = LocalTable((*COLUMNS, FULL_COLLECTIONS), (rows - 1) | 1)
        self._table.keeps_extremes = False
        self._counters: Any = None
        self._proof: Verification | None = None
        self._every = 1  # marks for each row: doubled whenever the table is full
        self._spent_ns = self._began_cpu_ns = self._began_wall_ns = self._last_row = 0

    def __enter__(self) -> Self:
        self._counters = Counters(self._table, _Collections(), True, readers_of(self._pid))
        self._began_cpu_ns, self._began_wall_ns = time.process_time_ns(), time.perf_counter_ns()
        # twice: what the first reading itself leaves behind is there before the second
        self._write(self.collect)
        self._table.clear()
        self._write(self.collect)
        self._spent_ns = 0
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._last_row < self.marks:
                self._write(self.collect)

    def mark(self, *, collect: bool | None = None) -> None:
        """Say that one case is done; writes a row where that can be afforded.

        `collect` runs a full collection first (default: what `watch` was given). Safe to call from
        several threads. Raises MeasureError in a fork of the process that began to watch, and
        before `with`.
        """
        if self._counters is None:
            raise MeasureError("the watch was not entered: write `with memcurve.watch() as watch`")
        if os.getpid() != self._pid:
            raise MeasureError(
                f"process {os.getpid()} marks a watch of process {self._pid}; "
                "begin a watch in each process"
            )
        with self._lock:
            self.marks += 1
            if self._wanted():
                self._write(self.collect if collect is None else collect)

    def _wanted(self) -> bool:
        if self.marks % self._every:
            return False
        if self.marks <= FIRST_MARKS or self.marks - self._last_row >= NO_MORE_THAN_APART:
            return True
        own_ns = time.process_time_ns() - self._began_cpu_ns - self._spent_ns
        return self._spent_ns <= FIXED_ALLOWANCE_NS + self.share * own_ns

    def _write(self, collect: bool) -> None:
        began_ns = time.process_time_ns()
        if collect:
            gc.collect()
        clock = self._counters.clock
        clock.cpu_ns = began_ns - self._began_cpu_ns - self._spent_ns
        clock.wall_ns = time.perf_counter_ns() - self._began_wall_ns
        missing = (MISSING, MISSING)
        if self._counters.write_row(self.marks, missing, _running_loop(), False):
            self._every *= 2
        self._last_row = self.marks
        self._spent_ns += time.process_time_ns() - began_ns

    @property
    def cost_s(self) -> float:
        """The CPU seconds that all marks together have cost."""
        return self._spent_ns / 1e9

    @property
    def rows(self) -> int:
        """How many rows there are; the last of them is of call `marks` or before."""
        return int(self._table.rows)

    def curve(self, counter: str = "live_bytes") -> Curve:
        """Return one counter over the marks: a name from `memcurve.units.COUNTERS`."""
        return self._samples().curve(counter)

    def _samples(self) -> Samples:
        with self._lock:
            return self._table.samples()

    def recording(self) -> Recording:
        """Return all rows, as `memcurve` stores them."""
        proof = self._proof
        record = PassRecord(
            kind="natural",
            mode="natural",
            samples=self._samples(),
            verifications=(proof,) if proof and proof.call == self._last_row else (),
            isolation="none",
            calls=self._last_row,
            cpu_s=self._counters.clock.cpu_ns / 1e9,
            wall_s=self._counters.clock.wall_ns / 1e9,
            sampling_s=self.cost_s,
        )
        return Recording(
            scenario="watch",
            design="program",
            target="",
            calls=self.marks,
            environment=environment_here(),
            passes=(record,),
        )

    def verdict(self, *, collect: bool = False) -> Verdict:
        """Return the worst verdict of memory, descriptors, threads and tasks so far."""
        return self.result(collect=collect).verdict

    def result(self, *, collect: bool = False) -> Checked:
        """Judge what was seen so far, and return what the verdict rests on.

        The rule is that of `check`; a rise is called growing only if full collections ran and did
        not take it back (see `judge.natural`). `collect` runs one now. Costs a few milliseconds.
        """
        if collect:
            self._proof = self._verification()
        recording = self.recording()
        judgement = judge_natural(recording, self.thresholds)
        return Checked(
            verdict=judgement.overall,
            judgement=judgement,
            recording=recording,
            elapsed_s=recording.passes[0].wall_s,
        )

    def _verification(self) -> Verification:
        """Collect, and say what that freed of cyclic garbage; emptied free lists are not it."""
        live, flags, kept = self._counters.live_bytes, gc.get_debug(), len(gc.garbage)
        gc.set_debug(flags | gc.DEBUG_SAVEALL)
        try:
            objects = gc.collect()
        finally:
            gc.set_debug(flags)
        before = live()
        del gc.garbage[kept:]
        gc.collect()
        return Verification(
            call=self._last_row,
            released_bytes=max(before - live(), 0) if objects else 0,
            waited_bytes=0,
            unfrozen_objects=objects,
            in_flight=InFlight(),
        )

    @property
    def resources(self) -> Resources:
        """What the program held at the last row."""
        start = self._table.rows * self._table.width
        names = Resources.__struct_fields__
        values = {name: self._table.cells[start + INDEX[name]] for name in names}
        return Resources(**{name: None if v == MISSING else v for name, v in values.items()})

    @property
    def headroom(self) -> Headroom | None:
        """The nearest limit on memory and the calls until it; None where none can be read."""
        limit = read_headroom()
        if limit is None:
            return None
        return _with_calls(limit, judge_natural(self.recording(), self.thresholds))

    def report(self, *, collect: bool = False) -> str:
        """Return the state of the watch as lines for a terminal or a log; `collect` as above."""
        from memcurve.report.watch_text import watch_text

        result, limit = self.result(collect=collect), read_headroom()
        if limit is not None:
            limit = _with_calls(limit, result.judgement)
        return watch_text(result, self.resources, limit, self.marks, self.rows, self.cost_s)

    def __repr__(self) -> str:
        return f"<Watch: {self.marks} marks, {self._table.rows} rows, every {self._every}>"


def _with_calls(limit: Headroom, judgement: Judgement) -> Headroom:
    """Say how many calls are left until the limit, if memory is proved to grow."""
    if not isinstance(judgement.retained, Rise):
        return limit
    calls = int(limit.left_bytes / judgement.retained.per_call)
    return msgspec.structs.replace(limit, calls_left=calls)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def watch(
    *,
    collect: bool = False,
    rows: int = 4096,
    share: float = 0.05,
    thresholds: Thresholds | None = None,
) -> Watch:
    """Watch this program: `with memcurve.watch() as watch`, and `watch.mark()` after each case.

    `collect` runs a full collection before each row: then no garbage waits, the verdict is as sure
    as that of a check, and a row costs what a full collection costs. `rows` bounds the table (120
    bytes each), `share` the CPU time of all rows as a part of the program's own.
    """
    return Watch(collect=collect, rows=rows, share=share, thresholds=thresholds or Thresholds())
