"""Who calls: bearer tokens, of which the service knows only the hashes.

A token is 256 random bits, so one round of SHA-256 hides it: there is no shorter way to find it
than to try them all. `python -m ragpool token NAME` makes one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "sha256:"
_HASH = re.compile(r"(?:sha256:)?([0-9a-f]{64})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def new_token() -> str:
    return f"ragpool_{secrets.token_urlsafe(32)}"


def hash_of(token: str) -> str:
    return PREFIX + hashlib.sha256(token.encode()).hexdigest()


def read_tokens(given: Any) -> dict[str, tuple[str, ...]]:
    """Read `{"name": "sha256:…"}`, several hashes in a list, or the text `name=sha256:…,name=…`.

    Raises ValueError, which repeats no value: it may be a token that was given by mistake.
    """
    if isinstance(given, str):
        given = _parsed(given)
    if not isinstance(given, dict):
        raise ValueError('needs {"name": "sha256:…"}')
    return {_checked_name(name): _checked_hashes(name, given[name]) for name in given}


class Callers:
    """The callers of one service, by the hash of each token."""

    def __init__(self, tokens: Mapping[str, tuple[str, ...]]) -> None:
        self._names = [(one, name) for name, hashes in tokens.items() for one in hashes]

    def __len__(self) -> int:
        return len(self._names)

    def identify(self, authorization: bytes) -> str | None:
        """Return whose token an `Authorization` header has; it is compared with every one."""
        scheme, _, token = authorization.partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        digest = PREFIX + hashlib.sha256(token.strip()).hexdigest()
        found = [name for one, name in self._names if hmac.compare_digest(one, digest)]
        return found[0] if found else None


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            raise ValueError("is not JSON") from None
    pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs}


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError("a caller's name needs 1 to 64 letters, digits, dots or dashes")
    return name


def _checked_hashes(name: str, given: Any) -> tuple[str, ...]:
    hashes = given if isinstance(given, (list, tuple)) else [given]
    found = [_HASH.fullmatch(one) if isinstance(one, str) else None for one in hashes]
    if not found or not all(found):
        raise ValueError(
            f"{name}: needs sha256: and 64 hexadecimal digits, not the token itself;"
            " `python -m ragpool token NAME` makes both"
        )
    return tuple(PREFIX + one[1] for one in found if one)
