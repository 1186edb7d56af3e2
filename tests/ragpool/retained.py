"""Measure, in a process of its own, what an execution leaves behind: prints JSON.

Run with `PYTHONMALLOC=malloc` and `GLIBC_TUNABLES=glibc.malloc.tcache_count=0`, so that glibc's
own count covers every byte, Python's objects included.
"""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import sys
from typing import Any

import ragpool


class _Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = (
        *((f"_{number}", ctypes.c_size_t) for number in range(4)),
        ("hblkhd", ctypes.c_size_t),
        *((f"_{number}", ctypes.c_size_t) for number in (5, 6)),
        ("uordblks", ctypes.c_size_t),
        *((f"_{number}", ctypes.c_size_t) for number in (8, 9)),
    )


_LIBC = ctypes.CDLL(None)
_LIBC.mallinfo2.restype = _Mallinfo


def live_bytes() -> int:
    for _ in range(3):
        gc.collect()
    getattr(sys, "_clear_type_cache", int)()  # or it keeps up to 4,096 names of look-ups
    info = _LIBC.mallinfo2()
    return int(info.uordblks + info.hblkhd)


BATCHES = 3


def workflows(config: dict[str, Any]) -> list[ragpool.Workflow]:
    good = ragpool.Workflow.single(config)
    bad = ragpool.Workflow.single({**config, "collections": ["missing-one"]})
    return [good, bad, good]


def batch(
    manager: ragpool.WorkflowExecutionManager,
    kinds: list[ragpool.Workflow],
    count: int,
    leak: list[Any] | None,
) -> None:
    """Run a third that succeeds, a third that fails, a third that is cancelled."""
    executors = [manager.submit(kinds[number % 3], f"query {number}") for number in range(count)]
    for executor in executors[2::3]:
        executor.cancel()
    for executor in executors:
        executor.wait(60)
        if leak is not None:
            leak.append(executor)
    manager.cleanup_completed_executions()


def main(server_url: str, warm_up: int, count: int, leak: bool) -> None:
    logging.disable()
    config = {
        "llm_model": "gpt-4o-mini",
        "llm_base_url": f"{server_url}/v1",
        "llm_api_key": "key",
        "rag_base_url": f"{server_url}/rag",
        "max_rounds": 1,
        "answer": False,
    }
    pools = ragpool.Pools(
        llm=ragpool.LLMPool(), retrieval=ragpool.RAGServicePool(), cache=ragpool.SearchCache()
    )
    manager = ragpool.WorkflowExecutionManager(3, pools=pools)
    kinds, kept = workflows(config), [] if leak else None
    batch(manager, kinds, warm_up, None)
    # the least of some batches: what an execution keeps is in each, what a cache fills is not
    grown = []
    for _ in range(BATCHES):
        before = live_bytes()
        batch(manager, kinds, count, kept)
        grown.append((live_bytes() - before) / count)
    manager.close()
    print(json.dumps({"bytes_per_execution": min(grown)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "leak")
