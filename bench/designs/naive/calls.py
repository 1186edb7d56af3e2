"""One call of each scenario in the naive design."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import cases, faulty
from bench.designs.naive import parts as naive
from bench.failures import counted

PATIENCE_S = 20.0
"""For one case, below the 30 s that a call may take: ten at once take a second."""

_cache = naive.UnboundedCache()
_executions = naive.Executions()
_errors: list[BaseException] = []
_clients: list[naive.RAGServiceClient] = []


async def llm_client(number: int) -> None:
    """Build the model of the one configuration, and ask it."""
    configuration = {
        "provider": "openai",
        "model": cases.MODELS["openai"],
        "base_url": cases.llm_url(),
        "temperature": 0.1,
    }
    await naive.new_llm(configuration).ainvoke(cases.QUESTION)


async def llm_client_40(number: int) -> None:
    """Build the model of the next of 40 configurations, and ask it."""
    await naive.new_llm(cases.llm_configuration(number)).ainvoke(cases.QUESTION)


async def rag_client(number: int) -> None:
    """Search once, with a client that only this call has."""
    await naive.RAGServiceClient(cases.rag_url()).search(cases.COLLECTION, cases.query(number))


async def vectordb_node(number: int) -> None:
    """Run the node once, with everything built for it."""
    await naive.execute_vectordb_node(cases.node_config(), cases.query(number))


async def search_cache_unique(number: int) -> None:
    """Look up a query that never came before, in a cache without a bound."""
    await _cached(cases.query(number))


async def search_cache_repeating(number: int) -> None:
    """Look up one of a few queries, in a cache without a bound."""
    await _cached(cases.query(number % cases.REPEATED_QUERIES))


async def _cached(query: str) -> None:
    # one client for all: this scenario is about the cache alone
    if not _clients:
        _clients.append(naive.RAGServiceClient(cases.rag_url()))
    await _cache.search(_clients[0], query)


async def executions(number: int) -> None:
    """Run one execution to its fate; it and its client stay in the dictionary."""
    client = naive.RAGServiceClient(cases.rag_url())
    fate = cases.fate(number)
    execution = _executions.create(number, _work(client, number, fate), client)
    running = asyncio.ensure_future(execution.run())
    if fate in ("cancelled", "never-ending"):
        await asyncio.sleep(0)
        if fate == "never-ending":
            return
        execution.task.cancel()
    await running


async def _work(client: naive.RAGServiceClient, number: int, fate: str) -> Any:
    if fate in ("cancelled", "never-ending"):
        await asyncio.Event().wait()
    found = await client.search(cases.COLLECTION, cases.query(number))
    if fate == "failed":
        raise ValueError(f"case {number} was told to fail")
    return found


async def batch(number: int) -> None:
    """Run one test case; its execution, engine and result stay."""
    engine = naive.new_engine(cases.node_config())
    await _executions.create(number, engine.search(cases.batch_query(number)), engine).run()


def batch_threads(number: int) -> None:
    """Run ten test cases on ten threads, an event loop each."""
    with ThreadPoolExecutor(cases.AT_A_TIME) as pool:
        first = number * cases.AT_A_TIME
        for done in [pool.submit(_case, first + i) for i in range(cases.AT_A_TIME)]:
            with counted():
                done.result()


def _case(number: int) -> None:
    asyncio.run(_in_time(number))


async def _in_time(number: int) -> None:
    # langchain-openai shares one HTTP client among the loops: a case may wait for what a loop that
    # has ended would have to do. That is one failure more, and not the end of the measurement.
    async with asyncio.timeout(PATIENCE_S):
        await naive.execute_vectordb_node(cases.node_config(), cases.batch_query(number))


async def faults(number: int) -> None:
    """Meet one fault, and keep the error with its traceback, as a results list would."""
    client = naive.RAGServiceClient(cases.rag_url(), faulty.TIMEOUT_S)
    error = await faulty.meet(number, client.http, client.search)
    if error is not None:
        _errors.append(error)
