"""The stub backend for everything with sockets, and fakes that need none."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

import ragpool
from bench.stub_server import StubServer
from tests.ragpool.postgres import NOT_THERE, Postgres, programs
from tests.waiting import reached, settled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def _server() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def server(_server: StubServer) -> StubServer:
    """The stub with its counters at zero and no fault ordered."""
    if not _server.running:
        _server.start()
    _server.reset()
    return _server


@pytest.fixture
def node_config(server: StubServer) -> dict[str, Any]:
    return {
        "llm_provider": "openai",
        "llm_model": "gpt-4o-mini",
        "llm_base_url": server.openai_url,
        "llm_api_key": "test-key",
        "rag_base_url": server.rag_url,
    }


@pytest.fixture
def pools() -> ragpool.Pools:
    return ragpool.Pools(
        llm=ragpool.LLMPool(), retrieval=ragpool.RAGServicePool(), cache=ragpool.SearchCache()
    )


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    found = programs()
    if found is None:
        pytest.skip(NOT_THERE)
    server = Postgres(found)
    yield server
    server.stop()


@pytest.fixture
def postgres_url(_postgres: Postgres) -> str:
    """An empty database on a server that the tests started."""
    asyncio.run(_postgres.empty())
    return _postgres.url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite+aiosqlite:///{tmp_path}/executions.db"


@pytest.fixture
def settings(tmp_path: Path) -> ragpool.ConfigClient:
    return ragpool.ConfigClient.load(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/api.db",
        workflow_max_workers=2,
        max_body_bytes=20_000,
        allowed_hosts=("127.0.0.1",),
        drain_s=0,
    )


class FakeClock:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def left_open(server: StubServer) -> int:
    """Return the connections that stay open; the server may hear of a close a moment later."""
    return settled(lambda: int(server.stats()["connections_open"]), 0)


async def sqlite_threads_end() -> None:
    """Wait for aiosqlite's threads: after a failed connect it ends one without waiting for it."""

    def ended() -> bool:
        return not any("_connection_worker" in thread.name for thread in threading.enumerate())

    await reached(ended)
