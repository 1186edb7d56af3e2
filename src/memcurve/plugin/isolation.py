"""Choose where a callable is measured: in a fork of this process, or in the process itself.

A fork leaves the tests that follow untouched and survives what is measured. But it has no threads
of its parent, and two processes cannot share a connection or an event loop. So what was opened
since the session began decides: a socket (every event loop has one) or a thread asks for this
process.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenResources:
    """What this process has open and a fork could not use: sockets and threads."""

    sockets: int
    threads: int

    def beyond(self, before: "OpenResources") -> bool:
        return self.sockets > before.sockets or self.threads > before.threads


OPEN_AT_START = pytest.StashKey[OpenResources]()


def read_open() -> OpenResources:
    """Count the sockets and threads of this process, and keep no descriptor for that."""
    threads = len(list(Path("/proc/self/task").iterdir())) if DESCRIPTORS.exists() else 0
    return OpenResources(sockets=_sockets(), threads=threads)


def _sockets() -> int:
    if not DESCRIPTORS.exists():
        return 0
    links = (_link(path) for path in DESCRIPTORS.iterdir())
    return sum(1 for link in links if link.startswith("socket:"))


def _link(path: Path) -> str:
    try:
        return os.readlink(path)  # noqa: PTH115 - as text: it names no file
    except OSError:
        return ""
