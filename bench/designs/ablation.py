"""The four measures of the article, each of which can be taken alone.

One call runs one node as an execution of a manager. Without a measure the call does what the naive
design does: it builds its model or its client, it caches every search forever, or its execution,
with all that it was built of, stays.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from langchain_openai import ChatOpenAI

from bench import cases
from bench.designs.naive import parts as naive
from ragpool.cache import SearchCache
from ragpool.config import SearchConfig
from ragpool.engine import IterativeSearchEngine
from ragpool.llm import LLMPool
from ragpool.retrieval import RAGServicePool

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

MEASURES = ("llm_pool", "retrieval_pool", "cache_off", "clean_up")

_executions = naive.Executions()
_llms, _clients = LLMPool(), RAGServicePool()
_off = SearchCache()


class _UnboundedSearchCache:
    """What the cache was before it was switched off, without the bound."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Any] = {}

    def get(self, collection: str, query: str, *, variant: object = None) -> Any:
        return self._found.get((collection, query))

    def set(self, collection: str, query: str, data: Any, *, variant: object = None) -> None:
        self._found[collection, query] = data


_on = _UnboundedSearchCache()


async def run(measures: Collection[str], number: int) -> None:
    """Run one node with the measures taken."""
    engine = _engine(measures)
    await _executions.create(number, engine.search(cases.query(number)), engine).run()
    if "clean_up" in measures and number % cases.CLEAN_UP_EVERY == 0:
        _executions.active.clear()


def _engine(measures: Collection[str]) -> IterativeSearchEngine:
    parts: dict[str, Any] = {
        "llm": _pooled_llm() if "llm_pool" in measures else _new_llm(),
        "rag_client": _clients.get_client(cases.rag_url())
        if "retrieval_pool" in measures
        else naive.RAGServiceClient(cases.rag_url()),
        "cache": _off if "cache_off" in measures else _on,
        "config": SearchConfig(collections=(cases.COLLECTION,)),
    }
    return IterativeSearchEngine(**parts)


def _pooled_llm() -> Any:
    return _llms.get_llm("openai", cases.MODELS["openai"], cases.llm_url())


def _new_llm() -> Any:
    return ChatOpenAI(model=cases.MODELS["openai"], base_url=cases.llm_url(), temperature=0.1)


def _design(*measures: str) -> Callable[[int], Coroutine[Any, Any, None]]:
    return partial(run, frozenset(measures))


def _but(left_out: str) -> Callable[[int], Coroutine[Any, Any, None]]:
    return _design(*(measure for measure in MEASURES if measure != left_out))


none = _design()
only_llm_pool = _design("llm_pool")
only_retrieval_pool = _design("retrieval_pool")
only_cache_off = _design("cache_off")
only_clean_up = _design("clean_up")
all_but_llm_pool = _but("llm_pool")
all_but_retrieval_pool = _but("retrieval_pool")
all_but_cache_off = _but("cache_off")
all_but_clean_up = _but("clean_up")
everything = _design(*MEASURES)
