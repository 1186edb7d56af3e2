"""One call of each scenario in the pooled design; `bench.designs.pooled.setups` has their set-ups.

No failure is counted here: work that fails in this design fails the measurement, with its error.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bench import cases
from bench.designs.pooled.setups import CALL_S
from ragpool.errors import RagpoolError
from ragpool.execution_record import ExecutionStatus
from ragpool.vectordb_node import execute_vectordb_node
from ragpool.workflow import Workflow

if TYPE_CHECKING:
    from bench.designs.pooled.setups import Platform
    from ragpool.execution_record import ExecutionRecord
    from ragpool.vectordb_node import Pools

TEMPERATURES = (0.0, 0.7)


async def llm_client(pools: Pools, number: int) -> None:
    """Take the model of the one configuration from the pool, and ask it."""
    model = pools.llm.get_llm("openai", cases.MODELS["openai"], cases.llm_url())
    await model.ainvoke(cases.QUESTION)


async def llm_client_40(pools: Pools, number: int) -> None:
    """Take the model of the next of 40 configurations, and ask it."""
    await pools.llm.get_llm(**cases.llm_configuration(number)).ainvoke(cases.QUESTION)


async def llm_client_40_evicting(pools: Pools, number: int) -> None:
    """Take two models of the next configuration, as a node does, from a pool too small for it."""
    configuration = cases.llm_configuration(number)
    for temperature in TEMPERATURES:
        model: Any = pools.llm.get_llm(**configuration | {"temperature": temperature})
        if model.temperature != temperature:
            raise RagpoolError(f"asked for temperature {temperature}, got {model.temperature}")
    await model.ainvoke(cases.QUESTION)


async def rag_client(pools: Pools, number: int) -> None:
    """Search once with the pool's client."""
    client = pools.retrieval.get_client(cases.rag_url())
    await client.search(cases.COLLECTION, cases.query(number))


async def vectordb_node(pools: Pools, number: int) -> None:
    """Run the node once; it finds the process-wide pools by itself."""
    await execute_vectordb_node(_config(), cases.query(number))


def _config() -> dict[str, Any]:
    return {**cases.node_config(), "rag_base_url": cases.rag_url()}


async def search_cache_unique(pools: Pools, number: int) -> None:
    """Look up a query that never came before, in a cache with bounds."""
    await _cached(pools, cases.query(number))


async def search_cache_repeating(pools: Pools, number: int) -> None:
    """Look up one of a few queries, in a cache with bounds."""
    await _cached(pools, cases.query(number % cases.REPEATED_QUERIES))


async def _cached(pools: Pools, query: str) -> None:
    if pools.cache.get(cases.COLLECTION, query) is None:
        client = pools.retrieval.get_client(cases.rag_url())
        pools.cache.set(cases.COLLECTION, query, await client.search(cases.COLLECTION, query))


async def executions(platform: Platform, number: int) -> None:
    """Run one execution to its fate; five minutes pass, and the manager cleans up by itself."""
    platform.clock.now_s = number * CALL_S
    fate = cases.fate(number)
    workflow = Workflow.of({"id": "search", "type": "search", "config": {"fate": fate}})
    name = f"case-{number:07d}"
    executor = platform.manager.create_executor(name, workflow, cases.query(number))
    running = asyncio.ensure_future(executor.run())
    if fate in ("cancelled", "never-ending"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if fate == "never-ending":
            return
        executor.cancel()
    await running


async def batch(platform: Platform, number: int) -> None:
    """Run one test case on the caller's loop."""
    name = f"case-{number:07d}"
    workflow = Workflow.single(_config())
    record = await platform.manager.create_executor(name, workflow, cases.batch_query(number)).run()
    _require_success(record)


def batch_threads(platform: Platform, number: int) -> None:
    """Run ten test cases on the manager's threads."""
    workflow = Workflow.single(_config())
    first = number * cases.AT_A_TIME
    running = [
        platform.manager.submit(workflow, cases.batch_query(first + i))
        for i in range(cases.AT_A_TIME)
    ]
    for executor in running:
        _require_success(executor.wait(30.0))


def _require_success(record: ExecutionRecord) -> None:
    if record.status is not ExecutionStatus.COMPLETED:
        problem = record.error.message if record.error is not None else record.status
        raise RagpoolError(f"a case failed: {problem}")


async def faults(platform: Platform, number: int) -> None:
    """Meet one fault; the execution keeps the error's text and nothing else of it."""
    workflow = Workflow.of({"id": "search", "type": "fault", "config": {"number": number}})
    name = f"case-{number:07d}"
    executor = platform.manager.create_executor(name, workflow, cases.query(number))
    await executor.run()
