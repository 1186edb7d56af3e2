"""The node against the stub: real clients, real sockets."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import (
    ConfigurationError,
    LLMError,
    LLMPool,
    Pools,
    RAGServicePool,
    StopReason,
    UnknownProviderError,
    execute_vectordb_node,
)
from tests.ragpool.conftest import left_open

if TYPE_CHECKING:
    from bench.stub_server import StubServer


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_search_takes_two_rounds_with_either_provider(
    server: StubServer, node_config: dict[str, Any], pools: Pools, provider: str
) -> None:
    url = server.openai_url if provider == "openai" else server.url
    config = node_config | {"llm_provider": provider, "llm_base_url": url}
    result = asyncio.run(execute_vectordb_node(config, "why does memory rise", pools=pools))
    assert (result.rounds, result.stopped_by) == (2, StopReason.SUFFICIENT)
    assert result.queries[1].startswith("why does memory rise (refined: ")
    assert result.bad_replies == 0
    assert result.documents
    assert result.answer


@pytest.mark.parametrize("bad", ["prose", "cut", "schema", "empty"])
def test_a_model_that_answers_badly_does_not_break_the_search(
    server: StubServer, node_config: dict[str, Any], pools: Pools, bad: str
) -> None:
    server.control(route="/v1", bad_output=bad)
    result = asyncio.run(execute_vectordb_node(node_config, "query", pools=pools))
    assert result.bad_replies > 0
    assert result.documents


def test_a_refusing_model_is_a_clear_error(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    server.control(route="/v1", status=401)
    with pytest.raises(LLMError, match=r"relevance judgement: .*401"):
        asyncio.run(execute_vectordb_node(node_config, "query", pools=pools))


def test_an_unknown_key_is_named_before_anything_is_asked(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    with pytest.raises(ConfigurationError, match="unknown key 'collection'"):
        asyncio.run(execute_vectordb_node(node_config | {"collection": "a"}, "q", pools=pools))
    assert server.stats()["requests_total"] == 0


def test_an_unknown_provider_is_an_error(node_config: dict[str, Any], pools: Pools) -> None:
    with pytest.raises(UnknownProviderError, match="'nobody': unknown"):
        asyncio.run(
            execute_vectordb_node(node_config | {"llm_provider": "nobody"}, "q", pools=pools)
        )


def test_a_bare_loop_has_its_sockets_closed_and_can_be_collected(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(execute_vectordb_node(node_config, "query", pools=pools))
    assert server.stats()["connections_open"] == 2
    with pytest.warns(ResourceWarning, match="an event loop closed with 1 HTTP clients open"):
        loop.close()
    assert left_open(server) == 0
    dead = weakref.ref(loop)
    del loop
    gc.collect()
    assert dead() is None


def test_without_pools_the_process_wide_ones_serve(
    server: StubServer, node_config: dict[str, Any]
) -> None:
    LLMPool.clear_instance()  # whatever an earlier test made
    asyncio.run(execute_vectordb_node(node_config, "query"))
    assert LLMPool.get_instance().stats().created == 2
    assert RAGServicePool.get_instance().stats().open == 0
    LLMPool.clear_instance()
    RAGServicePool.clear_instance()
    assert left_open(server) == 0
