"""What a connection under a pooled client is held to: an age, a number, and one retry.

1. An idle connection older than `MAX_AGE_S` is replaced, so that replicas that are new behind a
   name get their share. Each lives up to a fifth shorter, by chance: otherwise all those that a
   busy moment opened would be replaced in one moment, too.
2. The process has at most `BUDGET.most` connections open; who needs one more waits for it.
3. A request that went out on a connection that had served before, and got no answer because the
   server had closed it, is sent again, once, if its body can be. The server did not read it: it
   closed a connection that it believed idle.
4. A host that fails each time is not asked (`ragpool.breaker`).

Note: httpcore has no public way for 1 and 2. What it made becomes of a class that is derived from
its own; functions put on the objects would make circles that have to wait for the collector.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
import weakref
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpx
import httpx2

from ragpool.breaker import FAILING_STATUS, HostBreaker
from ragpool.errors import ConfigurationError
from ragpool.forks import follow_forks
from ragpool.limits import PROCESS_CONNECTIONS

MAX_AGE_S = 300.0
"""About as long as names are cached: once in five minutes a handshake of some milliseconds."""
_JITTER = 0.2
_NAP_S = 0.02

_UNANSWERED = tuple(
    getattr(library, name)
    for library in (httpx, httpx2)
    for name in ("ReadError", "RemoteProtocolError", "WriteError")
)
_FAILURES = (
    *(httpx.ConnectError, httpx.TimeoutException),
    *(httpx2.ConnectError, httpx2.TimeoutException),
)
_connected: ContextVar[bool] = ContextVar("ragpool_connected", default=False)
"""Whether the request of this task opened a connection: the connection is made in its own task."""


class ConnectionBudget:
    """How many connections the process has open, and may have."""

    def __init__(self, most: int) -> None:
        self.limit(most)
        self._lock = threading.Lock()
        self._opening = 0
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()

    def limit(self, most: int) -> None:
        if most < 1:
            raise ConfigurationError("connections", [f"max_connections is {most}; needs >= 1"])
        self.most = most

    @property
    def open(self) -> int:
        with self._lock:
            return self._count()

    async def reserve(self, wait_s: float | None) -> bool:
        """Wait for a place; False when there was none for so long. `note` or `free` ends it."""
        deadline = None if wait_s is None else time.monotonic() + wait_s
        while not self._reserved():
            if deadline is not None and time.monotonic() >= deadline:
                return False
            await asyncio.sleep(_NAP_S)  # places are freed on other loops, by any thread
        return True

    def note(self, stream: Any) -> None:
        """Count what was opened on a reserved place until it closes, however it does."""
        with self._lock:
            self._opening -= 1
            self._open.add(stream)

    def free(self) -> None:
        """Give a reserved place back."""
        with self._lock:
            self._opening -= 1

    def begin_anew(self) -> None:
        """Forget what is the parent's."""
        self._lock = threading.Lock()
        self._opening = 0
        self._open = weakref.WeakSet()

    def _reserved(self) -> bool:
        with self._lock:
            free = self._count() < self.most
            self._opening += free
            return free

    def _count(self) -> int:
        return self._opening + sum(not one._transport.is_closing() for one in list(self._open))


BUDGET = ConnectionBudget(PROCESS_CONNECTIONS)


def hold(client: Any, library: Any, breaker: HostBreaker | None = None) -> None:
    """Hold everything under an HTTP client, made a moment ago, to the module's rules."""
    for transport in (client._transport, *client._mounts.values()):
        pool: Any = getattr(transport, "_pool", None)
        if not hasattr(pool, "create_connection"):
            continue
        _derive(pool, _AgingPool)
        if hasattr(transport, "handle_async_request"):
            pool._network_backend = _Counting(pool._network_backend, library)
            _derive(transport, _Guarded)
            transport.ragpool = (library, breaker)


def _derive(one: Any, extension: type) -> None:
    base: Any = type(one)
    one.__class__ = _derived(base, extension)


@cache  # bounded: the few classes of connections, pools and transports of two libraries
def _derived(base: type, extension: type) -> type:
    return type(base.__name__, (extension, base), {})


class _AgingPool:
    def create_connection(self, origin: Any) -> Any:
        connection = super().create_connection(origin)  # type: ignore[misc]
        _derive(connection, _Aging)
        connection.ends_at_s = time.monotonic() + MAX_AGE_S * (1 - _JITTER * random.random())
        return connection


class _Aging:
    ends_at_s: float

    def has_expired(self) -> bool:
        if super().has_expired():  # type: ignore[misc]
            return True
        old = time.monotonic() >= self.ends_at_s
        return old and bool(self.is_idle())  # type: ignore[attr-defined]


class _Counting:
    """The network of a connection pool, within the budget."""

    def __init__(self, network: Any, library: Any) -> None:
        self._network = network
        self._library = library

    async def connect_tcp(self, host: str, port: int, **options: Any) -> Any:
        wait_s = options.get("timeout")
        if not await BUDGET.reserve(wait_s):
            raise _core_of(self._library).ConnectTimeout(
                f"no connection free of {BUDGET.most} after {wait_s} s; raise max_connections"
            )
        _connected.set(True)
        try:
            stream = await self._network.connect_tcp(host, port, **options)
        except BaseException:
            BUDGET.free()
            raise
        BUDGET.note(stream._stream)
        return stream

    async def connect_unix_socket(self, path: str, **options: Any) -> Any:
        return await self._network.connect_unix_socket(path, **options)

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


def _core_of(library: Any) -> Any:
    import httpcore
    import httpcore2

    return httpcore if library is httpx else httpcore2


class _Guarded:
    ragpool: tuple[Any, HostBreaker | None]

    async def handle_async_request(self, request: Any) -> Any:
        library, breaker = self.ragpool
        host = f"{request.url.host}:{request.url.port or request.url.scheme}"
        refusal = breaker.refusal(host) if breaker is not None else None
        if refusal is not None:
            raise library.ConnectError(refusal, request=request)
        try:
            response = await self._send(request, library)
        except _FAILURES:
            if breaker is not None:
                breaker.note(host, failed=True)
            raise
        if breaker is not None:
            breaker.note(host, failed=response.status_code in FAILING_STATUS)
        return response

    async def _send(self, request: Any, library: Any) -> Any:
        _connected.set(False)
        try:
            return await super().handle_async_request(request)  # type: ignore[misc]
        except _UNANSWERED:
            if _connected.get() or not isinstance(request.stream, library.ByteStream):
                raise
        return await super().handle_async_request(request)  # type: ignore[misc]


def _derive_all() -> None:
    """Derive the classes of both libraries at once: the first request is not to pay for them."""
    import httpcore
    import httpcore2

    for core, library in ((httpcore, httpx), (httpcore2, httpx2)):
        _derived(core.AsyncConnectionPool, _AgingPool)
        _derived(core.AsyncHTTPConnection, _Aging)
        _derived(library.AsyncHTTPTransport, _Guarded)


_derive_all()
follow_forks(BUDGET)
