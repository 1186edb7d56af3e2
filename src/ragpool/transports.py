"""HTTP clients whose sockets can always be closed, and the one TLS context that they all share.

A TLS context with its CA certificates costs about 825 KiB and 20 ms, a client that shares one 2 KiB
(glibc's own count around `create_ssl_context()`, CPython 3.11, OpenSSL 3.0).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import httpx2

from ragpool.connections import hold
from ragpool.limits import CLIENT_CONNECTIONS, KEEPALIVE_CONNECTIONS, KEEPALIVE_EXPIRY_S
from ragpool.masking import mask_logs_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
    from typing import Self

    from ragpool.breaker import HostBreaker

WRITTEN_FOR = {"httpcore": "1.0.9", "httpcore2": "2.16.2"}
"""The releases whose inside this module knows, and asyncio's of CPython 3.11 to 3.14.

It reaches into private names of theirs where no public way exists, each time with a note. A test
fails when the installed release is another: read the notes again, then change the number.
"""

_tls_lock = threading.Lock()
_tls_context: ssl.SSLContext | None = None


def tls_context() -> ssl.SSLContext:
    """Return the process's one TLS context; it honours `SSL_CERT_FILE` and `SSL_CERT_DIR`."""
    global _tls_context
    with _tls_lock:
        if _tls_context is None:
            _tls_context = httpx.create_ssl_context()
        return _tls_context


class Resource(Protocol):
    """What a pool opens and closes: one or more HTTP clients."""

    async def aclose(self) -> None:
        """Close on the loop that used it; may be called twice."""

    def abandon(self) -> None:
        """Close the sockets where no loop can run any more."""


class RetrievalHttp:
    """The classic httpx client under a `RAGServiceClient`."""

    def __init__(self, *, on_loop: bool = True, breaker: HostBreaker | None = None) -> None:
        self.client = httpx.AsyncClient(**_options(httpx, on_loop))
        hold(self.client, httpx, breaker)

    async def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Send a request; cancelling it gives its connection back."""
        mark = object()
        try:
            return await self.client.request(method, url, extensions={"ragpool": mark}, **options)
        except asyncio.CancelledError:
            _reclaim(self.client, mark)
            raise

    async def aclose(self) -> None:
        await _close(self.client)

    def abandon(self) -> None:
        _abandon(self.client)


class LLMHttp:
    """The pair of httpx2 clients, sync and async, under every model with the same endpoint."""

    def __init__(
        self,
        *,
        on_loop: bool = True,
        before_sending: Sequence[Callable[[httpx2.Request], Awaitable[None] | None]] = (),
        breaker: HostBreaker | None = None,
    ) -> None:
        # Note: redirects are not followed. A redirect to another host would carry along every
        # header but `Authorization`, Anthropic's key among them.
        self.sync = httpx2.Client(**_options(httpx2, True))
        self.client = httpx2.AsyncClient(**_options(httpx2, on_loop))
        hold(self.sync, httpx2)
        hold(self.client, httpx2, breaker)
        # the hooks may be asynchronous; what they return is awaited where that can be
        self.sync.event_hooks["request"].extend(before_sending)
        self.client.event_hooks["request"].extend(map(_as_async, before_sending))

    async def aclose(self) -> None:
        self.sync.close()
        await _close(self.client)

    def abandon(self) -> None:
        self.sync.close()
        _abandon(self.client)


def _as_async(hook: Callable[[Any], Awaitable[None] | None]) -> Callable[[Any], Awaitable[None]]:
    async def run(request: Any) -> None:
        waiting = hook(request)
        if waiting is not None:
            await waiting

    return run


def _options(library: Any, on_loop: bool) -> dict[str, Any]:
    # a cookie that one reply sets would go out with every later request, for months
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    if not on_loop:
        return {"transport": _OneShotTransport(library), "cookies": cookies}
    limits = library.Limits(
        max_connections=CLIENT_CONNECTIONS,
        max_keepalive_connections=KEEPALIVE_CONNECTIONS,
        keepalive_expiry=KEEPALIVE_EXPIRY_S,
    )
    return {"verify": tls_context(), "limits": limits, "cookies": cookies}


class _OneShotTransport:
    """Open and close one connection for each request, so that a client fits any event loop.

    It serves clients that were obtained outside a loop: right everywhere, pooled nowhere.
    """

    def __init__(self, library: Any) -> None:
        self._library = library

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Nothing stays open between requests."""

    async def aclose(self) -> None:
        """Nothing stays open between requests."""

    async def handle_async_request(self, request: Any) -> Any:
        transport = self._library.AsyncHTTPTransport(verify=tls_context())
        try:
            response = await transport.handle_async_request(request)
        except BaseException:
            await transport.aclose()
            raise
        return self._library.Response(
            response.status_code,
            headers=response.headers,
            stream=_OneShotBody(response.stream, transport),
            extensions=response.extensions,
        )


class _OneShotBody(httpx.AsyncByteStream, httpx2.AsyncByteStream):
    """A response's body that takes its connection with it when it closes."""

    def __init__(self, stream: Any, transport: Any) -> None:
        self._stream = stream
        self._transport = transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
        await self._transport.aclose()


async def _close(client: Any) -> None:
    """Close an async client wholly, even when the task that closes it is cancelled on the way."""
    streams = list(_streams(client))
    try:
        await client.aclose()
    finally:
        for stream in streams:
            _end_stream(stream)


def _abandon(client: Any) -> None:
    """Close the sockets of an async client whose loop is closed.

    Note: no public way exists. `aclose()` ends in `loop.call_soon`, which a closed loop refuses,
    so this walks httpcore's connections down to the asyncio transport and ends that directly.
    """
    for stream in _streams(client):
        _end_stream(stream)


def _reclaim(client: Any, mark: object) -> None:
    """Drop what a cancelled request left in its connection pool.

    Note: httpcore 1.0.9 loses a connection when a task is cancelled while it takes one of its
    locks (encode/httpcore#1093): the pool counts it as busy forever, and after `CLIENT_CONNECTIONS`
    of them answers no request. httpcore2, under the language models, does not.
    """
    for pool in _pools(client):
        requests = pool._requests
        requests[:] = [one for one in requests if one.request.extensions.get("ragpool") is not mark]
        busy = {one.connection for one in requests}
        lost = [one for one in pool._connections if one not in busy and not one.is_idle()]
        pool._connections = [one for one in pool._connections if one not in lost]
        lost += pool._assign_requests_to_connections()  # others may wait for the places
        for stream in filter(None, map(_stream_of, lost)):
            _end_stream(stream)


def _streams(client: Any) -> Iterator[Any]:
    for pool in _pools(client):
        yield from filter(None, map(_stream_of, pool.connections))


def _pools(client: Any) -> Iterator[Any]:
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)
        if hasattr(pool, "connections"):
            yield pool


def _stream_of(connection: Any) -> Any:
    return getattr(getattr(connection, "_connection", None), "_network_stream", None)


def _end_stream(stream: Any) -> None:
    inner: Any = getattr(stream, "_stream", None)
    while hasattr(inner, "transport_stream"):  # TLS wraps the plain stream
        inner = inner.transport_stream
    transport: Any = getattr(inner, "_transport", None)
    if getattr(transport, "_sock", None) is None:
        return  # closed already
    if not transport._loop.is_closed():
        transport.abort()
        return
    with contextlib.suppress(RuntimeError):  # a waiter cannot be woken on a closed loop
        transport._call_connection_lost(None)
    if transport._sock is not None:
        transport._sock.close()


mask_logs_of("httpx", "httpx2")
