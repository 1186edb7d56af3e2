"""One call of each scenario in the published design."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from bench import cases, faulty
from bench.designs.published import article as published
from bench.failures import counted

MINUTE_S = 60.0
HANGS_AFTER_S = 1.0  # a client shared by several loops may wait forever; a case takes 0.1 s
_minutes = itertools.count()
_cache = published.SearchCache()


async def llm_client(number: int) -> None:
    """Take the model of the one configuration from the pool, and ask it."""
    pool = published.LLMPool.get_instance()
    model = pool.get_llm("openai", cases.MODELS["openai"], cases.llm_url())
    await model.ainvoke(cases.QUESTION)


async def llm_client_40(number: int) -> None:
    """Take the model of the next of 40 configurations, and ask it."""
    model = published.LLMPool.get_instance().get_llm(**cases.llm_configuration(number))
    await model.ainvoke(cases.QUESTION)


async def rag_client(number: int) -> None:
    """Search once with the one client."""
    client = published.RAGServicePool.get_instance().get_client()
    await client.search(cases.COLLECTION, cases.query(number))


async def vectordb_node(number: int) -> None:
    """Run the node once."""
    await published.execute_vectordb_node(cases.node_config(), cases.query(number))


async def search_cache_unique(number: int) -> None:
    """Look up a query that never came before; the cache is off."""
    await _cached(cases.query(number))


async def search_cache_repeating(number: int) -> None:
    """Look up one of a few queries; the cache is off."""
    await _cached(cases.query(number % cases.REPEATED_QUERIES))


async def _cached(query: str) -> None:
    if _cache.get(cases.COLLECTION, query) is None:
        client = published.RAGServicePool.get_instance().get_client()
        _cache.set(cases.COLLECTION, query, await client.search(cases.COLLECTION, query))


def _manager() -> published.WorkflowExecutionManager:
    # a minute passes at every call, so that 100 calls see the five minutes and the two hours
    published.WorkflowExecutionManager.clock = lambda: next(_minutes) * MINUTE_S
    return published.WorkflowExecutionManager()


async def executions(number: int) -> None:
    """Run one execution to its fate; the manager cleans up after five minutes."""
    fate = cases.fate(number)
    executor = _manager().create_executor(f"case-{number:07d}", lambda: _work(number, fate))
    await _run(executor, fate)


async def executions_cleaned(number: int) -> None:
    """Do the same, and clean up after every tenth, as a batch of the article does."""
    await executions(number)
    if number % cases.CLEAN_UP_EVERY == 0:
        _manager().cleanup_completed_executions()


async def _run(executor: published.AsyncWorkflowExecutor, fate: str) -> None:
    running = asyncio.ensure_future(executor.run())
    if fate in ("cancelled", "never-ending"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if fate == "never-ending":
            return
        executor.cancel()
    await running


async def _work(number: int, fate: str) -> Any:
    if fate in ("cancelled", "never-ending"):
        await asyncio.Event().wait()
    client = published.RAGServicePool.get_instance().get_client()
    found = await client.search(cases.COLLECTION, cases.query(number))
    if fate == "failed":
        raise ValueError(f"case {number} was told to fail")
    return found


async def batch(number: int) -> None:
    """Run one test case; finished executions are removed after every tenth."""
    manager = _manager()
    executor = manager.create_executor(f"case-{number:07d}", lambda: _node(number))
    await executor.run()
    if number % cases.CLEAN_UP_EVERY == 0:
        manager.cleanup_completed_executions()


async def _node(number: int) -> Any:
    return await published.execute_vectordb_node(cases.node_config(), cases.batch_query(number))


def batch_threads(number: int) -> None:
    """Run ten test cases on the manager's threads, whose loops share the clients."""
    manager = _manager()
    first = number * cases.AT_A_TIME
    cases_now = range(first, first + cases.AT_A_TIME)
    for done in [manager.executor_pool.submit(_in_thread, one) for one in cases_now]:
        with counted():
            done.result()
    manager.cleanup_completed_executions()


def _in_thread(number: int) -> None:
    executor = _manager().create_executor(f"case-{number:07d}", lambda: _node(number))
    asyncio.run(asyncio.wait_for(executor.run(), HANGS_AFTER_S))
    if executor.error is not None:
        raise executor.error


async def faults(number: int) -> None:
    """Meet one fault; the error stays with its execution until the clean-up."""
    manager = _manager()
    client = published.RAGServicePool.get_instance().get_client()
    client.http.timeout = faulty.TIMEOUT_S

    async def work() -> None:
        error = await faulty.meet(number, client.http, client.search)
        if error is not None:
            raise error

    await manager.create_executor(f"case-{number:07d}", work).run()
    if number % cases.CLEAN_UP_EVERY == 0:
        manager.cleanup_completed_executions()
