"""Find the processes that descend from this one, through /proc.

One system call says that there are none, which is the common case. Where there are some, the
folder is listed again only when the system has started a process or a thread since; of what it
lists, a process is looked at once. Note: ``/proc/PID/task/TID/children`` would say it directly,
but many kernels are built without, and its own documentation calls it unreliable while they run.
"""

from __future__ import annotations

import array
import mmap
import os
from typing import List, NamedTuple, Optional, Tuple

WAIT_FOR_ALL = 0x40000000  # __WALL: also children that end without a signal


class Status(NamedTuple):
    """What /proc/PID/status says of a process; bytes are private memory without a file."""

    parent: int
    state: str
    bytes: int


def has_children() -> bool:
    """Return whether this process has children, running or zombies; reaps none."""
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT | WAIT_FOR_ALL
    try:
        os.waitid(os.P_ALL, 0, flags)
    except ChildProcessError:
        return False
    except OSError:
        return True
    return True


def contents(pid: int, name: str, length: int = 4096) -> bytes:
    """Return the start of a file of /proc/`pid`, b"" if it cannot be read or the process is gone.

    Opened again each time: a descriptor that stays would read as one that the target lost.
    """
    try:
        descriptor = os.open("/proc/%d/%s" % (pid, name), os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(descriptor, length)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def status_of(pid: int) -> Optional[Status]:
    """Return the status of a process, None if it is gone or hidden."""
    text = contents(pid, "status")
    start = text.find(b"\nState:")
    if start < 0:
        return None
    size = 1024 * (figure(text, b"\nRssAnon:") + figure(text, b"\nVmSwap:"))
    return Status(figure(text, b"\nPPid:"), text[start + 7 :].lstrip()[:1].decode(), size)


def figure(text: bytes, name: bytes) -> int:
    """Return the number after a name, 0 without one."""
    start = text.find(name)
    return int(text[start + len(name) :].split(None, 1)[0]) if start >= 0 else 0


class Listing:
    """The processes that the system has started, each told once.

    What was told is kept in pages that belong to neither heap, one number for each process there
    may be: that of the last listing that it was in.
    """

    def __init__(self) -> None:
        self._pages = mmap.mmap(-1, 4 * (_largest_pid() + 1))
        self._seen = memoryview(self._pages).cast("I")
        self._loadavg = os.open("/proc/loadavg", os.O_RDONLY)
        self._numbers = array.array("q", [0, -1])  # of the listing, of the last process started

    def newcomers(self) -> List[Tuple[int, int]]:
        """Return (process, its parent) of those that the last listing did not have."""
        last_started = int(os.pread(self._loadavg, 128, 0).rsplit(None, 1)[-1])
        if last_started == self._numbers[1]:
            return []
        self._numbers[1] = last_started
        last = self._numbers[0]
        self._numbers[0] += 1
        found = []
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            pid = int(name)
            status = status_of(pid) if not last or self._seen[pid] != last else None
            if status is not None:
                found.append((pid, status.parent))
            self._seen[pid] = last + 1
        return found


def _largest_pid() -> int:
    try:
        with open("/proc/sys/kernel/pid_max") as file:
            return int(file.read())
    except OSError:
        return 1 << 22
