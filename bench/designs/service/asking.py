"""Ask an ASGI application in process, read its answer as it comes, and leave in the middle."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import FastAPI

JSON, EVENTS = "application/json", "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one request; status 0 where the caller was gone before there was one."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: FastAPI,
    method: str,
    path: str,
    body: object = None,
    *,
    query: str = "",
    accept: str = JSON,
    host: str = "localhost",
    leave: Callable[[bytes], Awaitable[bool]] | None = None,
) -> Answer:
    """Send one request and return its answer.

    `leave` is asked over and over, with what has come so far; once it says so the caller is gone,
    as a closed connection tells the application.
    """
    sent = b"" if body is None else json.dumps(body).encode()
    gone = asyncio.Event()
    messages = [{"type": "http.request", "body": sent, "more_body": False}]
    status, came = 0, bytearray()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        if gone.is_set():
            return  # as uvicorn does
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            came.extend(message.get("body", b""))

    async def watch() -> None:
        # Note: what is waited for happens in the stub, which cannot set an event of this loop
        while leave is not None and not await leave(bytes(came)):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        gone.set()

    watching = asyncio.ensure_future(watch()) if leave is not None else None
    try:
        await app(_scope(app, method, path, query, accept, host), receive, send)
    finally:
        if watching is not None:
            watching.cancel()
    return Answer(status=status, body=bytes(came))


def _scope(
    app: FastAPI, method: str, path: str, query: str, accept: str, host: str
) -> dict[str, Any]:
    headers = {"host": host, "content-type": JSON, "accept": accept}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
