"""Keep the executions of a process: start them on worker threads, cancel, list and forget them."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from ragpool.default import ProcessDefault
from ragpool.errors import (
    ClosedError,
    ConfigurationError,
    DuplicateExecutionError,
    ManagerFullError,
    UnknownExecutionError,
)
from ragpool.executions import AsyncWorkflowExecutor, ExecutionRecord, ExecutionStatus
from ragpool.workers import LoopThreads
from ragpool.workflow import NODE_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ragpool.node import Pools
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
        max_history: int = 1_000,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[ExecutionRecord], None] | None = None,
    ) -> None:
        if max_unfinished < 1 or max_history < 1:
            raise ConfigurationError(
                "workflow manager",
                [f"max_unfinished is {max_unfinished}, max_history {max_history}; needs >= 1"],
            )
        self.workflow_max_workers = workflow_max_workers
        self.active_executions: dict[str, AsyncWorkflowExecutor] = {}
        self.executor_pool = LoopThreads(
            workflow_max_workers,
            "workflow-executor",
            every_s=self.CLEANUP_INTERVAL,
            tick=_weakly(self),
        )
        self._pools = pools
        self._node_types = node_types
        self._max_unfinished = max_unfinished
        self._max_history = max_history
        self._clock = clock
        self._on_change = on_change
        self._execution_lock = threading.RLock()
        self._execution_timestamps: dict[str, float] = {}  # the unfinished ones, oldest first
        self._history: OrderedDict[str, None] = OrderedDict()  # the finished ones, oldest first
        self._last_cleanup_time = clock()
        self._removed = 0
        self._closed = False

    def create_executor(
        self, execution_id: str, workflow: Workflow, query: str
    ) -> AsyncWorkflowExecutor:
        """Register a pending execution: `start()` it here, or `await executor.run()` yourself.

        Cleans up first when the interval has passed. Raises DuplicateExecutionError,
        ManagerFullError, ClosedError, and what is wrong with the workflow.
        """
        executor = AsyncWorkflowExecutor(
            execution_id,
            workflow,
            query,
            pools=self._pools,
            node_types=self._node_types,
            on_change=self._changed,
        )
        with self._execution_lock:
            if self._closed:
                raise ClosedError("workflow manager")
            self._cleanup_if_due()
            if execution_id in self.active_executions:
                raise DuplicateExecutionError(execution_id)
            if len(self._execution_timestamps) >= self._max_unfinished:
                raise ManagerFullError(len(self._execution_timestamps))
            self.active_executions[execution_id] = executor
            self._execution_timestamps[execution_id] = self._clock()
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
            self._cancel(executor)  # nothing to do when it is over

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

    def cancel(self, execution_id: str) -> bool:
        """Cancel an execution; False when it is over. Raises UnknownExecutionError."""
        return self._cancel(self.get(execution_id))

    def remove(self, execution_id: str) -> None:
        """Forget an execution, cancelled first when it is not over."""
        executor = self.get(execution_id)
        with self._execution_lock:
            self._forget(execution_id)
        self._cancel(executor)

    def discard(self, execution_id: str) -> None:
        """Do the same for one that may be gone already."""
        with contextlib.suppress(UnknownExecutionError):
            self.remove(execution_id)

    def cleanup_completed_executions(self) -> int:
        """Forget every execution that is over, cancel and forget those older than two hours."""
        with self._execution_lock:
            finished = list(self._history)
            for execution_id in finished:
                self._forget(execution_id)
            return len(finished) + self._cleanup_stale_executions_unlocked()

    def clear(self) -> None:
        """Cancel and forget everything; the manager stays usable."""
        with self._execution_lock:
            executors = list(self.active_executions.values())
            for executor in executors:
                self._forget(executor.execution_id)
        self._cancel_all(executors)

    @classmethod
    def clear_instance(cls) -> None:
        """Close the default manager and forget it."""
        with cls._instance_lock:
            instance, cls._instance = cls._instance, None
        if instance is not None:
            instance.close()

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
                removed=self._removed,
            )

    def __repr__(self) -> str:
        stats = self.stats()
        state = "closed" if self._closed else f"{stats.running} running, {stats.pending} pending"
        return f"<workflow manager: {state}, {len(self.active_executions)} held>"

    def _begin_close(self) -> None:
        with self._execution_lock:
            self._closed = True
            unfinished = [self.active_executions[one] for one in self._execution_timestamps]
        self._cancel_all(unfinished)

    def _cancel_all(self, executors: list[AsyncWorkflowExecutor]) -> None:
        # newest first: otherwise a thread that one gives back would begin the next
        for executor in reversed(executors):
            self._cancel(executor)

    def _cancel(self, executor: AsyncWorkflowExecutor) -> bool:
        self.executor_pool.withdraw(executor.run)
        return executor.cancel()

    def _changed(self, record: ExecutionRecord) -> None:
        if record.status.finished:
            self._note_end(record.execution_id)
        if self._on_change is not None:
            self._on_change(record)

    def _note_end(self, execution_id: str) -> None:
        with self._execution_lock:
            if self._execution_timestamps.pop(execution_id, None) is None:
                return  # removed before it ended
            self._history[execution_id] = None
            while len(self._history) > self._max_history:
                self._forget(next(iter(self._history)))

    def _forget(self, execution_id: str) -> None:
        """Remove every trace of an execution; the lock is held."""
        if self.active_executions.pop(execution_id, None) is not None:
            self._removed += 1
        self._execution_timestamps.pop(execution_id, None)
        self._history.pop(execution_id, None)

    def _cleanup_if_due(self) -> None:
        with self._execution_lock:
            if self._clock() - self._last_cleanup_time >= self.CLEANUP_INTERVAL:
                self.cleanup_completed_executions()

    def _cleanup_stale_executions_unlocked(self) -> int:
        """Cancel and forget what has not ended within two hours; the lock is held."""
        current_time = self._clock()
        self._last_cleanup_time = current_time
        stale = [
            execution_id
            for execution_id, since in self._execution_timestamps.items()
            if current_time - since > self.MAX_AGE_SECONDS
        ]
        for execution_id in stale:
            executor = self.active_executions[execution_id]
            logger.warning(
                "execution %r: %s after %d s; cancelled and removed",
                execution_id,
                executor.status,
                self.MAX_AGE_SECONDS,
            )
            self._forget(execution_id)
            self._cancel(executor)
        return len(stale)


def new_id() -> str:
    """Return an id for an execution that nobody named."""
    return uuid.uuid4().hex


def _weakly(manager: WorkflowExecutionManager) -> Callable[[], bool]:
    """Clean up when it is due, from a worker's loop, which must not keep the manager alive."""
    reference = weakref.ref(manager)

    def tick() -> bool:
        alive = reference()
        if alive is not None:
            alive._cleanup_if_due()
        return alive is not None

    return tick
