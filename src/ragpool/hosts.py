"""Which hosts may be asked, and which of them get a provider's key.

1. A provider's own key goes to the provider's configured origins alone: scheme, host and port.
2. A host of `allowed_hosts` may be asked too, by whoever brings a key of their own. Of what the
   environment adds to a request (organizations, projects, custom headers) it gets nothing.
3. Every other host is refused.

Note: addresses are compared as httpx understands them, which is what opens the connection later:
two readings of one URL would be a way past the rule.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx2

from ragpool.errors import ConfigurationError
from ragpool.masking import shown_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragpool.providers import Provider

Origin = tuple[str, str, int | None]

GUEST_HEADERS = frozenset(
    {
        *("accept", "accept-encoding", "anthropic-version", "authorization", "connection"),
        *("content-length", "content-type", "host", "traceparent", "tracestate", "user-agent"),
        "x-api-key",
    }
)
"""All that a host gets that is merely allowed, besides the `x-stainless-…` of both libraries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPolicy:
    """The rule above, for one service.

    `allowed_hosts` are `host` (on every port) or `host:port`; `configured` are base URLs by
    provider, in addition to what the environment configures; `retrieval` those of the retrieval.
    """

    allowed_hosts: frozenset[str] = frozenset()
    configured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retrieval: tuple[str, ...] = ()

    def check_llm(self, name: str, provider: Provider, base_url: str | None, own_key: bool) -> bool:
        """Return whether the host is a guest's: allowed, but not the provider's own.

        Raises ConfigurationError for a host that may not be asked, or not without a key.
        """
        if base_url is None:
            return False
        url = checked_url("llm_base_url", base_url)
        urls = (*self.configured.get(name, ()), *provider.base_urls(os.environ))
        if _origin(url) in {_origin(httpx2.URL(one)) for one in urls}:
            return False
        self._check_allowed("llm_base_url", url)
        if not own_key:
            problem = f"{shown_url(url)} is not a host of {name!r}, whose key stays with its own"
            raise ConfigurationError(
                "llm_base_url", [problem, "give a llm_api_key of your own with it"]
            )
        return True

    def check_retrieval(self, base_url: str) -> None:
        """Raise ConfigurationError for a retrieval service that may not be asked."""
        if base_url in self.retrieval:
            return  # the configured one, which may carry user info
        url = checked_url("rag_base_url", base_url)
        if _origin(url) not in {_origin(httpx2.URL(one)) for one in self.retrieval}:
            self._check_allowed("rag_base_url", url)

    def _check_allowed(self, what: str, url: httpx2.URL) -> None:
        if not self.allowed_hosts & {url.host, f"{url.host}:{_origin(url)[2]}"}:
            raise ConfigurationError(
                what, [f"host {url.host!r} may not be asked; name it in RAGPOOL_ALLOWED_HOSTS"]
            )


def checked_url(what: str, text: str) -> httpx2.URL:
    """Read a base URL that somebody names; raises ConfigurationError, which repeats no secret."""
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, TypeError, ValueError):
        raise ConfigurationError(what, ["is not a URL"]) from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(what, ["needs http:// or https:// and a host"])
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError(
            what, ["has user info, a query or a fragment; secrets do not belong into a URL"]
        )
    return url


def strip_for_guest(request: httpx2.Request) -> None:
    """Remove what the environment added to a request to a host that is merely allowed."""
    for name in set(request.headers) - GUEST_HEADERS:
        if not name.startswith("x-stainless-"):
            del request.headers[name]


def _origin(url: httpx2.URL) -> Origin:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
