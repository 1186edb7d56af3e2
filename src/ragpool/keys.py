"""Keys that rotate: where a key is read is what it is called by, and each request reads it anew.

A program gives a callable as `api_key` (`LLMPool.get_llm(…, api_key=vault.read)`), a service a file
(`llm_api_key_file`). The model and its connections stay when the key changes; nothing is left of
the old one. A callable may return text, a `SecretStr`, or an awaitable of either.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from ragpool.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

PLACEHOLDER = "read-at-each-request"
"""What the vendor's client holds in place of a key; it is never sent."""


class KeySource:
    """A callable that gives a key: the same wherever the callable is equal."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[], Any]) -> None:
        self._read = read

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeySource) and other._read == self._read

    def __hash__(self) -> int:
        return hash(self._read)

    def __repr__(self) -> str:
        return "<key source>"

    def put_into(self, request: Any, header: str, scheme: str) -> Awaitable[None] | None:
        """Write the key of now into a request's header; the awaitable, if there is one, does."""
        key = self._read()
        if inspect.isawaitable(key):
            return self._put_later(key, request, header, scheme)
        _put(key, request, header, scheme)
        return None

    async def _put_later(self, key: Any, request: Any, header: str, scheme: str) -> None:
        _put(await key, request, header, scheme)


def _put(key: object, request: Any, header: str, scheme: str) -> None:
    text = key.get_secret_value() if isinstance(key, SecretStr) else key
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError("api_key", [f"its callable gave a {type(key).__name__}, no key"])
    request.headers[header] = scheme + text.strip()


class KeyFile:
    """Read a key from a file whenever the file was replaced, as secrets in containers are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._key = ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyFile) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)

    def __repr__(self) -> str:
        return f"<key in {str(self.path)!r}>"

    def __call__(self) -> str:
        """Return the key; raises ConfigurationError when it cannot be read."""
        try:
            status = self.path.stat()
            if (status.st_mtime_ns, status.st_ino) != self._seen:
                self._key = self.path.read_text().strip()
                self._seen = status.st_mtime_ns, status.st_ino
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                "llm_api_key_file", [f"{self.path} cannot be read: {type(error).__name__}"]
            ) from None
        return self._key

    def get_secret_value(self) -> str:
        """Return the key as other secrets do, so that error texts are masked of it."""
        return self._key
