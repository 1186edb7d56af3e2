"""Run one check of so many calls, and watch how much memory its processes take meanwhile."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

EVERY_S = 0.02
KIB = 1024


class Scaled(msgspec.Struct, frozen=True, kw_only=True):
    """What one check took: memory at its highest, of memcurve and of all that it started."""

    target: str
    calls: int
    rows: int
    highest: int
    elapsed_s: float
    parent_bytes: int
    worker_bytes: int

    @property
    def bytes(self) -> int:
        """Both together."""
        return self.parent_bytes + self.worker_bytes


def scaled(target: str, calls: int) -> Scaled:
    """Check a target with so many calls; RuntimeError where that was not measured."""
    command = [sys.executable, "-m", "bench.proof.scale.one", target, str(calls)]
    began = time.monotonic()
    parent = worker = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            parent = max(parent, _high(process.pid))
            worker = max(worker, max(map(_high, _descendants(process.pid)), default=0))
            time.sleep(EVERY_S)
        assert process.stdout is not None
        printed = process.stdout.read()
    if process.returncode:
        raise RuntimeError(f"{target} with {calls:,} calls ended with {process.returncode}")
    told = json.loads(printed)
    return Scaled(
        target=target,
        calls=calls,
        rows=told["rows"],
        highest=told["highest"],
        elapsed_s=time.monotonic() - began,
        parent_bytes=parent,
        worker_bytes=worker,
    )


def _high(pid: int) -> int:
    """Return the most resident memory that a process had so far, 0 where it is gone."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * KIB
    return 0


def _descendants(pid: int) -> Iterator[int]:
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield child
                yield from _descendants(child)
