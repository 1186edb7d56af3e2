"""Every route of the service has a scenario, each scenario runs, and the pooled design gates."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.routing import Route

from bench.backend import stub_backend
from bench.designs.service.asking import ask
from memcurve.measure.worker import target
from memcurve.run.discovery import discover
from ragpool.api import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcurve.model.scenario import Target

ROOT = Path(__file__).parents[2]
SCENARIOS = {one.name: one for one in discover([ROOT / "bench" / "service"])}
HAPPENINGS = ("stream", "leave", "delete", "evict", "rotate", "reconnect")


@pytest.fixture(scope="module", autouse=True)
def backend() -> Iterator[None]:
    with stub_backend() as running, pytest.MonkeyPatch.context() as patched:
        for name, value in running.environment.items():
            patched.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def asked() -> Iterator[set[tuple[str, str]]]:
    """Give the routes that were asked so far, as (method, path)."""
    seen: set[tuple[str, str]] = set()
    handle = Route.handle

    async def noted(self: Route, scope: Any, receive: Any, send: Any) -> None:
        seen.add((scope["method"], self.path))
        await handle(self, scope, receive, send)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Route, "handle", noted)
        yield seen


def _missing(seen: set[tuple[str, str]], routes: list[Any]) -> set[tuple[str, str]]:
    """Return the routes of an application that no scenario asked."""
    every = {
        (method, route.path)
        for route in routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"  # which Starlette adds to each GET
    }
    return every - seen


async def _run(one: Target, calls: int) -> None:
    assert one.setup is not None
    async with target.resolve(one.setup)() as service:
        for number in range(calls):
            await target.resolve(one.call)(service, number)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_runs_in_the_pooled_design(name: str, asked: set[tuple[str, str]]) -> None:
    asyncio.run(_run(SCENARIOS[name].designs["pooled"], 2))


def test_every_route_has_a_scenario(asked: set[tuple[str, str]]) -> None:
    """Runs after those above, which ask; a route without `Route` of its own would be seen here."""
    assert asked
    assert _missing(asked, create_app().routes) == set()


def test_a_new_route_is_missed(asked: set[tuple[str, str]]) -> None:
    app = create_app()
    app.add_api_route("/new", _nothing, methods=["PUT"])
    assert _missing(asked, app.routes) == {("PUT", "/new")}


async def _nothing() -> None:
    """Answer nothing."""


def test_what_happens_in_months_is_there_and_only_pooled_must_not_grow() -> None:
    assert {f"service_{name}" for name in HAPPENINGS} <= SCENARIOS.keys()
    for one in SCENARIOS.values():
        assert set(one.designs) - set(one.may_grow) == {"pooled"}


def test_whoever_asks_in_process_can_leave() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        seen.append((await receive())["type"])
        await send({"type": "http.response.body", "body": b"two"})

    async def leave(came: bytes) -> bool:
        return came == b"one"

    answer = asyncio.run(ask(app, "GET", "/", leave=leave))  # type: ignore[arg-type]
    assert seen == ["http.request", "http.disconnect"]
    assert (answer.status, answer.body) == (200, b"one")
