"""The gate before every route: which `Host`, which caller, how many requests at once.

1. A `Host` that is neither trusted nor the very address that was called is refused: a name that a
   browser was tricked to resolve to this machine is no way in.
2. Where callers have tokens, a request needs one of them. Where there are none, requests come in
   over loopback only, unless `allow_anonymous` says otherwise.
3. One caller has at most `max_requests_per_caller` requests at once.

`GET /health` needs no token: whoever starts the service asks it, and it tells nothing.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from ragpool.callers import Callers
from ragpool.dependencies import settings_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ragpool.config import ConfigClient

CALLER = "ragpool.caller"
"""Where in the scope the caller's name stands; None for everybody without a name."""
_OPEN_PATHS = frozenset({"/health"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Gate:
    """Let in what the module's rules allow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._callers: Callers | None = None
        self._at_once: Counter[str | None] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings = settings_of(scope["app"])
        refusal = self._refusal(scope, settings)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        caller = scope[CALLER]
        self._at_once[caller] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._at_once[caller] -= 1
            if not self._at_once[caller]:
                del self._at_once[caller]

    def _refusal(self, scope: Scope, settings: ConfigClient) -> JSONResponse | None:
        headers = dict(scope["headers"])
        if not host_is_trusted(headers.get(b"host", b"").decode("latin-1"), scope, settings):
            return _refused(400, "UntrustedHost", "this Host is not served; see trusted_hosts")
        caller = scope[CALLER] = self._identified(headers.get(b"authorization", b""), settings)
        if caller is None and scope["path"] not in _OPEN_PATHS:
            reason = _why_a_name_is_needed(scope, settings)
            if reason is not None:
                return _refused(401, "Unauthorized", reason, ("WWW-Authenticate", "Bearer"))
        if self._at_once[caller] >= settings.max_requests_per_caller:
            return _refused(
                429, "TooManyRequests", "too many requests at once", ("Retry-After", "1")
            )
        return None

    def _identified(self, authorization: bytes, settings: ConfigClient) -> str | None:
        if self._callers is None:
            self._callers = Callers(settings.tokens)
        return self._callers.identify(authorization)


def _why_a_name_is_needed(scope: Scope, settings: ConfigClient) -> str | None:
    if settings.tokens:
        return "needs a known bearer token"
    if not settings.allow_anonymous and not is_loopback(_address(scope)):
        return "no tokens are configured: only loopback is served"
    return None


def host_is_trusted(host: str, scope: Scope, settings: ConfigClient) -> bool:
    name = _name_of(host)
    if name == _address(scope) and is_ip(name):
        return True
    return any(_matches(name, one) for one in (*_LOOPBACK_NAMES, *settings.served_hosts()))


def is_loopback(address: str) -> bool:
    """Say whether an address is this machine's own: what is no IP address never left it."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return True


def is_ip(name: str) -> bool:
    """Say whether this is an address, and not a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _address(scope: Scope) -> str:
    server = scope.get("server")
    return str(server[0]) if server else ""


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _matches(name: str, pattern: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return name.endswith(pattern[1:].lower())
    return name == pattern.lower()


def _refused(status: int, error: str, detail: str, *headers: tuple[str, str]) -> JSONResponse:
    return JSONResponse({"error": error, "detail": detail}, status, dict(headers))
