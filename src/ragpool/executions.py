"""One execution of a workflow: its state, its cancellation, and the record that remains of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import weakref
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from string import Template
from typing import TYPE_CHECKING, Any

from ragpool import progress, tracing
from ragpool.execution_record import ErrorRecord, ExecutionRecord, ExecutionStatus
from ragpool.masking import known_secrets, scrub
from ragpool.observing import step
from ragpool.run_context import within
from ragpool.vectordb_node import Pools
from ragpool.workflow import INPUT, NODE_TYPES, answer_of, plain, storable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ragpool.progress import Progress
    from ragpool.workflow import NodeType, Workflow

logger = logging.getLogger(__name__)

_LONGEST_MESSAGE = 2000


class AsyncWorkflowExecutor:
    """Run one workflow once, on whichever event loop calls `run()`.

    The other methods may be called from any thread. Afterwards the object holds a record and
    nothing else. `on_change` is told every new record, `on_progress` what happens in between
    (`ragpool.progress`), each on the thread where it happens; `stream_answer` has it told answers
    while they are written.
    """

    def __init__(
        self,
        execution_id: str,
        workflow: Workflow,
        query: str,
        *,
        pools: Pools | None = None,
        node_types: Mapping[str, NodeType] = NODE_TYPES,
        on_change: Callable[[ExecutionRecord], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        stream_answer: bool = False,
        caller: str | None = None,
        attempt: int = 1,
        request: Mapping[str, Any] | None = None,
        created_at: datetime | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        pools = pools if pools is not None else Pools.default()
        workflow.check(node_types, pools)
        self.execution_id = execution_id
        self.query = query
        self.caller = caller
        self._work: _Work | None = _Work(workflow, query, pools, node_types)
        self._work.facts = {"execution_id": execution_id, "caller": caller, "attempt": attempt}
        self._work.on_progress, self._work.stream_answer = on_progress, stream_answer
        self._on_change = on_change
        self._attempt = attempt
        self._request = request
        self._now = now
        self._lock = threading.Lock()
        self._status = ExecutionStatus.PENDING
        self._created_at = created_at or now()
        self._started_at: datetime | None = None
        self._finished_at: datetime | None = None
        self._results: dict[str, Any] = {}
        self._error: ErrorRecord | None = None
        self._task: asyncio.Task[None] | None = None
        self._over = threading.Event()
        self._waiters: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    @property
    def status(self) -> ExecutionStatus:
        return self._status

    async def run(self) -> ExecutionRecord:
        """Run to the end and return the record, whatever the end is.

        Only a cancellation of the caller is raised; it cancels the workflow too.
        """
        task = self._begin()
        if task is None:
            return self.record()
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            self._end(ExecutionStatus.CANCELLED)
            raise
        if task.cancelled():
            return self._end(ExecutionStatus.CANCELLED)
        error = task.exception()
        if error is None:
            return self._end(ExecutionStatus.COMPLETED)
        return self._end(ExecutionStatus.ERROR, error)

    def cancel(self) -> bool:
        """Cancel it, wherever it runs; False when it is over already."""
        with self._lock:
            if self._status.finished:
                return False
            task = self._task
            end = self._set_end(ExecutionStatus.CANCELLED) if task is None else None
        if task is not None:
            self._stop(task)
        if end is not None:
            self._announce(end)
        return True

    def record(self) -> ExecutionRecord:
        """Return the state of this moment."""
        with self._lock:
            return self._record()

    def get_execution_status(self) -> dict[str, Any]:
        """Return the record as a dictionary of plain values, with `status` as a string."""
        return shown(self.record())

    def wait(self, timeout_s: float | None = None) -> ExecutionRecord:
        """Block until it is over; not for use on an event loop. Raises TimeoutError."""
        if not self._over.wait(timeout_s):
            raise TimeoutError(
                f"execution {self.execution_id!r}: {self._status} after {timeout_s} s"
            )
        return self.record()

    async def finished(self) -> ExecutionRecord:
        """Wait until it is over and told; a cancelled wait leaves the execution alone."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        # Note: the status has its end before `on_change` is told. Whoever goes by it would look for
        # the stored record before it is put. And first the waiter, then the look: not to be missed.
        self._waiters.add(waiter)
        try:
            if not self._over.is_set():
                await waiter[1].wait()
        finally:
            self._waiters.discard(waiter)
        return self.record()

    def __repr__(self) -> str:
        return f"<execution {self.execution_id!r}: {self._status}>"

    def _begin(self) -> asyncio.Task[None] | None:
        with self._lock:
            if self._status is not ExecutionStatus.PENDING or self._work is None:
                return None
            self._status = ExecutionStatus.RUNNING
            self._started_at = self._now()
            # a task of its own, so that cancelling the workflow does not cancel the caller
            self._task = asyncio.get_running_loop().create_task(self._work.run(self._results))
            task, record = self._task, self._record()
        self._tell(record)
        return task

    def _stop(self, task: asyncio.Task[None]) -> None:
        try:
            task.get_loop().call_soon_threadsafe(task.cancel)
        except RuntimeError:  # its loop is closed, so it can never end by itself
            self._end(ExecutionStatus.CANCELLED)

    def _end(self, status: ExecutionStatus, error: BaseException | None = None) -> ExecutionRecord:
        with self._lock:
            if self._status.finished:
                return self._record()
            record = self._set_end(status, error)
        self._announce(record)
        return record

    def _set_end(
        self, status: ExecutionStatus, error: BaseException | None = None
    ) -> ExecutionRecord:
        """Change the state, under the lock, and let go of all that the work needed."""
        if error is not None and self._work is not None:
            self._error = ErrorRecord(
                type=type(error).__name__,
                message=storable(scrub(str(error), self._work.secrets())[:_LONGEST_MESSAGE]),
                node=self._work.current,
            )
        self._status = status
        self._finished_at = self._now()
        self._request = None
        self._task = self._work = None
        return self._record()

    def _announce(self, record: ExecutionRecord) -> None:
        self._tell(record)
        self._on_change = None
        self._over.set()
        for loop, event in tuple(self._waiters):
            with contextlib.suppress(RuntimeError):  # the waiter's loop is closed
                loop.call_soon_threadsafe(event.set)

    def _record(self) -> ExecutionRecord:
        return ExecutionRecord(
            execution_id=self.execution_id,
            query=self.query,
            status=self._status,
            created_at=self._created_at,
            started_at=self._started_at,
            finished_at=self._finished_at,
            results=dict(self._results),
            error=self._error,
            caller=self.caller,
            attempt=self._attempt,
            request=self._request,
        )

    def _tell(self, record: ExecutionRecord) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(record)
        except Exception:
            logger.exception("execution %r: on_change failed", self.execution_id)


def shown(record: ExecutionRecord) -> dict[str, Any]:
    """Return a record as plain values, without what only another process needs."""
    values: dict[str, Any] = plain(replace(record, request=None))
    del values["request"]
    return values


class _Work:
    """What an execution needs only while it is not over."""

    def __init__(
        self, workflow: Workflow, query: str, pools: Pools, node_types: Mapping[str, NodeType]
    ) -> None:
        self.current: str | None = None
        self.on_progress: Callable[[Progress], None] | None = None
        self.stream_answer = False
        self.facts: Mapping[str, Any] = {}
        self._trace = tracing.here()
        self._workflow = workflow
        self._query = query
        self._pools = pools
        self._node_types = node_types

    def secrets(self) -> Iterator[str]:
        """Yield what must not be told by an error: upstreams like to repeat what they were sent."""
        for node in self._workflow.nodes:
            yield from known_secrets(node.config)

    async def run(self, results: dict[str, Any]) -> None:
        # weakly: a connection that is opened here keeps this context for as long as it is open
        secrets = partial(_secrets_of, weakref.ref(self))
        with (
            within(secrets, **self.facts),
            step("execution", "ragpool.execution", parent=self._trace),
        ):
            await self._run_nodes(results)

    async def _run_nodes(self, results: dict[str, Any]) -> None:
        answers = {INPUT: self._query}
        for node in self._workflow.nodes:
            self.current = node.id
            progress.listen(self.on_progress, node.id, pieces=self.stream_answer)
            query = Template(node.query).substitute(answers)
            run = self._node_types[node.type].run
            try:
                with within(node=node.id):
                    result = plain(await run(node.config, query, self._pools))
            except (SystemExit, KeyboardInterrupt) as error:
                # asyncio would end the whole loop for these, and all executions on it
                raise RuntimeError(f"node {node.id!r}: tried to end the process") from error
            results[node.id] = result
            answers[node.id] = answer_of(result)
            progress.tell("node")


def _secrets_of(work: weakref.ref[_Work]) -> Iterator[str]:
    alive = work()
    if alive is not None:
        yield from alive.secrets()
