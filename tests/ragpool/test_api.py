"""The HTTP service inside the test's process: answers, refusals, lifetimes."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import ConfigClient, create_app, get_config_composer, get_db_manager
from tests.ragpool.conftest import left_open, sqlite_threads_end
from tests.ragpool.talking import client_of, talk, workflow
from tests.waiting import WAIT_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from bench.stub_server import StubServer


def test_a_workflow_is_executed_stored_listed_and_deleted(
    settings: ConfigClient, node_config: dict[str, Any]
) -> None:
    async def conversation(client: httpx.AsyncClient) -> None:
        made = await client.post("/execute", json=workflow(node_config))
        assert made.status_code == 200
        assert made.json()["status"] == "completed"
        assert made.json()["results"]["a"]["rounds"] == 2
        path = f"/executions/{made.json()['execution_id']}"
        assert (await client.get(path)).json() == made.json()
        assert (await client.get("/executions")).json()["executions"] == [made.json()]
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.get("/executions")).json() == {"executions": []}

    talk(settings, conversation)


def test_without_wait_the_answer_comes_at_once_and_the_result_later(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    async def conversation(client: httpx.AsyncClient) -> str:
        made = await client.post("/execute", json=workflow(node_config, wait=False))
        assert made.status_code == 202
        path = f"/executions/{made.json()['execution_id']}"
        status = "pending"
        async with asyncio.timeout(WAIT_S):
            while status in ("pending", "running"):
                status = str((await client.get(path)).json()["status"])
        return status

    assert talk(settings, conversation) == "completed"


def test_a_running_execution_can_be_deleted(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)

    async def conversation(client: httpx.AsyncClient) -> list[int]:
        made = await client.post("/execute", json=workflow(node_config, wait=False))
        path = f"/executions/{made.json()['execution_id']}"
        codes = [(await client.delete(path)).status_code, (await client.get(path)).status_code]
        listed = (await client.get("/executions")).json()
        assert listed == {"executions": []}
        return codes

    assert talk(settings, conversation) == [204, 404]


def test_an_execution_deleted_while_somebody_waits_for_it_stays_deleted(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)

    async def conversation(client: httpx.AsyncClient) -> tuple[str, Any]:
        waiting = asyncio.create_task(client.post("/execute", json=workflow(node_config)))
        listed: list[Any] = []
        async with asyncio.timeout(WAIT_S):
            while not listed:
                listed = (await client.get("/executions")).json()["executions"]
        await client.delete(f"/executions/{listed[0]['execution_id']}")
        status = (await waiting).json()["status"]
        return status, (await client.get("/executions")).json()["executions"]

    assert talk(settings, conversation) == ("cancelled", [])


def test_stored_executions_are_found_after_a_restart(
    settings: ConfigClient, node_config: dict[str, Any]
) -> None:
    async def make(client: httpx.AsyncClient) -> str:
        made = await client.post("/execute", json=workflow(node_config))
        return str(made.json()["execution_id"])

    execution_id = talk(settings, make)

    async def find(client: httpx.AsyncClient) -> str:
        return str((await client.get(f"/executions/{execution_id}")).json()["status"])

    assert talk(settings, find) == "completed"


def test_what_runs_at_shutdown_is_stored_as_cancelled(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)

    async def make(client: httpx.AsyncClient) -> None:
        await client.post("/execute", json=workflow(node_config, wait=False))

    async def find(client: httpx.AsyncClient) -> list[str]:
        listed = (await client.get("/executions")).json()["executions"]
        return [one["status"] for one in listed]

    talk(settings, make)
    assert talk(settings, find) == ["cancelled"]


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"{bad", 400, "JSON decode error"),
        (b"[]", 422, "body: "),
        (b'{"query": "q"}', 422, "body.nodes: Field required"),
        (b'{"query": "", "nodes": [{"id": "a"}]}', 422, "body.query: "),
        (b'{"query": "q", "nodes": [{"id": "a"}], "typo": 1}', 422, "body.typo: "),
        (b'{"query": "q", "nodes": [{"id": "a"}]}', 422, "llm_model: Field required"),
        (
            b'{"query": "q", "nodes": [{"id": "a", "config": {"llm_model": "m", "top": 1}}]}',
            422,
            "unknown key 'top'",
        ),
        (
            (
                b'{"query": "q", "nodes": [{"id": "a", "config": '
                b'{"llm_model": "m", "llm_provider": "nobody"}}]}'
            ),
            422,
            "llm provider 'nobody': unknown (known: anthropic, openai)",
        ),
        (b'{"query": "' + b"x" * 30_000 + b'"}', 413, "larger than 20000 bytes"),
        (b'{"query": "' + b"x" * 5_000 + b'", "nodes": []}', 422, "at most 4000 characters"),
    ],
)
def test_a_bad_request_is_refused_with_a_reason(
    settings: ConfigClient, body: bytes, status: int, reason: str
) -> None:
    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        headers = {"content-type": "application/json"}
        return await client.post("/execute", content=body, headers=headers)

    response = talk(settings, conversation)
    assert (response.status_code, reason in response.json()["detail"]) == (status, True)


def test_a_body_of_unannounced_length_is_limited_too(settings: ConfigClient) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 1000

    async def conversation(client: httpx.AsyncClient) -> int:
        return (await client.post("/execute", content=body())).status_code

    assert talk(settings, conversation) == 413


def test_a_refusal_repeats_no_secret(settings: ConfigClient, node_config: dict[str, Any]) -> None:
    async def conversation(client: httpx.AsyncClient) -> str:
        bad = workflow(node_config | {"llm_api_key": ["sk-secret"]})
        return (await client.post("/execute", json=bad)).text

    assert "sk-secret" not in talk(settings, conversation)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_execution_is_not_found(settings: ConfigClient, method: str) -> None:
    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.request(method, "/executions/nobody%00")

    response = talk(settings, conversation)
    assert response.status_code == 404
    assert "unknown, or already removed" in response.json()["detail"]


def test_too_many_executions_are_refused_until_some_finish(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)

    async def conversation(client: httpx.AsyncClient) -> list[int]:
        body = workflow(node_config, wait=False)
        return [(await client.post("/execute", json=body)).status_code for _ in range(3)]

    assert talk(settings.model_copy(update={"max_unfinished": 2}), conversation) == [202, 202, 503]


def test_pools_shows_live_statistics(settings: ConfigClient, node_config: dict[str, Any]) -> None:
    async def conversation(client: httpx.AsyncClient) -> Any:
        await client.post("/execute", json=workflow(node_config))
        return (await client.get("/pools")).json()

    pools = talk(settings, conversation)
    assert (pools["llm"]["clients"], pools["retrieval"]["open"]) == (2, 1)
    assert (pools["manager"]["completed"], pools["recorder"]["lost"]) == (1, 0)


def test_health_asks_the_database(settings: ConfigClient, tmp_path: Path) -> None:
    async def conversation(client: httpx.AsyncClient) -> int:
        status = (await client.get("/health")).status_code
        if status == 503:
            await sqlite_threads_end()
        return status

    assert talk(settings, conversation) == 200
    broken = ConfigClient.load(database_url=f"sqlite+aiosqlite:///{tmp_path}/no/dir.db")
    assert talk(broken, conversation) == 503


def test_the_apps_objects_are_made_once_under_concurrent_first_requests(
    settings: ConfigClient,
) -> None:
    app = create_app(settings)
    request: Any = SimpleNamespace(app=app)
    with ThreadPoolExecutor(16) as threads:
        databases = set(threads.map(get_db_manager, [request] * 64))
    assert databases == {app.state.app_db}
    assert get_config_composer(request) is settings
    asyncio.run(app.state.app_db.aclose())


def test_the_app_closes_what_it_made(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    app = create_app(settings)

    async def run() -> None:
        async with client_of(app) as client:
            posts = (client.post("/execute", json=workflow(node_config)) for _ in range(10))
            assert {reply.status_code for reply in await asyncio.gather(*posts)} == {200}

    asyncio.run(run())
    assert "closed" in repr(app.state.app_db)
    assert "closed" in repr(app.state.runtime.manager)
    assert left_open(server) == 0
