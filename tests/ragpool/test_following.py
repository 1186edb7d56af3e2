"""Callers that wait: answers, streams, what a failure is, and what happens when they leave."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ragpool import ConfigClient, ExecutionStatus, create_app
from ragpool.following import Channel, unless_left
from ragpool.progress import Progress
from tests.ragpool.talking import client_of, talk, workflow
from tests.waiting import reached

if TYPE_CHECKING:
    from bench.stub_server import StubServer

STREAM = {"Accept": "text/event-stream"}


def events_in(text: str) -> list[tuple[str, Any]]:
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    pairs = [block.removeprefix("event: ").split("\ndata: ") for block in blocks]
    return [(kind, json.loads(data)) for kind, data in pairs]


def test_a_stream_tells_rounds_pieces_of_the_answer_and_the_end(
    settings: ConfigClient, node_config: dict[str, Any]
) -> None:
    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/execute", json=workflow(node_config), headers=STREAM)

    response = talk(settings, conversation)
    assert response.headers["Content-Type"].startswith("text/event-stream")
    events = events_in(response.text)
    kinds = [kind for kind, _ in events]
    assert (kinds[0], kinds[-2:], kinds.count("round")) == ("execution", ["node", "end"], 2)
    end = events[-1][1]
    assert (events[0][1]["status"] in ("pending", "running"), end["status"]) == (True, "completed")
    told = "".join(data["text"] for kind, data in events if kind == "answer")
    assert told == end["results"]["a"]["answer"]
    assert [data["number"] for kind, data in events if kind == "round"] == [1, 2]


def test_a_stream_of_a_failing_workflow_ends_with_its_error(
    settings: ConfigClient, node_config: dict[str, Any], server: StubServer
) -> None:
    server.control(route="/rag", status=404)

    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/execute", json=workflow(node_config), headers=STREAM)

    kind, end = events_in(talk(settings, conversation).text)[-1]
    assert (kind, end["status"], end["error"]["type"]) == (
        "end",
        "error",
        "CollectionNotFoundError",
    )


@pytest.mark.parametrize(("failed_is_200", "status"), [(False, 502), (True, 200)])
def test_a_failed_workflow_is_a_bad_gateway_with_its_execution_in_the_body(
    settings: ConfigClient,
    node_config: dict[str, Any],
    server: StubServer,
    failed_is_200: bool,
    status: int,
) -> None:
    server.control(route="/rag", status=404)

    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/execute", json=workflow(node_config))

    changed = settings.model_copy(update={"failed_is_200": failed_is_200})
    response = talk(changed, conversation)
    assert (response.status_code, response.json()["status"]) == (status, "error")


def test_an_upstream_that_is_late_is_a_gateway_timeout(
    settings: ConfigClient, node_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(*args: Any, **options: Any) -> None:
        raise httpx.ReadTimeout("late")

    monkeypatch.setattr("ragpool.transports.RetrievalHttp.request", late)
    monkeypatch.setattr("ragpool.retrieval.MAX_WAIT_S", 0.0)

    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/execute", json=workflow(node_config))

    response = talk(settings, conversation)
    assert (response.status_code, response.json()["error"]["type"]) == (
        504,
        "RetrievalTimeoutError",
    )


@pytest.mark.parametrize("headers", [{}, STREAM])
@pytest.mark.parametrize(("detach", "end"), [(False, "cancelled"), (True, "running")])
def test_a_caller_that_leaves_takes_its_execution_along_unless_it_is_detached(
    settings: ConfigClient,
    node_config: dict[str, Any],
    server: StubServer,
    headers: dict[str, str],
    detach: bool,
    end: str,
) -> None:
    server.control(route="/rag", hang=True)
    body = json.dumps(workflow(node_config, detach=detach)).encode()

    async def use() -> str:
        app = create_app(settings)
        async with client_of(app) as client:
            await client.get("/health")
            leave = asyncio.Event()
            messages = [{"type": "http.request", "body": body}]

            async def receive() -> Any:
                if messages:
                    return messages.pop()
                await leave.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                """Write to a caller that reads everything."""

            calling = asyncio.ensure_future(app(_scope(app, headers), receive, send))
            manager = app.state.runtime.manager
            await reached(lambda: manager.stats().running == 1)
            await reached(lambda: int(server.stats()["connections_opened"]) >= 1)
            leave.set()
            await calling
            (executor,) = manager.active_executions.values()
            if not detach:
                await executor.finished()
            return str(executor.status)

    assert asyncio.run(use()) == end


def _scope(app: Any, headers: dict[str, str]) -> dict[str, Any]:
    lines = {"host": "localhost", "content-type": "application/json", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/execute",
        "raw_path": b"/execute",
        "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in lines.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "app": app,
    }


def test_work_that_fails_or_is_cancelled_ends_what_it_was_for() -> None:
    ended: list[str] = []

    async def stay() -> Any:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise LookupError

    async def use() -> None:
        with pytest.raises(LookupError):
            await unless_left(fail(), stay, lambda: ended.append("failed"))
        cancelled = asyncio.ensure_future(
            unless_left(stay(), stay, lambda: ended.append("cancelled"))
        )
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])

    asyncio.run(use())
    assert ended == ["failed", "cancelled"]


def test_pieces_that_nobody_has_read_become_one() -> None:
    def piece(text: str, node: str = "a") -> Progress:
        return Progress(kind="answer", node=node, data={"text": text})

    async def use() -> list[Progress]:
        channel = Channel()
        for progress in (piece("x"), piece("y"), piece("z", "b"), Progress(kind="node", node="b")):
            channel.put(progress)
        await asyncio.sleep(0)
        first = await channel.read(30)
        return [*first, *await channel.read(0)]

    found = asyncio.run(use())
    assert [(one.kind, one.node, one.data.get("text")) for one in found] == [
        ("answer", "a", "xy"),
        ("answer", "b", "z"),
        ("node", "b", None),
    ]


def test_a_key_of_the_requests_own_keeps_it_from_being_restartable(
    settings: ConfigClient, node_config: dict[str, Any]
) -> None:
    async def conversation(client: httpx.AsyncClient) -> httpx.Response:
        return await client.post("/execute", json=workflow(node_config, restartable=True))

    response = talk(settings, conversation)
    assert response.status_code == 422
    assert "the key is not stored" in response.json()["detail"]
    assert ExecutionStatus.INTERRUPTED.finished
