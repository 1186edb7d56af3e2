"""The pooled design: ragpool, whose pools own what is costly and close it at the end."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import langchain_openai  # noqa: F401 - imported before the calls, as the naive design does

from bench import cases, faulty
from ragpool.cache import SearchCache
from ragpool.llm import LLMPool
from ragpool.manager import WorkflowExecutionManager
from ragpool.retrieval import RAGServicePool
from ragpool.vectordb_node import Pools
from ragpool.workflow import NODE_TYPES, NodeType

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from contextlib import AbstractAsyncContextManager

MODELS_IN_USE = 64
TOO_FEW_MODELS = 8
CALL_S = 300.0  # so that each call ends with a clean-up: in between the level would swing


def pools() -> AbstractAsyncContextManager[Pools]:
    """Give the pools of one process, and close them after the last call."""
    return _closed_after(_shared(llm=_models_in_use()))


def small_pools() -> AbstractAsyncContextManager[Pools]:
    """Give pools that hold fewer models than are in use, so that every call evicts some."""
    return _closed_after(_shared(llm=LLMPool(max_models=TOO_FEW_MODELS)))


def caching_pools() -> AbstractAsyncContextManager[Pools]:
    """Give pools whose cache is switched on, within its bounds."""
    return _closed_after(_shared(cache=SearchCache(enabled=True)))


def _models_in_use() -> LLMPool:
    # as many as configurations are in use: a smaller pool would build them in turn
    return LLMPool(max_models=MODELS_IN_USE)


def _shared(
    *,
    llm: LLMPool | None = None,
    retrieval: RAGServicePool | None = None,
    cache: SearchCache | None = None,
) -> Pools:
    return Pools(
        llm=llm or LLMPool(), retrieval=retrieval or RAGServicePool(), cache=cache or SearchCache()
    )


@contextlib.asynccontextmanager
async def _closed_after(shared: Pools) -> AsyncIterator[Pools]:
    _read_in_one_thread()
    try:
        yield shared
    finally:
        await shared.aclose()


@contextlib.asynccontextmanager
async def default_pools() -> AsyncIterator[Pools]:
    """Give the process-wide pools, and close them after the last call."""
    _read_in_one_thread()
    try:
        yield Pools.default()
    finally:
        await Pools.default().aclose()
        for kind in (SearchCache, RAGServicePool, LLMPool):
            kind.clear_instance()


@contextlib.asynccontextmanager
async def one_reader() -> AsyncIterator[None]:
    """Give designs that need nothing else one thread that reads replies."""
    _read_in_one_thread()
    yield


def _read_in_one_thread() -> None:
    """Give the caller's loop one thread, as ragpool gives each of its own loops.

    langchain-openai reads every reply in a thread; asyncio starts a further one whenever the first
    is a moment late, up to six, and each such moment is a step in the curve.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))


class FakeClock:
    """A clock that every call advances by five minutes."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """The pools, and a manager of executions on top of them."""

    pools: Pools
    manager: WorkflowExecutionManager
    clock: FakeClock


def platform() -> AbstractAsyncContextManager[Platform]:
    """Give the pools and a manager whose executions run on the caller's loop."""
    return _managed(_shared(llm=_models_in_use()))


def impatient_platform() -> AbstractAsyncContextManager[Platform]:
    """Give a platform whose clients try once and wait briefly: for a backend that fails."""
    return _managed(_shared(retrieval=RAGServicePool(attempts=1, timeout_s=faulty.TIMEOUT_S)))


@contextlib.asynccontextmanager
async def _managed(shared: Pools) -> AsyncIterator[Platform]:
    async with _closed_after(shared):
        made = _platform(shared)
        try:
            yield made
        finally:
            await made.manager.aclose()


@contextlib.contextmanager
def threaded_platform() -> Iterator[Platform]:
    """Give a manager that runs executions on its worker threads."""
    shared = _shared()
    made = _platform(shared)
    try:
        yield made
    finally:
        made.manager.close()
        asyncio.run(shared.aclose())


def _platform(shared: Pools) -> Platform:
    clock = FakeClock()
    manager = WorkflowExecutionManager(
        cases.AT_A_TIME, pools=shared, node_types=NODES, max_history=cases.SUITE, clock=clock
    )
    return Platform(pools=shared, manager=manager, clock=clock)


async def _search(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    """Search once, then end as the configuration says."""
    if config["fate"] in ("cancelled", "never-ending"):
        await asyncio.Event().wait()
    client = pools.retrieval.get_client(cases.rag_url())
    found = await client.search(cases.COLLECTION, query)
    if config["fate"] == "failed":
        raise ValueError("this case was told to fail")
    return found


async def _meet_fault(config: Mapping[str, Any], query: str, pools: Pools) -> None:
    client = pools.retrieval.get_client(cases.rag_url())
    # the pool owns the HTTP client; the fault's header is the one thing that must get past it
    error = await faulty.meet(config["number"], client._http.client, client.search)
    if error is not None:
        raise error


NODES = {
    **NODE_TYPES,
    "search": NodeType(run=_search),
    "fault": NodeType(run=_meet_fault),
}
