"""Order faults of the stub that runs beside a measured service, and see what it is at work on."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bench import cases

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_WAIT_S = 20.0
MODELS, SEARCHES, ALL = "/v1", "/rag", ""


@contextlib.asynccontextmanager
async def ordered(**fault: Any) -> AsyncIterator[None]:
    """Have the stub do this to every request of a block; `bench.stub.faults.Order` has the names.

    Note: in a header of the request it could not be ordered: the service sends none of a caller's.
    """
    _ask("POST", "/control", fault)
    try:
        yield
    finally:
        _ask("DELETE", "/control")


def in_flight() -> int:
    """Return how many requests the stub has not answered; no connection is counted for it."""
    return int(_ask("GET", "/stats")["requests_in_flight"])


async def reach(holds: Callable[[int], bool], what: str) -> None:
    """Wait until the number in flight is as wanted; raises TimeoutError, which says `what`."""
    try:
        async with asyncio.timeout(_WAIT_S):
            # Note: the number is the stub's, which cannot set an event of this loop
            while not holds(in_flight()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
    except TimeoutError as error:
        raise TimeoutError(f"{what}: {in_flight()} requests are in flight upstream") from error


def _ask(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection(urlsplit(cases.rag_url()).netloc, timeout=_WAIT_S)
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return answer
