"""The pooled design: ragpool, whose pools own what is costly and close it at the end."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import langchain_anthropic  # noqa: F401 - imported before the calls, as naive.py does
import langchain_openai  # noqa: F401

from bench import cases
from ragpool.cache import SearchCache
from ragpool.llm import LLMPool
from ragpool.node import Pools, execute_vectordb_node
from ragpool.retrieval import RAGServicePool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def pools() -> AsyncIterator[Pools]:
    """Give the pools of one process, and close them behind the last call."""
    made = Pools(llm=LLMPool(), retrieval=RAGServicePool(), cache=SearchCache())
    try:
        yield made
    finally:
        await made.aclose()


async def rag_client(pools: Pools, number: int) -> None:
    """Search once with the pool's client."""
    client = pools.retrieval.get_client(cases.rag_url())
    await client.search(cases.COLLECTION, cases.query(number))


async def vectordb_node(pools: Pools, number: int) -> None:
    """Run the node once."""
    config = {**cases.node_config(), "rag_base_url": cases.rag_url()}
    await execute_vectordb_node(config, cases.query(number), pools=pools)
