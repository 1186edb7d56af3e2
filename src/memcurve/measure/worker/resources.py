"""Read descriptors, threads and resident memory of this process."""

from __future__ import annotations

import os
import sys
from typing import Any, Tuple, Union

MISSING = -(1 << 63)  # stands in a row for a value that was not read


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
        try:
            names = os.listdir("/proc/self/fd")
        except OSError:  # the target has used up all that this process may have
            return MISSING, MISSING
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


def reader() -> Resources:
    """Return what this platform has."""
    return ProcFiles() if os.path.exists("/proc/self/statm") else PortableResources()
