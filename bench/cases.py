"""The test cases of the batch: what every design is asked, and with which configuration."""

from __future__ import annotations

import os
from typing import Any

from bench.backend import ANTHROPIC_URL, OPENAI_URL, RAG_URL

COLLECTION = "handbook"
MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5"}
QUESTION = "Query: is a refund possible after 30 days?"
CONFIGURATIONS = 40
REPEATED_QUERIES = 8
AT_A_TIME = 10
SUITE = 20  # test cases, run over and over; what a history of so many keeps is always the same
CLEAN_UP_EVERY = 10


def query(number: int) -> str:
    """Return the query of one case; all are different and equally long."""
    return f"what does clause {number:07d} of the handbook say about refunds?"


def batch_query(number: int) -> str:
    """Return the query of one run of the batch, which repeats its 20 test cases."""
    return query(number % SUITE)


def rag_url() -> str:
    return os.environ[RAG_URL]


def llm_url(provider: str = "openai") -> str:
    return os.environ[OPENAI_URL if provider == "openai" else ANTHROPIC_URL]


def llm_configuration(number: int) -> dict[str, Any]:
    """Return one of 40 configurations: two providers, tenants with a URL of their own."""
    tenant = number % CONFIGURATIONS
    provider = "openai" if tenant % 2 else "anthropic"
    scheme, _, rest = llm_url(provider).partition("://")
    return {
        "provider": provider,
        "model": MODELS[provider],
        "base_url": f"{scheme}://tenant{tenant:02d}@{rest}",
        "temperature": round(0.1 + tenant / 100, 2),
    }


def node_config() -> dict[str, Any]:
    """Return the configuration of the vector database node: the article's keys alone."""
    return {
        "llm_provider": "openai",
        "llm_model": MODELS["openai"],
        "llm_base_url": llm_url(),
        "collections": (COLLECTION,),
        "top_k": 5,
        "max_rounds": 3,
    }


FATES = ("finished", "failed", "cancelled", "never-ending")


def fate(number: int) -> str:
    """Return how one execution ends, by its number."""
    return FATES[number % len(FATES)]
