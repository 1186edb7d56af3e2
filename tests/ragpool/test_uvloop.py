"""Pools on uvloop, where it is installed: the service's own loop is one of it then."""

from __future__ import annotations

import asyncio
import gc
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import LLMPool, RAGServicePool
from ragpool.connections import BUDGET
from tests.ragpool.conftest import left_open
from tests.waiting import reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stub_server import StubServer

uvloop: Any = pytest.importorskip("uvloop")
AT_ONCE = 20


class Both:
    """A pool of each kind, asked for the stub."""

    def __init__(self, server: StubServer) -> None:
        self.models, self.searches = LLMPool(), RAGServicePool()
        self._server = server

    async def search(self) -> None:
        await self.searches.get_client(self._server.rag_url).search("c", "why")

    async def ask(self) -> str:
        url = self._server.openai_url
        model = self.models.get_llm("openai", "m", url, api_key="key")
        return "".join([str(piece.text) async for piece in model.astream("why")])

    async def aclose(self) -> None:
        await self.models.aclose()
        await self.searches.aclose()


@pytest.fixture
def both(server: StubServer) -> Iterator[Both]:
    one = Both(server)
    yield one
    asyncio.run(one.aclose())


def test_many_searches_and_streams_at_once_share_what_is_closed_with_the_loop(
    both: Both, server: StubServer
) -> None:
    async def use() -> list[str]:
        for _ in range(2):
            await asyncio.gather(*(both.search() for _ in range(AT_ONCE)))
        return await asyncio.gather(*(both.ask() for _ in range(AT_ONCE)))

    answers = uvloop.run(use())
    assert len(set(answers)) == 1
    assert answers[0]
    assert server.stats()["connections_opened"] <= 2 * AT_ONCE
    assert BUDGET.open == 0
    assert left_open(server) == 0


def test_cancelled_searches_give_their_connections_back(both: Both, server: StubServer) -> None:
    async def use() -> None:
        server.control(route="/rag", hang=True)
        searches = [asyncio.ensure_future(both.search()) for _ in range(AT_ONCE)]
        await reached(lambda: server.stats()["requests_in_flight"] == AT_ONCE)
        for one in searches:
            one.cancel()
        await asyncio.wait(searches)
        server.reset()
        assert BUDGET.open == 0
        await both.search()

    uvloop.run(use())
    assert left_open(server) == 0


def test_a_loop_of_uvloop_and_one_of_asyncio_in_alternation_keep_a_connection_each(
    both: Both, server: StubServer
) -> None:
    loops = [uvloop.new_event_loop(), asyncio.new_event_loop()]
    for _ in range(5):
        for loop in loops:
            loop.run_until_complete(both.search())
    assert (both.searches.stats().created, both.searches.stats().reused) == (2, 8)
    assert server.stats()["connections_opened"] == 2
    for loop in loops:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    assert both.searches.stats().open == 0


def test_a_loop_that_is_closed_without_a_hook_has_its_sockets_closed_and_a_warning(
    both: Both, server: StubServer
) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        loop = uvloop.new_event_loop()
        loop.run_until_complete(both.search())
        loop.close()
        del loop
        gc.collect()  # uvloop warns too, of its transports
    assert "an event loop closed with 1 HTTP clients open" in str(warned[0].message)
    assert left_open(server) == 0
