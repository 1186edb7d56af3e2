"""What passes between the wire and the APIs: one request in, one reply out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.stub.faults import Fault

EVENT_STREAM = "text/event-stream; charset=utf-8"


class RefusedError(Exception):
    """A request that the API answers with an error status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One complete request; `path` has no query string, header names are lower-case."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer; a streamed one is sent chunked, and a slowed stream pauses after each piece."""

    status: int = 200
    body: tuple[bytes, ...]
    content_type: str = "application/json"
    retry_after_s: float | None = None

    @property
    def streamed(self) -> bool:
        return self.content_type == EVENT_STREAM


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation, and the shape in which its API reports an error."""

    answer: Callable[[Request, Fault], Reply]
    error: Callable[[int, str], dict[str, Any]]


def json_reply(value: object, *, status: int = 200, retry_after_s: float | None = None) -> Reply:
    """Encode one JSON document."""
    body = msgspec.json.encode(value)
    return Reply(status=status, body=(body,), retry_after_s=retry_after_s)


def event_reply(events: list[bytes]) -> Reply:
    """Send server-sent events."""
    return Reply(body=tuple(events), content_type=EVENT_STREAM)


def event(value: object, name: str = "") -> bytes:
    """Frame one server-sent event; OpenAI's have no name."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(value) + b"\n\n"


def spoil(reply: Reply) -> Reply:
    """Break the JSON of a reply while the HTTP around it stays correct."""
    middle = len(reply.body) // 2
    broken = reply.body[middle]
    broken = broken[: max(1, len(broken) // 2)] + (b"\n\n" if reply.streamed else b"")
    body = (*reply.body[:middle], broken, *reply.body[middle + 1 :])
    return Reply(status=reply.status, body=body, content_type=reply.content_type)
