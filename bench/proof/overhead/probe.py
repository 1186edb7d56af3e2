"""What is timed in `make overhead`: the pooled node, read from inside its own process.

Every way of measuring runs the same target, which notes the CPU time of its process at two calls.
What lies between is everything that the process did: calls, samples, collections, tracing.

Run as a program it is the plain runner: it imports the target once, and forks for each line of its
input, `MODE CALLS FILE`, with nothing around the calls, or with a tracer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

from bench.designs.pooled import calls as pooled
from bench.designs.pooled.setups import pools
from bench.proof.overhead.notes import CALLS, NOTES, note_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragpool.vectordb_node import Pools

__all__ = ["pools", "vectordb_node"]


async def vectordb_node(pools: Pools, number: int) -> None:
    """Run the node once; note the process's CPU time after the warm-up and the last call."""
    await pooled.vectordb_node(pools, number)
    note_at(number)


@contextlib.contextmanager
def traced(mode: str) -> Iterator[None]:
    """Trace allocations as the mode says; "bare" does nothing."""
    if mode.startswith("memray"):
        import memray

        path = Path(os.environ[NOTES], "capture.bin")
        with memray.Tracker(path, trace_python_allocators=mode == "memray-python"):
            yield
    elif mode.startswith("tracemalloc"):
        tracemalloc.start(int(mode.partition("-")[2]))
        yield
    else:
        yield


async def _calls(count: int) -> None:
    async with pools() as shared:
        for number in range(count):
            await vectordb_node(shared, number)


def _run_forked(mode: str, calls: int, folder: str) -> int:
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.environ[NOTES], os.environ[CALLS] = folder, str(calls)
            with traced(mode):
                asyncio.run(_calls(calls))
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Serve the lines of the input, and answer each with the status of its run."""
    for line in sys.stdin:
        mode, calls, folder = line.split()
        print(_run_forked(mode, int(calls), folder), flush=True)


if __name__ == "__main__":
    main()
