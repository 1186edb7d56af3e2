"""The naive design: everything that a call needs is built in that call, and nothing is closed.

The node keeps nothing either. So it does not leak by itself: what a call leaves behind waits for
the cyclic collector, and the price is garbage, descriptors, connections and CPU. It becomes a leak
as soon as something keeps each run alive, as `Executions` and `UnboundedCache` do.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
from langchain_openai import ChatOpenAI

from bench import cases
from ragpool.cache import SearchCache
from ragpool.config import SearchConfig
from ragpool.engine import IterativeSearchEngine
from ragpool.retrieval import Document

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ragpool.engine import SearchResult


class RAGServiceClient:
    """A retrieval client with an HTTP client, and a TLS context, of its own."""

    def __init__(self, base_url: str, timeout_s: float = 5.0) -> None:
        self.base_url = base_url
        self.http = httpx.AsyncClient(timeout=timeout_s)

    async def search(self, collection: str, query: str, *, top_k: int = 5) -> list[Document]:
        """Return the documents that the service finds."""
        body = {"collection": collection, "query": query, "top_k": top_k}
        response = await self.http.post(f"{self.base_url}/search", json=body)
        response.raise_for_status()
        return [Document(**document) for document in response.json()["documents"]]


class UnboundedCache:
    """Every result by its query, forever."""

    def __init__(self) -> None:
        self.found: dict[str, list[Document]] = {}

    async def search(self, client: RAGServiceClient, query: str) -> list[Document]:
        if query not in self.found:
            self.found[query] = await client.search(cases.COLLECTION, query)
        return self.found[query]


class Executions:
    """Executions by number, none of which is ever removed."""

    def __init__(self) -> None:
        self.active: dict[int, Execution] = {}

    def create(self, number: int, work: Awaitable[Any], *holds: object) -> Execution:
        self.active[number] = Execution(work, holds)
        return self.active[number]


class Execution:
    """One run: its task, its result or its error with the traceback, and what it was built of."""

    def __init__(self, work: Awaitable[Any], holds: tuple[object, ...]) -> None:
        self.task = asyncio.ensure_future(work)
        self.holds = holds
        self.result: Any = None
        self.error: BaseException | None = None

    async def run(self) -> None:
        try:
            self.result = await self.task
        except (Exception, asyncio.CancelledError) as error:
            self.error = error


def new_llm(configuration: dict[str, Any]) -> Any:
    """Build the model of a configuration."""
    arguments: Any = {key: value for key, value in configuration.items() if key != "provider"}
    if configuration["provider"] == "openai":
        return ChatOpenAI(**arguments)
    from langchain_anthropic import ChatAnthropic  # see two_vendors

    return ChatAnthropic(**arguments)


def new_engine(node_config: dict[str, Any]) -> IterativeSearchEngine:
    """Build an engine and everything in it, as the article's first version did."""
    settings = dict(node_config)
    settings.pop("llm_provider")
    llm = ChatOpenAI(model=settings.pop("llm_model"), base_url=settings.pop("llm_base_url"))
    return IterativeSearchEngine(
        llm=llm,
        rag_client=RAGServiceClient(cases.rag_url()),  # type: ignore[arg-type]
        cache=SearchCache(),
        config=SearchConfig(**settings),
    )


async def execute_vectordb_node(node_config: dict[str, Any], query: str) -> SearchResult:
    """Run the node once, with an engine of its own."""
    return await new_engine(node_config).search(query)
