"""The pooled RAG workflow runtime.

Names are loaded when they are first used, so that `import ragpool` costs nothing, and what a
program does not use (FastAPI, SQLAlchemy) need not be there.
"""

from __future__ import annotations

import importlib
from typing import Any

_HOMES = {
    "cache": ("CacheStats", "SearchCache"),
    "config": ("ConfigClient", "NodeConfig", "SearchConfig"),
    "engine": ("IterativeSearchEngine", "SearchResult", "StopReason"),
    "errors": (
        "ClosedError",
        "CollectionNotFoundError",
        "ConfigurationError",
        "LLMError",
        "RagpoolError",
        "RetrievalError",
        "RetrievalTimeoutError",
        "UnknownProviderError",
    ),
    "llm": ("LLMPool", "LLMSpec", "Provider"),
    "node": ("Pools", "execute_vectordb_node"),
    "pool": ("PoolStats",),
    "retrieval": ("Document", "RAGServiceClient", "RAGServicePool"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'ragpool' has no attribute {name!r}")
    return getattr(importlib.import_module(f"ragpool.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
