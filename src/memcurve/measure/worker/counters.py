"""Write one row of counters into a table that lives outside the measured heaps.

The table is a file mapped into memory: what is written there allocates nothing that stays, and the
parent can read it even if this process dies. A row is `COLUMNS` signed 64-bit integers, followed by
one for each gauge; a value that was not read is `MISSING`. Before the rows stands a header of the
same width: the number of the call that runs, how many rows there are, and whether a copy of this
process came back from a call.
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import os
import sys
import time
from typing import Any, Iterable, List, Optional, Protocol, Tuple, Union

from . import heap

COLUMNS = (
    "call",  # calls finished so far
    "python_bytes",  # live, pymalloc
    "malloc_bytes",  # live, malloc
    "deferred_bytes",  # that only the collector freed of all calls since the row before
    "deferred_objects",
    "objects",  # tracked by the collector, born since the measurement began
    "fds",
    "sockets",
    "threads",
    "tasks",
    "rss_bytes",
    "rss_peak_bytes",  # since the measurement began
    "cpu_ns",  # used by the calls themselves, since the measurement began
    "wall_ns",
)
INDEX = {name: position for position, name in enumerate(COLUMNS)}
MISSING = -(1 << 63)


class Table:
    """Rows of 64-bit integers in a shared file."""

    def __init__(self, path: str, width: int) -> None:
        with open(path, "r+b") as file:
            self._adopt(mmap.mmap(file.fileno(), 0), width)

    def _adopt(self, memory: mmap.mmap, width: int) -> None:
        self._map = memory
        self.cells = memoryview(memory).cast("q")
        self.width = width
        self.capacity = len(self.cells) // width - 1
        for position in range(0, len(memory), mmap.PAGESIZE):
            memory[position] = 0  # touched now, so that no row adds a resident page

    @property
    def rows(self) -> int:
        return int(self.cells[1])

    def clear(self) -> None:
        self.cells[1] = 0

    def running(self, call: int) -> None:
        """Tell the parent which call runs."""
        self.cells[0], self.cells[3] = call, 1

    def returned(self) -> None:
        """Tell the parent that the call is over: what follows is none of it."""
        self.cells[3] = 0

    def copied(self) -> None:
        """Tell that this process is a copy, made by a fork in the target."""
        self.cells[2] = 1

    @property
    def was_copied(self) -> bool:
        return bool(self.cells[2] != 0)

    def next_row(self) -> Optional[int]:
        """Return the offset of the next row, or None when the table is full."""
        rows = self.cells[1]
        return (rows + 1) * self.width if rows < self.capacity else None

    def end_row(self) -> None:
        """Make the row that was just written part of the table."""
        self.cells[1] += 1


class Gauge(Protocol):
    """Whatever fills the columns behind our own."""

    def write(self, cells: Any, start: int) -> None:
        """Write its columns from `cells[start]` on."""


class Gauges:
    """Integers that another process keeps in a mapped file, such as a server's connections."""

    def __init__(self, sources: Iterable[Tuple[str, int]]) -> None:
        self._cells: List[Tuple[Any, int]] = []
        for path, position in sources:
            with open(path, "rb") as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._cells.append((memoryview(mapped).cast("q"), position))

    def write(self, cells: Any, start: int) -> None:
        for offset, (values, position) in enumerate(self._cells):
            cells[start + offset] = values[position]


class ProcFiles:
    """Resources of this process by /proc, through descriptors that stay open."""

    def __init__(self) -> None:
        self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        self._stat = os.open("/proc/self/stat", os.O_RDONLY)
        self._status = os.open("/proc/self/status", os.O_RDONLY)
        self._page = os.sysconf("SC_PAGE_SIZE")

    def threads(self) -> int:
        text = os.pread(self._stat, 1024, 0)
        return int(text[text.rindex(b")") :].split()[18])

    def rss(self) -> int:
        return int(os.pread(self._statm, 128, 0).split()[1]) * self._page

    def rss_peak(self) -> int:
        text = os.pread(self._status, 4096, 0)
        start = text.find(b"VmHWM:")
        return int(text[start + 6 : text.index(b"kB", start)]) * 1024 if start >= 0 else MISSING

    def reset_rss_peak(self) -> None:
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            return

    def descriptors(self, by_kind: bool) -> Tuple[int, int]:
        """Return (descriptors, sockets); the one that lists the folder is not counted.

        Telling sockets apart costs a system call for each descriptor: only `by_kind` does it.
        """
        names = os.listdir("/proc/self/fd")
        if not by_kind:
            return len(names) - 1, MISSING
        sockets = 0
        for name in names:
            try:
                sockets += os.readlink("/proc/self/fd/" + name).startswith("socket:")
            except OSError:
                pass
        return len(names) - 1, sockets


class PortableResources:
    """Resources where there is no /proc: psutil if it is there, the standard library if not."""

    def __init__(self) -> None:
        self._process: Any = None
        try:
            import psutil

            self._process = psutil.Process()
        except ImportError:
            return

    def threads(self) -> int:
        import threading

        return int(self._process.num_threads()) if self._process else threading.active_count()

    def rss(self) -> int:
        return int(self._process.memory_info().rss) if self._process else MISSING

    def rss_peak(self) -> int:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024

    def reset_rss_peak(self) -> None:
        """Do nothing: only Linux can forget a high-water mark."""

    def descriptors(self, by_kind: bool) -> Tuple[int, int]:
        if os.path.isdir("/dev/fd"):
            return len(os.listdir("/dev/fd")) - 1, MISSING
        return (self._process.num_handles() if self._process else MISSING), MISSING


Resources = Union[ProcFiles, PortableResources]
Readers = Tuple[heap.Source, heap.Source, Resources]


def resources() -> Resources:
    """Return the reader of descriptors, threads and resident memory that this platform has."""
    return ProcFiles() if os.path.exists("/proc/self/statm") else PortableResources()


def count_tasks(loop: Optional[asyncio.AbstractEventLoop], _asyncio: Any = asyncio) -> int:
    """Count the unfinished tasks of `loop`."""
    return len(_asyncio.all_tasks(loop)) if loop is not None else 0


class Clock:
    """CPU and wall time that the calls used, without what the harness used between them."""

    def __init__(self) -> None:
        self.cpu_ns = self.wall_ns = 0
        self._cpu = self._wall = 0

    def start(self) -> None:
        self._wall, self._cpu = time.perf_counter_ns(), time.process_time_ns()

    def stop(self) -> None:
        self.cpu_ns += time.process_time_ns() - self._cpu
        self.wall_ns += time.perf_counter_ns() - self._wall


def make_readers() -> Readers:
    """Return the readers of Python's heap, malloc's heap and resources, for this process only.

    They hold descriptors for as long as the process lives: a process that is measured more than
    once should make them once.
    """
    malloc = heap.malloc_source()
    return heap.python_source(malloc), malloc, resources()


class Counters:
    """Read every counter of this process into a row of a table.

    Costs about 60 microseconds a row on a small heap; the walk of Python's heap adds 0.2
    microseconds for each of its pools (0.5 ms at 45 MB).
    """

    def __init__(
        self, table: Table, gauges: Gauge, natural: bool, readers: Optional[Readers] = None
    ) -> None:
        self.python, self.malloc, self.resources = readers or make_readers()
        self.clock = Clock()
        self.objects_frozen = 0  # survivors that a verification has frozen, still counted
        self.table, self._gauges, self._natural = table, gauges, natural

    def live_bytes(self) -> int:
        """Return the live bytes of both heaps."""
        return self.python.read() + self.malloc.read()

    def write_row(
        self,
        call: int,
        deferred: Tuple[int, int],
        loop: Optional[asyncio.AbstractEventLoop],
        tracked: bool,
    ) -> bool:
        """Write one row; `deferred` is (bytes, objects), `tracked` tells whether to list objects.

        The heaps are read first, so that nothing that this method makes is in them.
        """
        table, cells = self.table, self.table.cells
        start = table.next_row()
        if start is None:
            return False
        cells[start + 1] = self.python.read()
        cells[start + 2] = self.malloc.read()
        cells[start] = call
        cells[start + 3], cells[start + 4] = deferred
        cells[start + 5] = self.objects_frozen + len(gc.get_objects()) if tracked else MISSING
        cells[start + 6], cells[start + 7] = self.resources.descriptors(self._natural)
        cells[start + 8] = self.resources.threads()
        cells[start + 9] = count_tasks(loop)
        cells[start + 10] = self.resources.rss() if self._natural else MISSING
        cells[start + 11] = self.resources.rss_peak() if self._natural else MISSING
        cells[start + 12] = self.clock.cpu_ns
        cells[start + 13] = self.clock.wall_ns
        self._gauges.write(cells, start + len(COLUMNS))
        table.end_row()
        return True
