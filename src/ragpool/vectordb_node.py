"""The vector database node: an iterative search with everything costly taken from the pools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ragpool.cache import SearchCache
from ragpool.config import NodeConfig, SearchConfig
from ragpool.engine import IterativeSearchEngine
from ragpool.llm import LLMPool
from ragpool.retrieval import RAGServicePool
from ragpool.run_context import within

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragpool.engine import SearchResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """What nodes share."""

    llm: LLMPool
    retrieval: RAGServicePool
    cache: SearchCache

    @classmethod
    def default(cls) -> Self:
        """Return the process-wide ones."""
        return cls(
            llm=LLMPool.get_instance(),
            retrieval=RAGServicePool.get_instance(),
            cache=SearchCache.get_instance(),
        )

    async def aclose(self) -> None:
        """Close all of them, in reverse order."""
        self.cache.clear()
        await self.retrieval.aclose()
        await self.llm.aclose()


async def execute_vectordb_node(
    node_config: Mapping[str, Any], query: str, *, pools: Pools | None = None
) -> SearchResult:
    """Search as the node's configuration says, with the process-wide pools unless given others.

    `node_config` needs `llm_model`, and may have `llm_provider`, `llm_base_url`, `llm_api_key`,
    `rag_base_url` and every field of `SearchConfig`; any other key is a ConfigurationError.
    """
    config = NodeConfig.from_mapping(node_config)
    pools = pools if pools is not None else Pools.default()

    def llm(temperature: float) -> Any:
        return pools.llm.get_llm(
            config.llm_provider,
            config.llm_model,
            config.llm_base_url,
            temperature,
            **config.llm_options(),
        )

    engine = IterativeSearchEngine(
        llm=llm(config.judge_temperature),
        answer_llm=llm(config.answer_temperature) if config.answer else None,
        rag_client=pools.retrieval.get_client(config.rag_base_url),
        cache=pools.cache,
        config=SearchConfig(**config.model_dump(include=set(SearchConfig.model_fields))),
    )
    with within(provider=config.llm_provider, model=config.llm_model):
        return await engine.search(query)
