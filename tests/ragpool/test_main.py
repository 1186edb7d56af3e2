"""`python -m ragpool` as a process of its own, driven over HTTP."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.ragpool.conftest import left_open
from tests.ragpool.served import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stub_server import StubServer

OF_A_WORKER = 5
"""Descriptors: its loop has three, its connections to both backends one each."""
# one heavy import each: what `import ragpool` must not pull in
HEAVY = ("aiosqlite", "fastapi", "httpx", "langchain_core", "openai", "pydantic", "sqlalchemy")


@pytest.fixture
def service(tmp_path: Path, server: StubServer) -> Iterator[Service]:
    service = Service(tmp_path, server.rag_url, server.openai_url)
    yield service
    service.stop()


def test_the_service_serves_fifty_requests_at_once_and_ends_cleanly(
    service: Service, server: StubServer
) -> None:
    node = {"id": "a", "config": {"llm_model": "m", "llm_base_url": server.openai_url}}
    body = {"query": "why", "nodes": [node], "wait": True}

    async def batch() -> Any:
        async with httpx.AsyncClient(base_url=service.url, timeout=60) as client:
            posts = (client.post("/execute", json=body) for _ in range(50))
            replies = await asyncio.gather(*posts)
            assert {reply.status_code for reply in replies} == {200}
            assert {reply.json()["status"] for reply in replies} == {"completed"}
            return (await client.get("/pools")).json()

    beside_workers: list[int] = []
    for _ in range(2):
        pools = asyncio.run(batch())
        workers = pools["manager"]["worker_threads"]
        beside_workers.append(service.descriptors() - OF_A_WORKER * workers)
    listed = httpx.get(f"{service.url}/executions", params={"limit": 1000}).json()
    assert len(listed["executions"]) == 100
    # at most ten workers: one connection to each backend and one loop each, whatever the load
    assert workers <= 10
    assert server.stats()["connections_opened"] == 2 * workers
    assert pools["llm"]["created"] == 2 * workers
    assert (pools["manager"]["completed"], pools["manager"]["error"]) == (100, 0)
    assert beside_workers[1] - beside_workers[0] <= 5  # fifty executions, not one kept each
    assert service.stop() == []
    assert left_open(server) == 0


def test_wrong_settings_end_the_process_with_a_reason() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "ragpool"],
        env=os.environ | {"RAGPOOL_PORT": "seventy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert result.stderr.startswith("settings: port: ")


def test_importing_ragpool_loads_nothing_heavy() -> None:
    code = f"import sys, ragpool; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_a_pooled_client_does_not_load_the_service() -> None:
    code = (
        "import sys, ragpool; ragpool.LLMPool, ragpool.WorkflowExecutionManager;"
        "print([m for m in ('fastapi', 'sqlalchemy', 'uvicorn') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_every_public_name_can_be_imported() -> None:
    import ragpool

    assert ragpool.__all__ == sorted(ragpool.__all__)
    assert all(getattr(ragpool, name).__module__.startswith("ragpool.") for name in ragpool.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = ragpool.nothing
