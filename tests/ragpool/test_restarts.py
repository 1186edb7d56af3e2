"""The ends of a process: asked, asked twice, and killed. Nothing waits for a hanging upstream."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.ragpool.served import Service
from tests.thorough import thorough
from tests.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.stub_server import StubServer

DAYS_S = "100000"
"""A drain that no test could wait for: who comes before it did not wait for it."""


@pytest.fixture
def start(tmp_path: Path, server: StubServer) -> Iterator[Callable[..., Service]]:
    started: list[Service] = []

    def begin(**settings: str) -> Service:
        settings = {"RAGPOOL_LEASE_S": "0.3", **settings}
        started.append(Service(tmp_path, server.rag_url, server.openai_url, **settings))
        return started[-1]

    yield begin
    for one in started:
        one.end(signal.SIGKILL)


def execute(service: Service, server: StubServer, **changes: Any) -> str:
    """Start an execution whose upstream hangs, and return its id once it asks."""
    asked = server.stats()["requests_total"]
    body = {"query": "why", "nodes": [{"id": "a", "config": {"llm_model": "m"}}], **changes}
    reply = httpx.post(f"{service.url}/execute", json=body)
    assert reply.status_code == 202
    assert eventually(lambda: server.stats()["requests_total"] > asked, True)
    return str(reply.json()["execution_id"])


def eventually(read: Callable[[], Any], wanted: object) -> bool:
    """Wait longer: the first execution of a process imports much, and machines are busy."""
    return any(settled(read, wanted) == wanted for _ in range(4))


def status_of(service: Service, execution_id: str) -> dict[str, Any]:
    record: dict[str, Any] = httpx.get(f"{service.url}/executions/{execution_id}").json()
    return record


def test_a_drain_ends_although_the_upstream_hangs_and_records_what_it_cancels(
    start: Callable[..., Service], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)
    service = start(RAGPOOL_DRAIN_S="0.2")
    execution_id = execute(service, server)
    service.end(signal.SIGTERM)
    assert "1 executions are cancelled" in "".join(service.said)
    assert status_of(start(), execution_id)["status"] == "cancelled"


def test_a_second_signal_does_not_wait_for_the_drain(
    start: Callable[..., Service], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)
    service = start(RAGPOOL_DRAIN_S=DAYS_S)
    execution_id = execute(service, server)
    os.kill(service.process.pid, signal.SIGTERM)
    assert settled(lambda: any("Shutting down" in line for line in service.said), True)
    service.end(signal.SIGTERM)
    assert status_of(start(), execution_id)["status"] == "cancelled"


def test_what_a_killed_process_ran_is_interrupted_by_the_next(
    start: Callable[..., Service], server: StubServer
) -> None:
    server.control(route="/rag", hang=True)
    killed = start()
    execution_id = execute(killed, server)
    killed.end(signal.SIGKILL)
    next_one = start()
    assert eventually(lambda: status_of(next_one, execution_id)["status"], "interrupted")


@thorough  # four processes
@pytest.mark.parametrize("replicas", [1, 2])
@pytest.mark.parametrize(("restartable", "end"), [(False, "interrupted"), (True, "completed")])
def test_after_a_kill_each_execution_gets_its_end_from_the_next_start_or_from_a_replica(
    start: Callable[..., Service],
    server: StubServer,
    replicas: int,
    restartable: bool,
    end: str,
) -> None:
    server.control(route="/rag", hang=True)
    killed, *beside = [start(RAGPOOL_LEASE_S="8") for _ in range(replicas)]
    ids = [execute(killed, server, restartable=restartable) for _ in range(3)]
    killed.end(signal.SIGKILL)
    server.reset()
    next_one = beside[0] if beside else start(RAGPOOL_LEASE_S="8")

    def ends() -> set[str]:
        return {status_of(next_one, one)["status"] for one in ids}

    assert eventually(ends, {end})


def test_a_replica_on_the_same_database_runs_again_what_may_be_run_again(
    start: Callable[..., Service], server: StubServer, store_url: str
) -> None:
    server.control(route="/rag", hang=True)
    lease = {
        "RAGPOOL_DATABASE_URL": store_url,
        "RAGPOOL_LEASE_S": "8",
    }  # a loaded machine must not lose one on the way
    killed, beside = start(**lease), start(**lease)
    execution_id = execute(killed, server, restartable=True)
    assert status_of(beside, execution_id)["status"] == "running"
    killed.end(signal.SIGKILL)
    server.reset()
    assert eventually(lambda: status_of(beside, execution_id)["status"], "completed")
    assert status_of(beside, execution_id)["attempt"] == 2
