"""Keep secrets out of what is shown and stored: URLs, error texts, other libraries' logs."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECRET_WORDS = ("key", "token", "secret", "password", "authorization", "cookie", "credential")
_LEAST_LENGTH = 4  # a shorter one is a word of many texts, and guards nothing
_MASK = "***"
_VENDORS = ("OPENAI_", "ANTHROPIC_", "LANGSMITH_", "RAGPOOL_")


def is_secret(name: str) -> bool:
    """Say whether an option or a variable of this name holds a secret."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def shown_url(url: object) -> str:
    """Return a URL without user info, query and fragment, any of which may be a secret."""
    try:
        parsed = httpx.URL(str(url))
    except (httpx.InvalidURL, TypeError):
        return "<not a URL>"
    return str(parsed.copy_with(userinfo=b"", query=None, fragment=None))


def scrub(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret in a text, the longest first."""
    for secret in sorted({one for one in secrets if len(one) >= _LEAST_LENGTH}, key=len)[::-1]:
        text = text.replace(secret, _MASK)
    return text


def known_secrets(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets of a node's configuration, and those of the environment."""
    yield from configured_secrets(config)
    for name, value in os.environ.items():
        if name.startswith(_VENDORS):
            yield from _of_text(value, is_secret(name) or name.endswith("_HEADERS"))


def configured_secrets(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield the secrets of a node's configuration."""
    yield from _inside(config, secret=False)


def _inside(value: object, secret: bool) -> Iterator[str]:
    if hasattr(value, "get_secret_value"):
        yield str(value.get_secret_value())
    elif isinstance(value, str):
        yield from _of_text(value, secret)
    elif hasattr(value, "items"):
        for name, item in value.items():
            yield from _inside(item, secret or is_secret(str(name)))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _inside(item, secret)


def _of_text(text: str, secret: bool) -> Iterator[str]:
    if secret:
        yield text
        yield text.rpartition(" ")[2]  # "Bearer …"
    if "://" in text and ("@" in text or "?" in text):
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            return
        yield from filter(None, (url.password, url.username, *url.params.values()))


class _UrlFilter(logging.Filter):
    """Show the URLs in another library's log records without their secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                shown_url(one) if type(one).__name__ == "URL" else one for one in record.args
            )
        return True


def mask_logs_of(*libraries: str) -> None:
    """Mask what these libraries log of each request: the address, user info and all."""
    for library in libraries:
        logging.getLogger(library).addFilter(_URL_FILTER)


_URL_FILTER = _UrlFilter()
