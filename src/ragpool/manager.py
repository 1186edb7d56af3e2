"""Keep the executions of a process: start them on worker threads, cancel, list and forget them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
import weakref
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ragpool.errors import ClosedError, UnknownExecutionError
from ragpool.execution_record import ExecutionRecord, ExecutionStatus
from ragpool.execution_store import ExecutionStore
from ragpool.executions import AsyncWorkflowExecutor
from ragpool.forks import follow_forks, keep_inherited
from ragpool.loop_threads import LoopThreads
from ragpool.process_default import ProcessDefault
from ragpool.workflow import NODE_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragpool.progress import Progress
    from ragpool.vectordb_node import Pools
    from ragpool.workflow import NodeType, Workflow

logger = logging.getLogger(__name__)

_CLOSE_WAIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerStats:
    """How many executions the manager holds, by status, and its threads."""

    pending: int
    running: int
    completed: int
    error: int
    cancelled: int
    interrupted: int
    worker_threads: int
    max_worker_threads: int
    waiting_for_a_thread: int
    removed: int
    """Executions forgotten since the manager was made."""


class WorkflowExecutionManager(ProcessDefault):
    """Run workflows on up to `workflow_max_workers` threads, each with one long-lived event loop.

    Holds at most `max_unfinished` executions that are not over, and `max_history` that are; what
    it removes leaves nothing behind. `clock` (seconds) decides ages; `on_change` is told every
    record, on the thread where the execution changed.
    """

    CLEANUP_INTERVAL: ClassVar[int] = 300
    MAX_AGE_SECONDS: ClassVar[int] = 7200

    def __init__(
        self,
        workflow_max_workers: int = 10,
        *,
        pools: Pools | None = None,
        node_types: Mapping[str, NodeType] = NODE_TYPES,
        max_unfinished: int = 10_000,
        max_unfinished_per_caller: int | None = None,
        max_history: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[ExecutionRecord], None] | None = None,
    ) -> None:
        self.workflow_max_workers = workflow_max_workers
        self._bounds = max_unfinished, max_history, max_unfinished_per_caller
        self._pools = pools
        self._node_types = node_types
        self._clock = clock
        self._on_change = on_change
        self._last_cleanup_time = clock()
        self._closed = False
        self._begin()
        follow_forks(self)

    def _begin(self) -> None:
        self._execution_lock = threading.RLock()
        self._store = ExecutionStore(*self._bounds)
        self.executor_pool = LoopThreads(
            self.workflow_max_workers,
            "workflow-executor",
            every_s=self.CLEANUP_INTERVAL,
            tick=_weak_tick(self),
        )

    def begin_anew(self) -> None:
        """Leave executions and threads to the parent of a fork: they run there, and not here."""
        keep_inherited(self._store, self.executor_pool)
        self._begin()

    @property
    def active_executions(self) -> dict[str, AsyncWorkflowExecutor]:
        """Every execution that is held, by its id: over or not, oldest first."""
        return self._store.executors

    def create_executor(
        self,
        execution_id: str,
        workflow: Workflow,
        query: str,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        **of_the_record: Any,
    ) -> AsyncWorkflowExecutor:
        """Register a pending execution: `start()` it here, or `await executor.run()` yourself.

        `on_progress` is told what happens in it, on its thread; further arguments are those of
        `AsyncWorkflowExecutor`: `caller`, `attempt`, `request`. Cleans up first when the interval
        has passed. Raises DuplicateExecutionError, ManagerFullError, CallerFullError, ClosedError,
        and what is wrong with the workflow.
        """
        executor = AsyncWorkflowExecutor(
            execution_id,
            workflow,
            query,
            pools=self._pools,
            node_types=self._node_types,
            on_change=self._changed,
            on_progress=partial(self._heard, execution_id, on_progress),
            stream_answer=on_progress is not None,
            **of_the_record,
        )
        with self._execution_lock:
            if self._closed:
                raise ClosedError("workflow manager")
            self._cleanup_if_due()
            self._store.add(executor, self._clock())
        return executor

    def start(self, execution_id: str) -> AsyncWorkflowExecutor:
        """Have a worker thread run a pending execution; it waits until one is free."""
        executor = self.get(execution_id)
        self.executor_pool.submit(executor.run)
        return executor

    def submit(
        self, workflow: Workflow, query: str, execution_id: str | None = None
    ) -> AsyncWorkflowExecutor:
        """Create and start an execution."""
        return self.start(
            self.create_executor(execution_id or new_id(), workflow, query).execution_id
        )

    async def execute(
        self, workflow: Workflow, query: str, execution_id: str | None = None
    ) -> ExecutionRecord:
        """Run a workflow on a worker thread and wait for it; cancelling the wait cancels it."""
        executor = self.submit(workflow, query, execution_id)
        try:
            return await executor.finished()
        finally:
            self.stop(executor)  # nothing to do when it is over

    def get(self, execution_id: str) -> AsyncWorkflowExecutor:
        """Return an execution that is still held; raises UnknownExecutionError."""
        executor = self.active_executions.get(execution_id)
        if executor is None:
            raise UnknownExecutionError(execution_id)
        return executor

    def records(self) -> list[ExecutionRecord]:
        """Return the records of all executions held, oldest first."""
        with self._execution_lock:
            return [executor.record() for executor in self.active_executions.values()]

    def unfinished(self) -> list[AsyncWorkflowExecutor]:
        """Return the executions that are not over, in the order in which they came."""
        with self._execution_lock:
            return self._store.unfinished()

    async def idle(self) -> None:
        """Wait until no execution is pending or running."""
        while unfinished := self.unfinished():
            await unfinished[-1].finished()

    def cancel(self, execution_id: str) -> bool:
        """Cancel an execution; False when it is over. Raises UnknownExecutionError."""
        return self.stop(self.get(execution_id))

    def cancel_unfinished(self) -> int:
        """Cancel every execution that is not over; return how many there were."""
        unfinished = self.unfinished()
        self._cancel_all(unfinished)
        return len(unfinished)

    def remove(self, execution_id: str) -> None:
        """Forget an execution, cancelled first when it is not over."""
        executor = self.get(execution_id)
        with self._execution_lock:
            self._store.forget(execution_id)
        self.stop(executor)

    def discard(self, execution_id: str) -> None:
        """Do the same for one that may be gone already."""
        with contextlib.suppress(UnknownExecutionError):
            self.remove(execution_id)

    def cleanup_completed_executions(self) -> int:
        """Forget every execution that is over; cancel and forget those silent for too long."""
        with self._execution_lock:
            finished = self._store.finished()
            for execution_id in finished:
                self._store.forget(execution_id)
            return len(finished) + self._cleanup_stale_executions_unlocked()

    def clear(self) -> None:
        """Cancel and forget everything; the manager stays usable."""
        with self._execution_lock:
            executors = list(self.active_executions.values())
            for executor in executors:
                self._store.forget(executor.execution_id)
        self._cancel_all(executors)

    def _end_default(self) -> None:
        self.close()

    def close(self, timeout_s: float = _CLOSE_WAIT_S) -> None:
        """Cancel what is not over, and end the threads; not for use on an event loop."""
        self._begin_close()
        self.executor_pool.shutdown(timeout_s)

    async def aclose(self, timeout_s: float = _CLOSE_WAIT_S) -> None:
        """Cancel what is not over, and end the threads, whose clients close with them."""
        self._begin_close()
        await self.executor_pool.aclose(timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def stats(self) -> ManagerStats:
        with self._execution_lock:
            counts = dict.fromkeys(ExecutionStatus, 0)
            for executor in self.active_executions.values():
                counts[executor.status] += 1
            return ManagerStats(
                **{status.value: count for status, count in counts.items()},
                worker_threads=self.executor_pool.threads,
                max_worker_threads=self.workflow_max_workers,
                waiting_for_a_thread=self.executor_pool.waiting,
                removed=self._store.removed,
            )

    def __repr__(self) -> str:
        stats = self.stats()
        state = "closed" if self._closed else f"{stats.running} running, {stats.pending} pending"
        return f"<workflow manager: {state}, {len(self.active_executions)} held>"

    def _begin_close(self) -> None:
        with self._execution_lock:
            self._closed = True
            unfinished = self._store.unfinished()
        self._cancel_all(unfinished)

    def _cancel_all(self, executors: list[AsyncWorkflowExecutor]) -> None:
        # newest first: otherwise a thread that one gives back would begin the next
        for executor in reversed(executors):
            self.stop(executor)

    def stop(self, executor: AsyncWorkflowExecutor) -> bool:
        """Cancel an execution, held or not; False when it is over."""
        self.executor_pool.withdraw(executor.run)
        return executor.cancel()

    def _changed(self, record: ExecutionRecord) -> None:
        if record.status.finished:
            with self._execution_lock:
                self._store.note_end(record.execution_id)
        if self._on_change is not None:
            self._on_change(record)

    def _heard(
        self,
        execution_id: str,
        on_progress: Callable[[Progress], None] | None,
        progress: Progress,
    ) -> None:
        with self._execution_lock:
            self._store.note_sign_of_life(execution_id, self._clock())
        if on_progress is not None:
            on_progress(progress)

    def _cleanup_if_due(self) -> None:
        with self._execution_lock:
            if self._clock() - self._last_cleanup_time >= self.CLEANUP_INTERVAL:
                self.cleanup_completed_executions()

    def _cleanup_stale_executions_unlocked(self) -> int:
        """Cancel and forget what has given no sign of life for `MAX_AGE_SECONDS`.

        A run that tells of its rounds may take as long as it takes (`ragpool.progress`).
        The name is the article's. "Unlocked" means that it takes no lock: its caller holds it.
        """
        self._last_cleanup_time = self._clock()
        stale = self._store.silent_since(self._last_cleanup_time - self.MAX_AGE_SECONDS)
        for executor in stale:
            logger.warning(
                "execution %r: %s, and silent for %d s; cancelled and removed",
                executor.execution_id,
                executor.status,
                self.MAX_AGE_SECONDS,
            )
            self._store.forget(executor.execution_id)
            self.stop(executor)
        return len(stale)


def new_id() -> str:
    """Return an id for an execution that nobody named."""
    return uuid.uuid4().hex


def _weak_tick(manager: WorkflowExecutionManager) -> Callable[[], bool]:
    """Clean up when it is due, from a worker's loop, which must not keep the manager alive."""
    reference = weakref.ref(manager)

    def tick() -> bool:
        alive = reference()
        if alive is not None:
            alive._cleanup_if_due()
        return alive is not None

    return tick
