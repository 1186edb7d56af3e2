"""One call of each scenario of the service: a request to a route, or what happens to one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bench import cases
from bench.designs.service import upstream
from bench.designs.service.asked import node, rotate
from bench.designs.service.asking import EVENTS, Answer, ask

if TYPE_CHECKING:
    from bench.designs.service.asked import Service

MANY_TENANTS = 40
UNKNOWN = "0" * 32
DOCUMENTATION = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc")
_TOO_LONG = "x" * (1 << 20)


async def execute(service: Service, number: int) -> None:
    """Ask for a workflow, and wait for its result."""
    _completed(await _execute(service, number))


async def execute_and_look(service: Service, number: int) -> None:
    """Start a workflow, and look at it until it is over."""
    started = _expect(202, await _post(service, number)).json()
    path = f"/executions/{started['execution_id']}"
    found = started
    while found["status"] in ("pending", "running"):
        found = _expect(200, await ask(service.app, "GET", path)).json()
    _completed_record(found)
    await service.settled()


async def list_executions(service: Service, number: int) -> None:
    """List stored executions, a few at a time."""
    query = f"status=completed&limit=5&offset={number % 10}"
    found = _expect(200, await ask(service.app, "GET", "/executions", query=query))
    if len(found.json()["executions"]) != 5:
        raise ValueError(found.body)


async def delete_execution(service: Service, number: int) -> None:
    """Start a workflow whose model never answers, and delete it while it runs."""
    started = _expect(202, await _post(service, number)).json()
    await upstream.reach(bool, "the model was not asked")
    path = f"/executions/{started['execution_id']}"
    _expect(204, await ask(service.app, "DELETE", path))
    await _left_alone(service)


async def pools(service: Service, number: int) -> None:
    """Look at what the pools hold."""
    _expect(200, await ask(service.app, "GET", "/pools"))


async def metrics(service: Service, number: int) -> None:
    """Read the metrics, as Prometheus does every 15 s for months."""
    _expect(200, await ask(service.app, "GET", "/metrics"))


async def health(service: Service, number: int) -> None:
    """Ask whether it lives, as an orchestrator does."""
    _expect(200, await ask(service.app, "GET", "/health"))


async def documentation(service: Service, number: int) -> None:
    """Read the pages that FastAPI writes."""
    for path in DOCUMENTATION:
        _expect(200, await ask(service.app, "GET", path))


async def refused(service: Service, number: int) -> None:
    """Ask for what is refused: each kind once."""
    app, good = service.app, _body(number)
    wanted = (
        (404, await ask(app, "GET", f"/executions/{UNKNOWN[:-7]}{number:07d}")),
        (404, await ask(app, "DELETE", f"/executions/{UNKNOWN[:-7]}{number:07d}")),
        (404, await ask(app, "GET", f"/nowhere/{number}")),
        (405, await ask(app, "PUT", "/execute", good)),
        (400, await ask(app, "GET", "/pools", host=f"other{number}.example")),
        (413, await ask(app, "POST", "/execute", {**good, "query": _TOO_LONG})),
        (422, await ask(app, "POST", "/execute", {**good, f"key{number}": 1})),
        (422, await ask(app, "POST", "/execute", _body(number, top_k=-number - 1))),
        (422, await ask(app, "POST", "/execute", _body(number, llm_base_url="http://other.test"))),
        (422, await ask(app, "GET", "/executions", query=f"limit=-{number}")),
    )
    for status, answer in wanted:
        _expect(status, answer)


async def stream(service: Service, number: int) -> None:
    """Read a workflow's events to the end."""
    read = _expect(200, await _post(service, number, accept=EVENTS))
    if b"event: end" not in read.body:
        raise ValueError(read.body)
    await service.settled()


async def leave(service: Service, number: int) -> None:
    """Leave while the model is asked: in turn a stream, and an answer that was waited for."""
    before = upstream.in_flight()

    async def asked(_: bytes) -> bool:
        return upstream.in_flight() > before

    accept, wait = (EVENTS, False) if number % 2 else ("application/json", True)
    await _post(service, number, accept=accept, wait=wait, leave=asked)
    await _left_alone(service)


async def leave_unaided(service: Service, number: int) -> None:
    """Do the same where nobody stops what the caller left behind."""
    before = upstream.in_flight()

    async def asked(_: bytes) -> bool:
        return upstream.in_flight() > before

    await _post(service, number, accept=EVENTS, leave=asked)


async def evict(service: Service, number: int) -> None:
    """Ask with one of 40 tenants' keys, of whose models few are held at a time."""
    tenant = number % MANY_TENANTS
    config = {"llm_base_url": cases.llm_url(), "llm_api_key": f"key-of-tenant-{tenant:02d}"}
    _completed(await _execute(service, number, **config))


async def rotate_key(service: Service, number: int) -> None:
    """Replace the key, then ask with the new one."""
    rotate(service.key_file, number)
    _completed(await _execute(service, number))


async def _left_alone(service: Service) -> None:
    """Wait until nothing is asked of the model any more, and until that is stored."""
    await upstream.reach(lambda count: count == 0, "the request to the model was not closed")
    for executor in tuple(service.app.state.runtime.manager.active_executions.values()):
        await executor.finished()
    await service.settled()


async def _execute(service: Service, number: int, **config: Any) -> Answer:
    answer = await ask(service.app, "POST", "/execute", _body(number, **config) | {"wait": True})
    await service.settled()
    return answer


async def _post(service: Service, number: int, *, wait: bool = False, **how: Any) -> Answer:
    return await ask(service.app, "POST", "/execute", _body(number) | {"wait": wait}, **how)


def _body(number: int, **config: Any) -> dict[str, Any]:
    return {"query": cases.batch_query(number), "nodes": [node(**config)]}


def _expect(status: int, answer: Answer) -> Answer:
    if answer.status != status:
        raise ValueError(f"{answer.status} in place of {status}: {answer.body[:500]!r}")
    return answer


def _completed(answer: Answer) -> None:
    _completed_record(_expect(200, answer).json())


def _completed_record(record: Any) -> None:
    if record.get("status", "completed") != "completed":
        raise ValueError(json.dumps(record))
