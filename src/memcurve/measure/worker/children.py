"""Count the processes that descend from this one, and the memory that they hold.

A child's bytes are its private memory without a file, resident or swapped, in whole pages, less
what it inherited: a forked child holds the pages of its parent until one of the two writes, and
that number does not change when one does. What it held alone when it was first seen, and all that
comes later, is its own. So pages that are copied on writing never read as growth, neither the
child's nor its parent's.
"""

from __future__ import annotations

import mmap
import os
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from . import family, heap, roles

MOST = 4096  # children that are kept in mind
WIDTH = 3  # numbers of each: process, bytes inherited, bytes of its own when first seen
NEW = -1
ENDED = "ZX"


class Count(NamedTuple):
    """What descends from this process: bytes, running processes, zombies.

    `hidden` tells that there are children and that none of them can be read.
    """

    bytes: int = 0
    processes: int = 0
    zombies: int = 0
    hidden: bool = False


NONE, HIDDEN = Count(), Count(hidden=True)


class Children:
    """Read the descendants of this process.

    Costs 3 microseconds where there are none, and 20 for each one, 1 ms when it is first seen. One
    that was seen is counted until it ends, also when its parent ended before. The state stands in
    pages that belong to neither heap.
    """

    def __init__(self) -> None:
        self._own = os.getpid()
        self._listing = family.Listing()
        self._pages = mmap.mmap(-1, (MOST * WIDTH + 1) * 8)
        self._cells = memoryview(self._pages).cast("q")  # how many are known, then each of them

    def read(self) -> Count:
        """Return what there is now."""
        if not family.has_children() and not self._cells[0]:
            return NONE
        total = processes = zombies = 0
        members = self._members()
        self._cells[0] = 0
        for pid, inherited, first in members:
            status = family.status_of(pid)
            if status is None:
                continue
            if status.state in ENDED:
                zombies += 1
            else:
                processes += 1
                if first == NEW or status.bytes < inherited:  # or it runs another program now
                    inherited = min(_inherited(pid), status.bytes)
                own = status.bytes - inherited
                total += own
                first = own if first == NEW else first
            self._keep(pid, inherited, first)
        return Count(total, processes, zombies, hidden=not members)

    def _members(self) -> List[Tuple[int, int, int]]:
        """Return (process, inherited, first) of those known, and of those that came since."""
        cells, known = self._cells, self._cells[0]
        members = [
            (cells[at], cells[at + 1], cells[at + 2]) for at in range(1, known * WIDTH + 1, WIDTH)
        ]
        parents = {self._own, *(member[0] for member in members)}
        found = self._listing.newcomers()
        while True:
            ours = [pid for pid, parent in found if parent in parents and pid not in parents]
            if not ours:
                return members
            parents.update(ours)
            members.extend((pid, 0, NEW) for pid in ours)

    def _keep(self, pid: int, inherited: int, first: int) -> None:
        known = self._cells[0]
        if known < MOST:
            at = 1 + known * WIDTH
            self._cells[at], self._cells[at + 1], self._cells[at + 2] = pid, inherited, first
            self._cells[0] = known + 1

    def describe(self) -> List[Dict[str, Any]]:
        """Return what each running descendant is, and what it holds and gained, in bytes."""
        self.read()
        found = []
        cells = self._cells
        for at in range(1, cells[0] * WIDTH + 1, WIDTH):
            pid, inherited, first = cells[at], cells[at + 1], cells[at + 2]
            status = family.status_of(pid)
            if status is None or status.state in ENDED:
                continue
            own = status.bytes - inherited
            gained = own - max(first, 0)
            found.append({"pid": pid, "bytes": own, "gained": gained, **roles.of(pid, status)})
        return found


def reader() -> Optional[Children]:
    """Return what counts the descendants of this process, None where there is no /proc."""
    try:
        return Children() if family.status_of(os.getpid()) is not None else None
    except (AttributeError, OSError):
        return None


def source() -> heap.Source:
    """Return how they are read, for a reader."""
    if reader() is None:
        note = "no /proc here: child processes are not counted"
        return heap.Source("none", lambda: 0, exact=False, note=note)
    return heap.Source("/proc/PID/status", lambda: 0, note="in whole pages")


def _inherited(pid: int) -> int:
    """Return the bytes without a file that a process shares with others, by its page tables."""
    text = family.contents(pid, "smaps_rollup")
    shared = family.figure(text, b"\nAnonymous:") - family.figure(text, b"\nPrivate_Dirty:")
    return max(shared, 0) * 1024
