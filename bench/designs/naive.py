"""The naive design: everything that a call needs is built in that call, and nothing is closed.

Nothing is kept either. So these designs do not leak: what a call leaves behind waits for the cyclic
collector, and the price is garbage, descriptors, connections and CPU. What happens when something
does keep each run alive is a scenario of its own (`executions`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
from langchain_openai import ChatOpenAI

from bench import cases
from ragpool.cache import SearchCache
from ragpool.config import SearchConfig
from ragpool.engine import IterativeSearchEngine
from ragpool.retrieval import Document

if TYPE_CHECKING:
    from ragpool.engine import SearchResult


class RAGServiceClient:
    """A retrieval client with an HTTP client, and a TLS context, of its own."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = httpx.AsyncClient()

    async def search(self, collection: str, query: str, *, top_k: int = 5) -> list[Document]:
        """Return the documents that the service finds."""
        body = {"collection": collection, "query": query, "top_k": top_k}
        response = await self._http.post(f"{self.base_url}/search", json=body)
        response.raise_for_status()
        return [Document(**document) for document in response.json()["documents"]]


async def rag_client(number: int) -> None:
    """Search once, with a client that only this call has."""
    await RAGServiceClient(cases.rag_url()).search(cases.COLLECTION, cases.query(number))


async def vectordb_node(number: int) -> None:
    """Run the node once."""
    await execute_vectordb_node(cases.node_config(), cases.query(number))


async def execute_vectordb_node(node_config: dict[str, Any], query: str) -> SearchResult:
    """Build the whole engine for one query, as the article's first version did."""
    settings = dict(node_config)
    settings.pop("llm_provider")
    llm = ChatOpenAI(model=settings.pop("llm_model"), base_url=settings.pop("llm_base_url"))
    engine = IterativeSearchEngine(
        llm=llm,
        rag_client=RAGServiceClient(cases.rag_url()),  # type: ignore[arg-type]
        cache=SearchCache(),
        config=SearchConfig(**settings),
    )
    return await engine.search(query)
