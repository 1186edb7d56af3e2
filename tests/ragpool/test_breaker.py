"""A host that fails each time is left alone, and tried now and then."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ragpool import ConfigurationError, RAGServiceClient, RAGServicePool, RetrievalError
from ragpool.breaker import HostBreaker
from ragpool.retry_after import retry_after_s

if TYPE_CHECKING:
    from bench.stub_server import StubServer
    from tests.ragpool.conftest import FakeClock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_failures_in_a_row_open_it_and_one_success_closes_it(clock: FakeClock) -> None:
    breaker = HostBreaker(failures=2, pause_s=10, clock=clock)
    breaker.note("a", failed=True)
    assert breaker.refusal("a") is None
    breaker.note("a", failed=True)
    assert breaker.refusal("a") == "host a: 2 failures in a row; it is tried again in 10.0 s"
    assert (breaker.refusal("b"), breaker.paused()) == (None, ("a",))
    clock.advance(10)
    assert breaker.refusal("a") is None  # one is let through
    assert breaker.refusal("a") is not None
    breaker.note("a", failed=False)
    assert (breaker.refusal("a"), breaker.paused()) == (None, ())


def test_failures_that_successes_come_between_do_not_open_it() -> None:
    breaker = HostBreaker(failures=2, pause_s=10)
    for _ in range(10):
        breaker.note("a", failed=True)
        breaker.note("a", failed=False)
    assert breaker.refusal("a") is None


def test_a_trial_that_fails_begins_the_pause_again(clock: FakeClock) -> None:
    breaker = HostBreaker(failures=1, pause_s=10, clock=clock)
    breaker.note("a", failed=True)
    clock.advance(10)
    assert breaker.refusal("a") is None
    clock.advance(5)
    breaker.note("a", failed=True)
    clock.advance(9)
    assert breaker.refusal("a") is not None


def test_hosts_without_number_are_not_remembered_without_bound() -> None:
    breaker = HostBreaker(failures=1, pause_s=1e9)
    for number in range(1500):
        breaker.note(f"host{number}", failed=True)
    assert len(breaker.paused()) == 1000


def test_a_breaker_that_could_not_work_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="failures is 0"):
        HostBreaker(failures=0, pause_s=1)


def test_an_open_one_sends_nothing(server: StubServer, clock: FakeClock) -> None:
    server.control(route="/rag", status=503)
    breaker = HostBreaker(failures=2, pause_s=10, clock=clock)

    async def use() -> list[int]:
        pool = RAGServicePool(breaker=breaker, attempts=1)
        client = pool.get_client(server.rag_url)
        for _ in range(5):
            with pytest.raises(RetrievalError, match=r"answered 503|2 failures in a row"):
                await client.search("c", "why")
        seen = [server.stats()["requests_total"]]
        server.reset()
        clock.advance(10)
        await client.search("c", "why")
        await client.search("c", "why")
        seen.append(server.stats()["requests_total"])
        await pool.aclose()
        return seen

    assert asyncio.run(use()) == [2, 2]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("-1", 0.0),
        ("Sun, 22 Nov 2026 12:00:07 GMT", 7.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("nan", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after_s({"retry-after": text}, NOON) == seconds


@pytest.mark.parametrize("status", [429, 503])
def test_a_search_waits_for_as_long_as_the_service_asks(server: StubServer, status: int) -> None:
    server.control(route="/rag", status=status, retry_after_s=7, times=1)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def use() -> int:
        async with RAGServiceClient(server.rag_url, sleep=sleep) as client:
            return len(await client.search("c", "why", top_k=2))

    assert asyncio.run(use()) == 2
    assert len(waits) == 1
    assert 7 <= waits[0] <= 9


def test_a_service_that_asks_for_too_long_is_an_error_at_once(server: StubServer) -> None:
    server.control(route="/rag", status=429, retry_after_s=3600)

    async def use() -> None:
        async with RAGServiceClient(server.rag_url) as client:
            await client.search("c", "why")

    with pytest.raises(RetrievalError, match="asks for 3600 s of quiet"):
        asyncio.run(use())
    assert server.stats()["requests_total"] == 1
