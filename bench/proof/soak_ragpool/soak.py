"""Run the executions, compare their ends, and judge the memory of this process."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import memcurve
from bench import cases
from bench.proof.soak_ragpool.fates import CLEAN, FATES, NODES, fate_of, workflow_of
from memcurve.model.thresholds import Thresholds
from ragpool.cache import SearchCache
from ragpool.execution_record import ExecutionStatus
from ragpool.llm import LLMPool
from ragpool.manager import WorkflowExecutionManager
from ragpool.retrieval import RAGServicePool
from ragpool.vectordb_node import Pools

if TYPE_CHECKING:
    from collections.abc import Callable

    from memcurve.model.verdict import Checked
    from ragpool.execution_record import ExecutionRecord

THREADS = cases.AT_A_TIME
WARM_UP = 40 * len(FATES)
"""Executions before the watch: free lists and interned strings have their size after 800."""
MARKS = 250  # the judge wants 200 to say flat
_END_S = 120.0


@dataclass(kw_only=True)
class Soaked:
    """What came of a soak."""

    executions: int
    each: int = 0
    """Executions between two marks of the watch."""
    ends: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    clean_s: list[float] = field(default_factory=list)
    """How long each execution without a fault took, from its start to its end."""
    checked: Checked | None = None
    elapsed_s: float = 0.0
    clients_open: int = 0
    """HTTP clients that the pools have not closed when all is closed."""


def soak(
    executions: int, *, keep_bytes: int = 0, told: Callable[[int], None] = lambda _: None
) -> Soaked:
    """Run so many executions; `keep_bytes` of each are kept, to see that the judge sees it."""
    found = Soaked(executions=executions)
    pools = Pools(llm=LLMPool(), retrieval=RAGServicePool(), cache=SearchCache())
    manager = WorkflowExecutionManager(THREADS, pools=pools, node_types=NODES)
    turn = len(FATES)
    each = found.each = max(1, round(executions / MARKS / THREADS)) * THREADS
    kept: list[bytes] = []
    began_s = time.monotonic()
    try:
        for start in range(0, min(WARM_UP, executions), turn):
            _run(manager, range(start, start + turn), Soaked(executions=0))
        gc.collect()
        with memcurve.watch(collect=True, share=1.0, thresholds=_thresholds(each)) as watch:
            for start in range(0, executions, each):
                numbers = range(start, min(start + each, executions))
                _run(manager, numbers, found)
                kept.extend(bytes(keep_bytes) for _ in numbers if keep_bytes)
                watch.mark()
                told(numbers.stop)
            found.checked = watch.result(collect=True)
    finally:
        manager.close()
        asyncio.run(pools.aclose())
    found.clients_open = pools.llm.stats().open + pools.retrieval.stats().open
    found.elapsed_s = time.monotonic() - began_s
    return found


def _thresholds(each: int) -> Thresholds:
    """Return memcurve's own for one execution, times the executions of a mark."""
    usual = Thresholds()
    return Thresholds(tolerance=usual.tolerance * each, floor_limit=usual.floor_limit * each)


def _run(manager: WorkflowExecutionManager, numbers: range, found: Soaked) -> None:
    """Run executions to their ends, compare those, and forget all of them."""
    running = [(n, manager.submit(workflow_of(n), cases.query(n))) for n in numbers]
    waiting = [executor for number, executor in running if fate_of(number).cancel]
    while waiting:
        for executor in [one for one in waiting if one.status is not ExecutionStatus.PENDING]:
            executor.cancel()
            waiting.remove(executor)
        time.sleep(0.001)
    for number, executor in running:
        note(found, number, executor.wait(_END_S))
    del running, executor
    manager.cleanup_completed_executions()


def note(found: Soaked, number: int, record: ExecutionRecord) -> None:
    """Count an end, and keep it where it is not the one that was injected."""
    fate = fate_of(number)
    if not fate.came(record):
        error = f"{record.error.type}: {record.error.message}" if record.error else record.status
        found.unexpected.append(f"execution {number} ({fate.name}): {error}")
        return
    found.ends[fate.name] += 1
    if fate is CLEAN and record.started_at is not None and record.finished_at is not None:
        found.clean_s.append((record.finished_at - record.started_at).total_seconds())
