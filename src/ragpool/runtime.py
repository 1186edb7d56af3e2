"""Everything of the service that runs: its pools, its executions, its leases, and their end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from ragpool.breaker import HostBreaker
from ragpool.cache import SearchCache
from ragpool.connections import BUDGET
from ragpool.errors import ConfigurationError, DrainingError, StillRunningError
from ragpool.leases import LeaseKeeper
from ragpool.llm import LLMPool
from ragpool.manager import WorkflowExecutionManager, new_id
from ragpool.masking import configured_secrets
from ragpool.metrics import Metrics
from ragpool.recorder import ExecutionRecorder
from ragpool.retrieval import RAGServicePool
from ragpool.vectordb_node import Pools
from ragpool.workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ragpool.config import ConfigClient
    from ragpool.database import DatabaseClient
    from ragpool.execution_record import ExecutionRecord
    from ragpool.executions import AsyncWorkflowExecutor
    from ragpool.progress import Progress

logger = logging.getLogger(__name__)

_AFTER_CANCEL_S = 5.0
"""How long a cancelled execution may take to end; a node that blocks its thread never does."""
_STORE_S = 10.0
"""How long the end waits for the database; what it has not stored then, the leases tell."""


class Runtime:
    """What one process of the service keeps; make it, and close it, on the service's loop."""

    def __init__(self, settings: ConfigClient, database: DatabaseClient) -> None:
        self._settings = settings
        hosts = settings.hosts()
        BUDGET.limit(settings.max_connections)
        self.breaker = HostBreaker(
            failures=settings.breaker_failures, pause_s=settings.breaker_pause_s
        )
        self.pools = Pools(
            llm=LLMPool(
                max_models=settings.max_models_per_loop,
                fast_openai=settings.fast_openai,
                hosts=hosts,
                breaker=self.breaker,
            ),
            retrieval=RAGServicePool(hosts=hosts, breaker=self.breaker),
            cache=SearchCache(enabled=settings.cache_enabled),
        )
        self.recorder = ExecutionRecorder(database)
        self.manager = WorkflowExecutionManager(
            settings.workflow_max_workers,
            pools=self.pools,
            max_unfinished=settings.max_unfinished,
            max_unfinished_per_caller=settings.max_unfinished_per_caller,
            max_history=settings.max_history,
            on_change=self._changed,
        )
        self.metrics = Metrics(self)
        self.leases = LeaseKeeper(
            database, self.recorder, self.manager, self._run_again, lease_s=settings.lease_s
        )
        self._hurry = asyncio.Event()
        self._end: asyncio.Task[None] | None = None

    @property
    def draining(self) -> bool:
        return self._end is not None

    async def execute(
        self,
        nodes: Sequence[Mapping[str, Any]],
        query: str,
        *,
        caller: str | None = None,
        restartable: bool = False,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> AsyncWorkflowExecutor:
        """Store an execution, then start it. Raises what `create_executor` does, DrainingError."""
        if self.draining:
            raise DrainingError
        request = _storable_request(nodes) if restartable else None
        executor = self.manager.create_executor(
            new_id(),
            self._workflow(nodes),
            query,
            on_progress=on_progress,
            caller=caller,
            request=request,
        )
        try:
            await self.recorder.save(executor.record())
            if executor.execution_id in self.manager.active_executions:  # else deleted since
                self.manager.start(executor.execution_id)
        except BaseException:
            self.manager.discard(executor.execution_id)
            raise
        return executor

    async def cancel(self, executor: AsyncWorkflowExecutor, wait_s: float) -> None:
        """Cancel an execution and wait for its end; raises StillRunningError."""
        if not executor.status.finished:
            self.manager.stop(executor)
            try:
                await asyncio.wait_for(executor.finished(), wait_s)
            except TimeoutError as error:
                raise StillRunningError(executor.execution_id, wait_s) from error

    def drain(self) -> asyncio.Task[None]:
        """Take nothing new, and let what runs end for at most `drain_s`; then cancel the rest."""
        if self._end is None:
            self._end = asyncio.get_running_loop().create_task(self._drain())
        return self._end

    def hurry(self) -> None:
        """Cancel what runs at once."""
        self.drain()
        self._hurry.set()

    async def aclose(self) -> None:
        """Drain, store what became of everything, and close all of it."""
        await self.drain()
        await self.leases.aclose()
        await self.manager.aclose(_AFTER_CANCEL_S)
        try:
            await asyncio.wait_for(self.recorder.aclose(), _STORE_S)
        except TimeoutError:
            logger.error("%d execution records are not stored", self.recorder.waiting)
        await self.pools.aclose()

    async def _drain(self) -> None:
        idle, hurry = (
            asyncio.ensure_future(one) for one in (self.manager.idle(), self._hurry.wait())
        )
        await asyncio.wait(
            (idle, hurry), timeout=self._settings.drain_s, return_when=asyncio.FIRST_COMPLETED
        )
        if not idle.done():
            unfinished = self.manager.cancel_unfinished()
            logger.warning("%d executions are cancelled: the service ends", unfinished)
            await asyncio.wait((idle,), timeout=_AFTER_CANCEL_S)
        for one in (idle, hurry):
            one.cancel()
        await asyncio.wait((idle, hurry))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.recorder.settled(), _STORE_S)

    def _changed(self, record: ExecutionRecord) -> None:
        self.metrics.note(record)
        self.recorder.put(record)

    def _workflow(self, nodes: Sequence[Mapping[str, Any]]) -> Workflow:
        compose = self._settings.compose
        return Workflow.of(*({**node, "config": compose(node["config"])} for node in nodes))

    def _run_again(self, record: ExecutionRecord) -> None:
        if self.draining:
            raise DrainingError
        request = record.request or {}
        executor = self.manager.create_executor(
            record.execution_id,
            self._workflow(request["nodes"]),
            record.query,
            caller=record.caller,
            attempt=record.attempt,
            request=request,
            created_at=record.created_at,
        )
        self.manager.start(executor.execution_id)


def _storable_request(nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a later attempt needs. The database never holds a key, so it must have none."""
    if any(True for node in nodes for _ in configured_secrets(node["config"])):
        raise ConfigurationError(
            "restartable", ["a request with a key of its own cannot be: the key is not stored"]
        )
    return {"nodes": [dict(node) for node in nodes]}
