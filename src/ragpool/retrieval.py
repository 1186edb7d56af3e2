"""The client of the retrieval service, and its pool."""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from ragpool.errors import (
    CollectionNotFoundError,
    ConfigurationError,
    RetrievalError,
    RetrievalTimeoutError,
)
from ragpool.loop_clients import Recipe
from ragpool.masking import shown_url
from ragpool.observing import step
from ragpool.pool import LoopPool
from ragpool.pool_facade import PoolFacade
from ragpool.retry_after import retry_after_s
from ragpool.transports import RetrievalHttp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from typing import Self

    from tenacity import RetryCallState

    from ragpool.breaker import HostBreaker
    from ragpool.hosts import HostPolicy
    from ragpool.loop_clients import Lease

logger = logging.getLogger(__name__)

BASE_URL_VARIABLE = "RAGPOOL_RAG_BASE_URL"
DEFAULT_BASE_URL = "http://127.0.0.1:8001/rag"
MAX_CLIENTS_PER_LOOP = 8
TIMEOUT_S = 10.0
ATTEMPTS = 3
MAX_WAIT_S = 2.0
LONGEST_RETRY_AFTER_S = 30.0
"""Whoever asks for more quiet gets an error at once: a caller waits for this search."""
_SOON = wait_random_exponential(multiplier=0.1, max=MAX_WAIT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document that the retrieval service found."""

    id: str
    collection: str
    text: str
    score: float
    metadata: dict[str, str] = field(default_factory=dict)


class _Reply(BaseModel):
    # otherwise pydantic keeps up to 16,384 short strings that it read: ids and sources, which
    # seldom repeat. It takes this setting from a model alone, not from a dataclass.
    model_config = ConfigDict(cache_strings="keys")

    documents: tuple[Document, ...]


class RAGServiceClient:
    """Search the collections of one retrieval service, from one event loop.

    Connection errors, timeouts, 429 and 5xx answers are tried again, `attempts` times in all, with
    a growing, random wait of at most `MAX_WAIT_S` in between, on top of what `Retry-After` asks for
    (at most `LONGEST_RETRY_AFTER_S`, else it is not tried again). `base_url=None` reads
    `RAGPOOL_RAG_BASE_URL`. `sleep` is what waits between attempts.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        http: RetrievalHttp | None = None,
    ) -> None:
        if timeout_s <= 0 or attempts < 1:
            raise ConfigurationError(
                "RAGServiceClient",
                [f"timeout_s is {timeout_s}, attempts {attempts}; needs > 0 and >= 1"],
            )
        self.base_url = _resolve(base_url)
        self._url, self._auth = _address_of(self.base_url)
        self.timeout_s = timeout_s
        self._http = http if http is not None else RetrievalHttp()
        self._owns_http = http is None
        self._lease: Lease | None = None
        self._retrying = AsyncRetrying(
            sleep=cast("Any", sleep),
            stop=stop_after_attempt(attempts),
            wait=_wait,
            retry=retry_if_exception(_worth_another_try),
            reraise=True,
        )

    async def search(self, collection: str, query: str, *, top_k: int = 5) -> tuple[Document, ...]:
        """Return up to `top_k` documents of a collection, best first.

        Raises CollectionNotFoundError, RetrievalTimeoutError, or RetrievalError.
        """
        facts = {"collection": collection, "top_k": top_k, "host": httpx.URL(self._url).host}
        # no model is asked here, whatever the node's is
        with step("retrieval", "ragpool.retrieval", provider=None, model=None, **facts) as facts:
            documents = await self._search(collection, query, top_k)
            facts["documents"] = len(documents)
            return documents

    async def _search(self, collection: str, query: str, top_k: int) -> tuple[Document, ...]:
        body = {"collection": collection, "query": query, "top_k": top_k}
        response = await self._request("POST", "/search", json=body)
        if response.status_code == httpx.codes.NOT_FOUND:
            raise CollectionNotFoundError(self.base_url, collection)
        self._raise_for_status(response)
        try:
            return _Reply.model_validate_json(response.content).documents
        except ValidationError as error:
            problem = f"answer not understood: {error.error_count()} invalid fields"
            raise RetrievalError(self.base_url, problem, status=response.status_code) from error

    async def check_health(self) -> None:
        """Raise RetrievalError unless the service says that it is well."""
        self._raise_for_status(await self._request("GET", "/health"))

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        state = "closed" if self._http.client.is_closed else "open"
        return f"<retrieval client {shown_url(self.base_url)}: {state}>"

    def __del__(self) -> None:
        if getattr(self, "_owns_http", False) and not self._http.client.is_closed:
            warnings.warn(
                f"{self!r}: forgotten; call `await client.aclose()`, or use `async with`",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )

    async def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        # a copy for each request: tenacity keeps the state of the attempt on the object
        try:
            return cast(
                "httpx.Response",
                await self._retrying.copy()(self._attempt, method, path, **options),
            )
        except _ServerError as error:
            raise RetrievalError(self.base_url, str(error), status=error.status) from error
        except httpx.TimeoutException as error:
            problem = f"no answer within {self.timeout_s} s; is the service overloaded?"
            raise RetrievalTimeoutError(self.base_url, problem) from error
        except httpx.HTTPError as error:
            problem = f"{type(error).__name__}: {error}; is the service running?"
            raise RetrievalError(self.base_url, problem) from error

    async def _attempt(self, method: str, path: str, **options: Any) -> httpx.Response:
        response = await self._http.request(
            method, f"{self._url}{path}", timeout=self.timeout_s, auth=self._auth, **options
        )
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _ServerError(response.status_code, retry_after_s(response.headers))
        return response

    def _raise_for_status(self, response: httpx.Response) -> None:
        if not response.is_success:
            problem = f"answered {response.status_code}: {response.text[:200]}"
            raise RetrievalError(self.base_url, problem, status=response.status_code)


class RAGServicePool(PoolFacade[str, RAGServiceClient]):
    """Share retrieval clients: one for each service and event loop."""

    def __init__(
        self,
        *,
        max_clients: int = MAX_CLIENTS_PER_LOOP,
        hosts: HostPolicy | None = None,
        breaker: HostBreaker | None = None,
        **options: Any,
    ) -> None:
        """Take the options of every `RAGServiceClient` that the pool will make.

        `hosts` says which services may be asked; without it all may.
        """
        self._hosts = hosts
        self._breaker = breaker
        self._options = options
        self._pool: LoopPool[str, RAGServiceClient] = LoopPool("retrieval", max_clients=max_clients)

    def get_client(self, base_url: str | None = None) -> RAGServiceClient:
        """Return this event loop's client of the service.

        Do not close it: its connections end with the pool, with the loop, or after an eviction
        when nobody refers to the client any more.
        """
        self.check(base_url)
        return self._pool.acquire(self._recipe(_resolve(base_url)))

    def lease(self, base_url: str | None = None) -> AbstractAsyncContextManager[RAGServiceClient]:
        """Give the client for an `async with` block, through which its connections stay open."""
        self.check(base_url)
        return self._pool.lease(self._recipe(_resolve(base_url)))

    def check(self, base_url: str | None) -> None:
        """Raise ConfigurationError for a service that may not be asked."""
        if self._hosts is not None and base_url is not None:
            self._hosts.check_retrieval(base_url)

    def _recipe(self, url: str) -> Recipe[str, RAGServiceClient]:
        opened = partial(_open_http, self._breaker)
        return Recipe(key=url, endpoint=url, open=opened, build=partial(self._make, url))

    def _make(self, url: str, lease: Lease) -> RAGServiceClient:
        http = cast("RetrievalHttp", lease.resource)
        client = RAGServiceClient(url, http=http, **self._options)
        client._lease = lease
        logger.info("created retrieval client %s", shown_url(url))
        return client


def _open_http(breaker: HostBreaker | None, on_loop: bool) -> RetrievalHttp:
    return RetrievalHttp(on_loop=on_loop, breaker=breaker)


class _ServerError(Exception):
    def __init__(self, status: int, after_s: float | None = None) -> None:
        asked = "" if after_s is None else f", and asks for {after_s:g} s of quiet"
        super().__init__(f"answered {status} on every attempt{asked}; look at its log")
        self.status = status
        self.after_s = after_s


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(error, _ServerError):
        return error.after_s is None or error.after_s <= LONGEST_RETRY_AFTER_S
    return isinstance(error, httpx.TransportError)


def _wait(state: RetryCallState) -> float:
    """Wait a random time that grows, and not less than the service asks for."""
    error = state.outcome.exception() if state.outcome is not None else None
    asked_s = error.after_s if isinstance(error, _ServerError) else None
    return _SOON(state) + (asked_s or 0.0)  # the random part keeps many from coming back at once


def _resolve(base_url: str | None) -> str:
    return (base_url or os.environ.get(BASE_URL_VARIABLE) or DEFAULT_BASE_URL).rstrip("/")


def _address_of(url: str) -> tuple[str, tuple[str, str] | None]:
    """Split a base URL into what is requested, and the user info, which goes into a header.

    Left in the address it would be in every log of a request.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ConfigurationError("retrieval service", ["its base URL is not a URL"]) from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query:
        raise ConfigurationError(
            f"retrieval service {shown_url(url)}",
            ["needs http:// or https:// and a host, and no query"],
        )
    auth = (parsed.username, parsed.password) if parsed.userinfo else None
    return str(parsed.copy_with(userinfo=b"")).rstrip("/"), auth
