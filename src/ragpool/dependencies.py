"""What FastAPI's endpoints depend on: made at the first request, kept for the life of the app."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

from fastapi import FastAPI, Request  # noqa: TC002  # FastAPI reads annotations at run time

from ragpool.cache import SearchCache
from ragpool.config import ConfigClient
from ragpool.database import DatabaseClient
from ragpool.errors import StillRunningError
from ragpool.llm import LLMPool
from ragpool.manager import WorkflowExecutionManager
from ragpool.recorder import ExecutionRecorder
from ragpool.retrieval import RAGServicePool
from ragpool.vectordb_node import Pools

if TYPE_CHECKING:
    from collections.abc import Callable

    from ragpool.executions import AsyncWorkflowExecutor

T = TypeVar("T")

_creating = threading.Lock()  # FastAPI calls plain functions on several threads


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything of the app that runs: it closes in the reverse order of its making."""

    pools: Pools
    recorder: ExecutionRecorder
    manager: WorkflowExecutionManager

    @classmethod
    def start(cls, settings: ConfigClient, database: DatabaseClient) -> Runtime:
        hosts = settings.hosts()
        pools = Pools(
            llm=LLMPool(
                max_models=settings.max_models_per_loop,
                fast_openai=settings.fast_openai,
                hosts=hosts,
            ),
            retrieval=RAGServicePool(hosts=hosts),
            cache=SearchCache(enabled=settings.cache_enabled),
        )
        recorder = ExecutionRecorder(database)
        manager = WorkflowExecutionManager(
            settings.workflow_max_workers,
            pools=pools,
            max_unfinished=settings.max_unfinished,
            max_history=settings.max_history,
            on_change=recorder.put,
        )
        return cls(pools=pools, recorder=recorder, manager=manager)

    async def cancel(self, executor: AsyncWorkflowExecutor, wait_s: float) -> None:
        """Cancel an execution and wait for its end; raises StillRunningError."""
        if self.manager.cancel(executor.execution_id):
            try:
                await asyncio.wait_for(executor.finished(), wait_s)
            except TimeoutError as error:
                raise StillRunningError(executor.execution_id, wait_s) from error

    async def aclose(self) -> None:
        await self.manager.aclose()
        await self.recorder.aclose()
        await self.pools.aclose()


def get_config_composer(request: Request) -> ConfigClient:
    """Return the app's settings."""
    return settings_of(request.app)


def get_db_manager(request: Request) -> DatabaseClient:
    """Return the app's database client; the app closes it at its end."""
    url = settings_of(request.app).database_url
    return _once(request.app, "app_db", lambda: DatabaseClient(url.get_secret_value()))


async def get_runtime(request: Request) -> Runtime:
    """Return the app's pools and manager; async, since they belong to the app's loop."""
    settings, database = settings_of(request.app), get_db_manager(request)
    return _once(request.app, "runtime", lambda: Runtime.start(settings, database))


def settings_of(app: FastAPI) -> ConfigClient:
    return _once(app, "config_composer", ConfigClient.load)


def _once(app: FastAPI, name: str, make: Callable[[], T]) -> T:
    with _creating:
        if getattr(app.state, name, None) is None:
            setattr(app.state, name, make())
        return cast("T", getattr(app.state, name))
