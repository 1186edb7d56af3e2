"""Connections for months: their age, their number, one retry, forks, loops in alternation."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import ConfigurationError, RAGServicePool, RetrievalError
from ragpool import connections as held
from ragpool.connections import ConnectionBudget
from ragpool.loop_clients import Lease, Recipe
from ragpool.pool import LoopPool

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stub_server import StubServer

FEW = 3
LOADED_S = 10.0
"""Of CPU for 20,000 evictions: 1.0 s on two cores that others used too; minutes if each cost
more than the one before."""


def search_often(url: str, times: int = FEW, **options: Any) -> None:
    async def use() -> None:
        pool = RAGServicePool(**options)
        for _ in range(times):
            await pool.get_client(url).search("c", "why")
        await pool.aclose()

    asyncio.run(use())


@pytest.mark.parametrize(("age_s", "opened"), [(-1.0, FEW), (3600.0, 1)])
def test_an_old_connection_is_replaced_and_a_young_one_kept(
    server: StubServer, monkeypatch: pytest.MonkeyPatch, age_s: float, opened: int
) -> None:
    monkeypatch.setattr(held, "MAX_AGE_S", age_s)
    search_often(server.rag_url)
    assert server.stats()["connections_opened"] == opened


def test_connections_of_one_moment_do_not_end_in_one_moment(server: StubServer) -> None:
    async def use() -> list[float]:
        pool = RAGServicePool()
        client = pool.get_client(server.rag_url)
        await asyncio.gather(*(client.search("c", "why") for _ in range(8)))
        inside: Any = client._http.client._transport
        ends = [one.ends_at_s for one in inside._pool.connections]
        await pool.aclose()
        return ends

    began = time.monotonic()
    ends = asyncio.run(use())
    assert len(set(ends)) == len(ends) > 1
    assert all(began + 0.8 * held.MAX_AGE_S <= one for one in ends)
    assert all(one <= time.monotonic() + held.MAX_AGE_S for one in ends)


class ClosingServer:
    """Give so many answers on a connection, read one request more, and close without a word."""

    def __init__(self, answers: int) -> None:
        self.answers = answers
        self.served: list[int] = []
        self._ends: list[asyncio.Task[Any]] = []

    async def serve(self, reader: Any, writer: Any) -> None:
        self._ends += filter(None, [asyncio.current_task()])
        body = b'{"documents": []}'
        head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            for number in range(self.answers + 1):
                asked = (await reader.readuntil(b"\r\n\r\n")).lower()
                size = int(asked.split(b"content-length:")[1].split()[0])
                await reader.readexactly(size)
                self.served.append(number)
                if number < self.answers:
                    writer.write(head + body)
            writer.close()
            await writer.wait_closed()
        writer.close()

    async def ended(self) -> None:
        await asyncio.gather(*self._ends)


@pytest.mark.parametrize(("answers", "works"), [(1, True), (0, False)])
def test_a_request_on_a_stale_connection_is_sent_again_and_on_a_fresh_one_is_not(
    answers: int, works: bool
) -> None:
    async def use() -> list[int]:
        stub = ClosingServer(answers)
        server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        pool = RAGServicePool(attempts=1)
        client = pool.get_client(url)
        try:
            for _ in range(2):
                await client.search("c", "why")
        except RetrievalError:
            assert not works
        await pool.aclose()
        server.close()
        await stub.ended()
        return stub.served

    assert asyncio.run(use()) == ([0, 1, 0] if works else [0])


def test_no_more_connections_than_allowed_are_open_and_who_needs_one_waits(
    server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = ConnectionBudget(2)
    monkeypatch.setattr(held, "BUDGET", budget)

    async def use() -> int:
        pools = [RAGServicePool() for _ in range(2)]  # each would open its own
        clients = [pool.get_client(server.rag_url) for pool in pools]
        await asyncio.gather(*(client.search("c", "why") for client in clients))
        most = budget.open
        third = RAGServicePool()
        waiting = asyncio.ensure_future(third.get_client(server.rag_url).search("c", "why"))
        await asyncio.sleep(0)
        await pools[0].aclose()
        await waiting
        for pool in (*pools, third):
            await pool.aclose()
        return most

    assert asyncio.run(use()) == 2
    assert (server.stats()["connections_peak"], budget.open) == (2, 0)


def test_who_finds_no_connection_in_time_is_told_the_setting(
    server: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "BUDGET", ConnectionBudget(1))

    async def use() -> None:
        one, other = RAGServicePool(), RAGServicePool(attempts=1, timeout_s=0.05)
        await one.get_client(server.rag_url).search("c", "why")
        try:
            await other.get_client(server.rag_url).search("c", "why")
        finally:
            await one.aclose()
            await other.aclose()

    with pytest.raises(RetrievalError) as raised:
        asyncio.run(use())
    assert "raise max_connections" in str(raised.value.__cause__)


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_connections is 0"):
        ConnectionBudget(0)


def test_two_live_loops_in_alternation_keep_a_connection_each(server: StubServer) -> None:
    pool = RAGServicePool()

    async def search() -> None:
        await pool.get_client(server.rag_url).search("c", "why")

    loops = [asyncio.new_event_loop() for _ in range(2)]
    for _ in range(10):
        for loop in loops:
            loop.run_until_complete(search())
    assert (pool.stats().created, pool.stats().reused) == (2, 18)
    assert server.stats()["connections_opened"] == 2
    for loop in loops:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
    assert pool.stats().open == 0


class _Stream:
    """A resource that is read while its client is evicted."""

    def __init__(self) -> None:
        self.closed = False

    async def aclose(self) -> None:
        self.closed = True

    def abandon(self) -> None:
        self.closed = True


class _Client:
    def __init__(self, lease: Lease) -> None:
        self.lease = lease


def test_twenty_thousand_evictions_cut_no_stream_and_cost_no_more_each_than_the_first() -> None:
    made: list[_Stream] = []

    def open_one(on_loop: bool) -> _Stream:
        made.append(_Stream())
        return made[-1]

    def recipe(number: int) -> Recipe[int, _Client]:
        return Recipe(key=number, endpoint=number, open=open_one, build=_Client)

    async def use() -> tuple[float, list[bool]]:
        pool: LoopPool[int, _Client] = LoopPool("test", max_clients=32)
        in_flight = [pool.acquire(recipe(number)) for number in range(50)]
        began_s = time.process_time()  # of this process, whatever else the machine does
        for number in range(50, 20_050):
            pool.acquire(recipe(number))
            if number % 500 == 0:
                await asyncio.sleep(0)
        took_s = time.process_time() - began_s
        cut = [client.lease.resource.closed for client in in_flight]  # type: ignore[attr-defined]
        assert pool.stats().evicted >= 20_000
        del in_flight
        await pool.aclose()
        return took_s, cut

    took_s, cut = asyncio.run(use())
    assert not any(cut)
    assert took_s < LOADED_S
    assert all(one.closed for one in made)


def in_child(work: Callable[[], bool]) -> bool:
    """Run something in a fork of this process; say whether it was so there."""
    child = os.fork()
    if child == 0:
        right = False
        try:
            right = work()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0 if right else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_makes_its_own_clients_and_leaves_the_parents_alone(server: StubServer) -> None:
    pool = RAGServicePool()
    loop = asyncio.new_event_loop()

    async def search() -> int:
        client = pool.get_client(server.rag_url)
        await client.search("c", "why")
        return id(client)

    parents = loop.run_until_complete(search())

    def use() -> bool:
        mine = asyncio.run(search())
        return mine != parents and pool.stats().created == 2 and pool.stats().clients == 0

    assert in_child(use)
    assert server.stats()["connections_opened"] == 2
    assert loop.run_until_complete(search()) == parents
    assert server.stats()["connections_opened"] == 2  # the parent's own still serves
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
