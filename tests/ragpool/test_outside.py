"""The service seen by its callers: a process of its own, asked and left over sockets."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ragpool.callers import hash_of
from tests.ragpool.served import Service
from tests.thorough import thorough
from tests.waiting import reached, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stub_server import StubServer

ALICE, BOB = "token-of-alice", "token-of-bob"
STREAM = {"Accept": "text/event-stream"}
LEAVING = 15
MOST_BYTES = 20_000
WAIT_S = 120.0
"""For a reply of a service on a loaded machine; no test waits for as long where all is well."""


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def body(**changes: Any) -> dict[str, Any]:
    nodes = [{"id": "a", "config": {"llm_model": "m"}}]
    return {"query": "why", "nodes": nodes, "wait": True} | changes


@pytest.fixture(scope="module")
def running(_server: StubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(
        tmp_path_factory.mktemp("outside"),
        _server.rag_url,
        _server.openai_url,
        RAGPOOL_BODY_TIMEOUT_S="0.5",
        RAGPOOL_DRAIN_S="0",
        RAGPOOL_MAX_BODY_BYTES=str(MOST_BYTES),
        RAGPOOL_MAX_UNFINISHED_PER_CALLER=str(LEAVING),
        RAGPOOL_TOKENS=json.dumps({"alice": hash_of(ALICE), "bob": hash_of(BOB)}),
        RAGPOOL_WORKFLOW_MAX_WORKERS=str(LEAVING + 1),
    )
    yield service
    service.end(signal.SIGTERM)


@pytest.fixture
def service(running: Service, server: StubServer) -> Iterator[Service]:
    """The service without executions, its upstream without faults."""
    yield running
    server.reset()
    for token in ALICE, BOB:
        with httpx.Client(base_url=running.url, headers=bearer(token), timeout=WAIT_S) as client:
            for one in client.get("/executions", params={"limit": 1000}).json()["executions"]:
                assert client.delete(f"/executions/{one['execution_id']}").status_code == 204


def ask(service: Service, token: str = ALICE, **changes: Any) -> httpx.Response:
    url = f"{service.url}/execute"
    return httpx.post(url, json=body(**changes), headers=bearer(token), timeout=WAIT_S)


def statuses(service: Service, token: str = ALICE) -> list[str]:
    found = httpx.get(f"{service.url}/executions", headers=bearer(token), timeout=WAIT_S).json()
    return [one["status"] for one in found["executions"]]


def in_flight(server: StubServer) -> int:
    return int(server.stats()["requests_in_flight"])


def test_no_token_a_wrong_one_and_anothers_open_nothing(service: Service) -> None:
    made = ask(service).json()
    path = f"{service.url}/executions/{made['execution_id']}"
    for headers in ({}, bearer("wrong"), bearer(hash_of(ALICE)), {"Authorization": ALICE}):
        refused = [
            httpx.post(f"{service.url}/execute", json=body(), headers=headers),
            httpx.get(path, headers=headers),
            httpx.delete(path, headers=headers),
            httpx.get(f"{service.url}/metrics", headers=headers),
        ]
        assert [one.status_code for one in refused] == [401] * 4
        assert made["execution_id"] not in "".join(one.text for one in refused)
    assert httpx.get(path, headers=bearer(BOB)).status_code == 404
    assert httpx.delete(path, headers=bearer(BOB)).status_code == 404
    assert (statuses(service), statuses(service, BOB)) == (["completed"], [])
    assert httpx.get(path, headers=bearer(ALICE)).json()["caller"] == "alice"


def sent(service: Service, *parts: bytes) -> bytes:
    """Send bytes as they are, then only read until the service closes."""
    host, _, port = service.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=WAIT_S) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


def head(*more: str) -> bytes:
    lines = ["POST /execute HTTP/1.1", "Host: localhost", f"Authorization: Bearer {ALICE}", *more]
    return "\r\n".join([*lines, "Content-Type: application/json", "", ""]).encode()


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ((head(f"Content-Length: {MOST_BYTES + 1}"),), b"413"),
        (
            (
                head("Transfer-Encoding: chunked"),
                b"%x\r\n%s\r\n" % (MOST_BYTES + 1, b"x" * (MOST_BYTES + 1)),
            ),
            b"413",
        ),
        ((head("Content-Length: 100"), b'{"query": '), b"408"),
        ((head("Transfer-Encoding: chunked"), b"1\r\n{\r\n"), b"408"),
    ],
    ids=["announced", "in-chunks", "half-sent", "half-a-chunk"],
)
def test_a_body_that_is_too_large_or_never_complete_ends_its_connection(
    service: Service, parts: tuple[bytes, ...], status: bytes
) -> None:
    reply = sent(service, *parts)  # returns, so the service closed
    assert reply.split()[1] == status
    assert b"connection: close" in reply.lower()
    assert statuses(service) == []


def test_who_has_too_many_executions_is_told_when_to_come_back_and_others_are_served(
    service: Service, server: StubServer
) -> None:
    server.control(route="/rag", hang=True)
    accepted = [ask(service, wait=False).status_code for _ in range(LEAVING)]
    refused = ask(service, wait=False)
    assert accepted == [202] * LEAVING
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert ask(service, BOB, wait=False).status_code == 202


async def leave_when(is_there: Any, service: Service, headers: dict[str, str]) -> None:
    """Have callers wait for an execution each, until something is so; then hang up."""
    async with httpx.AsyncClient(base_url=service.url, timeout=WAIT_S) as client:
        posts = [
            asyncio.ensure_future(
                client.post("/execute", json=body(), headers=bearer(ALICE) | headers)
            )
            for _ in range(LEAVING)
        ]
        await reached(is_there)
        for one in posts:
            one.cancel()
        await asyncio.wait(posts)


@pytest.mark.parametrize("headers", [{}, STREAM], ids=["waiting", "streaming"])
def test_callers_that_leave_take_their_model_calls_along(
    service: Service, server: StubServer, headers: dict[str, str]
) -> None:
    server.control(route="/v1", hang=True)
    asyncio.run(leave_when(lambda: in_flight(server) == LEAVING, service, headers))
    assert settled(lambda: in_flight(server), 0) == 0  # their connections are closed
    assert settled(lambda: set(statuses(service)), {"cancelled"}) == {"cancelled"}
    assert len(statuses(service)) == LEAVING


def test_a_detached_execution_goes_on_without_its_caller(
    service: Service, server: StubServer
) -> None:
    server.control(route="/rag", delay_s=0.5)

    async def leave() -> None:
        async with httpx.AsyncClient(base_url=service.url, headers=bearer(ALICE)) as client:
            post = asyncio.ensure_future(client.post("/execute", json=body(detach=True)))
            await reached(lambda: in_flight(server) == 1)
            post.cancel()
            await asyncio.wait([post])

    asyncio.run(leave())
    assert settled(lambda: statuses(service), ["completed"]) == ["completed"]


def test_an_answer_that_is_being_written_ends_upstream_when_its_reader_goes(
    service: Service, server: StubServer
) -> None:
    server.control(route="/v1", stream_delay_s=0.7)  # between two pieces of the answer
    url, headers = f"{service.url}/execute", bearer(ALICE) | STREAM
    with httpx.stream("POST", url, json=body(), headers=headers, timeout=WAIT_S) as reply:
        for line in reply.iter_lines():
            if line == "event: answer":
                break
        assert in_flight(server) == 1
    assert settled(lambda: in_flight(server), 0) == 0
    assert settled(lambda: statuses(service), ["cancelled"]) == ["cancelled"]


def test_a_failed_workflow_is_a_bad_gateway_with_its_execution(
    service: Service, server: StubServer
) -> None:
    server.control(route="/rag", status=404)
    reply = ask(service)
    assert reply.status_code == 502
    assert (reply.json()["status"], reply.json()["error"]["node"]) == ("error", "a")
    stored = httpx.get(
        f"{service.url}/executions/{reply.json()['execution_id']}", headers=bearer(ALICE)
    )
    assert stored.json()["error"] == reply.json()["error"]


@thorough  # three attempts of ten seconds each
def test_a_hanging_service_is_a_gateway_timeout_with_its_execution(
    service: Service, server: StubServer
) -> None:
    server.control(route="/rag", hang=True)
    reply = ask(service)
    assert reply.status_code == 504
    assert reply.json()["error"]["type"] == "RetrievalTimeoutError"


@thorough  # a service of its own
def test_who_waits_when_the_service_ends_is_told_to_ask_again(
    tmp_path: Any, server: StubServer
) -> None:
    server.control(route="/v1", hang=True)
    ending = Service(tmp_path, server.rag_url, server.openai_url, RAGPOOL_DRAIN_S="0.1")

    async def wait() -> httpx.Response:
        async with httpx.AsyncClient(base_url=ending.url, timeout=WAIT_S) as client:
            post = asyncio.ensure_future(client.post("/execute", json=body()))
            await reached(lambda: in_flight(server) == 1)
            ending.process.send_signal(signal.SIGTERM)
            return await post

    reply = asyncio.run(wait())
    ending.end()
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    assert reply.json()["status"] == "cancelled"
    assert settled(lambda: in_flight(server), 0) == 0
