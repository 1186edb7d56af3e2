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
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Protocol, Tuple

from . import children, heap, layout, mapped, resources
from .resources import MISSING

COLUMNS = (
    "call",  # calls finished so far
    "python_bytes",  # live, pymalloc
    "malloc_bytes",  # live, malloc
    "mapped_bytes",  # mapped past both heaps
    "mapped_touched_bytes",  # of what no heap has: resident or swapped, to be told by its growth
    "children_bytes",  # held by the processes that descend from this one
    "deferred_bytes",  # that only the collector freed of all calls since the row before
    "deferred_objects",
    "objects",  # tracked by the collector, born since the measurement began
    "fds",
    "sockets",
    "threads",
    "tasks",
    "processes",  # descendants that run
    "zombies",  # descendants that ended and were not waited for
    "rss_bytes",
    "rss_peak_bytes",  # since the measurement began
    "cpu_ns",  # used by the calls themselves, since the measurement began
    "wall_ns",
)
INDEX = {name: position for position, name in enumerate(COLUMNS)}
LIVE = tuple(
    INDEX[name] for name in ("python_bytes", "malloc_bytes", "mapped_bytes", "children_bytes")
)
FEWEST_WITH_EXTREMES = 8  # rows; of fewer, two more than every second one would leave no room
SUMMED = (INDEX["deferred_bytes"], INDEX["deferred_objects"])


class Table:
    """Rows of 64-bit integers in a shared file."""

    keeps_extremes = True  # not where rows must stay evenly apart

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

    @property
    def is_full(self) -> bool:
        return bool(self.cells[1] >= self.capacity)

    def next_row(self) -> int:
        """Return the offset of the next row; there is one after `keep_every_second`."""
        return int(self.cells[1] + 1) * self.width

    def keep_every_second(self) -> None:
        """Drop every second row, in place: a full table has room again.

        The first row stays, the last, and those with the least and the most live memory of all:
        a peak that one call in a million reached is in the curve of the million. What stands for
        all calls since the row before is added to the row that stays.
        """
        cells, last = self.cells, self.rows
        wanted = self.keeps_extremes and last >= FEWEST_WITH_EXTREMES
        least, most = self._extremes() if wanted else (1, 1)
        cells[1] = 0  # who reads it now, because this process died, finds no row twice
        kept = 1
        for row in range(2, last + 1):
            if row % 2 == 0 and row not in (least, most, last):
                self._add_sums(row, row + 1)
            else:
                self._move(row, kept := kept + 1)
        cells[1] = kept

    def _extremes(self) -> Tuple[int, int]:
        """Return the first rows with the least and with the most live memory."""
        least = most = 1
        lowest = highest = self._live(1)
        for row in range(2, self.rows + 1):
            live = self._live(row)
            if live < lowest:
                least, lowest = row, live
            elif live > highest:
                most, highest = row, live
        return least, most

    def _live(self, row: int) -> int:
        cells, start = self.cells, row * self.width
        live = 0
        for column in LIVE:
            if column < self.width and cells[start + column] != MISSING:
                live += cells[start + column]
        return live

    def _add_sums(self, gone: int, stays: int) -> None:
        for column in SUMMED:
            here, there = gone * self.width + column, stays * self.width + column
            if column < self.width and MISSING not in (self.cells[here], self.cells[there]):
                self.cells[there] += self.cells[here]

    def _move(self, row: int, place: int) -> None:
        start, width = row * self.width, self.width
        self.cells[place * width : (place + 1) * width] = self.cells[start : start + width]

    def end_row(self) -> None:
        """Make the row that was just written part of the table."""
        self.cells[1] += 1


class Gauge(Protocol):
    """Whatever fills the columns after our own."""

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


class Readers(NamedTuple):
    """What reads this process; the last two are None where nothing can."""

    python: heap.Source
    malloc: heap.Source
    resources: resources.Resources
    mapped: Optional[mapped.Mapped]
    children: Optional[children.Children]


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
    """Return the readers of the heaps, of what is outside them, and of resources.

    They are for this process only and hold descriptors for as long as it lives: a process that is
    measured more than once should make them once.
    """
    malloc = heap.malloc_source()
    python = heap.python_source(malloc)
    return Readers(
        python, malloc, resources.reader(), mapped.reader(python, malloc), children.reader()
    )


class Counters:
    """Read every counter of this process into a row of a table.

    Costs about 60 microseconds a row on a small heap; the walk of Python's heap adds 0.2
    microseconds for each of its pools (0.5 ms at 45 MB). What is mapped past the heaps adds 5, and
    0.1 to 3 ms (in a process of 2,000 mappings) where that changed; child processes add 3, and 20
    for each of them.
    """

    def __init__(
        self, table: Table, gauges: Gauge, natural: bool, readers: Optional[Readers] = None
    ) -> None:
        self._readers = readers = readers or make_readers()
        self.python, self.malloc, self.resources = readers[:3]
        self.clock = Clock()
        self.objects_frozen = 0  # survivors that a verification has frozen, still counted
        self.table, self._gauges, self._natural = table, gauges, natural

    def live_bytes(self) -> int:
        """Return the live bytes of both heaps."""
        return self.python.read() + self.malloc.read()

    def child_processes(self) -> List[Dict[str, Any]]:
        """Return what descends from this process: see `children.Children.describe`."""
        return self._readers.children.describe() if self._readers.children is not None else []

    def address_space(self) -> layout.Layout:
        """Return the mappings of this process by kind, as far as they are told apart."""
        return self._readers.mapped.layout if self._readers.mapped is not None else layout.Layout()

    def _mapped(self) -> Tuple[int, int]:
        reader = self._readers.mapped
        return (reader.read(), reader.touched) if reader is not None else (MISSING, MISSING)

    def _children(self) -> Tuple[int, int, int]:
        reader = self._readers.children
        found = reader.read() if reader is not None else children.HIDDEN
        if found.hidden:
            return MISSING, MISSING, MISSING
        return found.bytes, found.processes, found.zombies

    def write_row(
        self,
        call: int,
        deferred: Tuple[int, int],
        loop: Optional[asyncio.AbstractEventLoop],
        tracked: bool,
    ) -> bool:
        """Write one row; `deferred` is (bytes, objects), `tracked` tells whether to list objects.

        The heaps are read first, so that nothing that this method makes is in them. Returns whether
        the table is full by it, and every second row had to make room: rows should stand twice as
        far apart from now on. No row is ever left out because a table is full.
        """
        table, cells = self.table, self.table.cells
        start = table.next_row()
        cells[start] = call
        cells[start + 1] = self.python.read()
        cells[start + 2] = self.malloc.read()
        cells[start + 3], cells[start + 4] = self._mapped()
        cells[start + 5], processes, zombies = self._children()
        cells[start + 6], cells[start + 7] = deferred
        cells[start + 8] = self.objects_frozen + len(gc.get_objects()) if tracked else MISSING
        cells[start + 9], cells[start + 10] = self.resources.descriptors(self._natural)
        cells[start + 11] = self.resources.threads()
        cells[start + 12] = count_tasks(loop)
        cells[start + 13], cells[start + 14] = processes, zombies
        cells[start + 15] = self.resources.rss() if self._natural else MISSING
        cells[start + 16] = self.resources.rss_peak() if self._natural else MISSING
        cells[start + 17] = self.clock.cpu_ns
        cells[start + 18] = self.clock.wall_ns
        self._gauges.write(cells, start + len(COLUMNS))
        table.end_row()
        if not table.is_full:
            return False
        table.keep_every_second()
        return True
