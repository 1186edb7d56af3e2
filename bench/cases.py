"""The test cases of the batch: what every design is asked, and with which configuration."""

from __future__ import annotations

import os
from typing import Any

from bench.backend import RAG_URL

COLLECTION = "handbook"
OPENAI_MODEL = "gpt-4o-mini"
ANTHROPIC_MODEL = "claude-haiku-4-5"


def query(number: int) -> str:
    """Return the query of one case; all are different and equally long."""
    return f"what does clause {number:07d} of the handbook say about refunds?"


def rag_url() -> str:
    return os.environ[RAG_URL]


def node_config(provider: str = "openai", url_variable: str = "BENCH_OPENAI_URL") -> dict[str, Any]:
    """Return the configuration of the vector database node, the article's keys alone."""
    model = OPENAI_MODEL if provider == "openai" else ANTHROPIC_MODEL
    return {
        "llm_provider": provider,
        "llm_model": model,
        "llm_base_url": os.environ[url_variable],
        "collections": (COLLECTION,),
        "top_k": 5,
        "max_rounds": 3,
    }
