"""Fifty callers at once, forty requests each, two replicas on one database, faults upstream."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import httpx

from tests.ragpool.conftest import left_open
from tests.ragpool.served import Service
from tests.thorough import thorough

if TYPE_CHECKING:
    from pathlib import Path

    from bench.stub_server import StubServer

CALLERS, TIMES = 50, 40
FAILING = 0.02
"""The share of model calls that are refused: enough that rows of both kinds are compared."""
BODY: dict[str, Any] = {
    "query": "why",
    "wait": True,
    "nodes": [{"id": "a", "config": {"llm_model": "m"}}],
}


async def call(service: Service, seen: dict[str, str]) -> None:
    """Ask again and again as one caller; note how each execution ended."""
    async with httpx.AsyncClient(base_url=service.url, timeout=300) as client:
        for _ in range(TIMES):
            reply = await client.post("/execute", json=BODY)
            assert reply.status_code in (200, 502), reply.text
            record = reply.json()
            seen[record["execution_id"]] = record["status"]


async def listed(service: Service) -> dict[str, str]:
    found: dict[str, str] = {}
    async with httpx.AsyncClient(base_url=service.url, timeout=300) as client:
        for offset in range(0, CALLERS * TIMES, 1000):
            params = {"limit": 1000, "offset": offset}
            page = (await client.get("/executions", params=params)).json()["executions"]
            found |= {one["execution_id"]: one["status"] for one in page}
    return found


@thorough
def test_what_two_replicas_answered_under_load_is_what_is_stored(
    tmp_path: Path, server: StubServer, store_url: str
) -> None:
    server.control(route="/v1", status=400, rate=FAILING)
    settings = {"RAGPOOL_DATABASE_URL": store_url, "RAGPOOL_LEASE_S": "120"}
    replicas = [Service(tmp_path, server.rag_url, server.openai_url, **settings) for _ in range(2)]
    seen: dict[str, str] = {}

    async def load() -> None:
        await asyncio.gather(*(call(replicas[number % 2], seen) for number in range(CALLERS)))

    asyncio.run(load())
    ends = Counter(seen.values())
    stored = [asyncio.run(listed(one)) for one in replicas]
    for one in replicas:
        one.end(signal.SIGINT)
    assert sum(ends.values()) == CALLERS * TIMES
    assert ends.keys() == {"completed", "error"}
    assert stored == [seen, seen]
    assert left_open(server) == 0
