"""What makes one language model differ from another: the key of the pool, without secrets."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ragpool.masking import is_secret

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ragpool.keys import KeySource


_DIGEST_KEY = secrets.token_bytes(32)  # digests mean nothing outside this process
_SECRET_MAPPINGS = frozenset({"default_headers", "extra_headers", "default_query", "extra_query"})


@dataclass(frozen=True, slots=True)
class _Secret:
    """Stand for a secret in a key: equal when the secrets are equal, and shown as nothing."""

    digest: bytes

    def __repr__(self) -> str:
        return "<secret>"


@dataclass(frozen=True, slots=True)
class _ByIdentity:
    """Stand for an object that cannot be hashed: equal only to itself."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"<{type(self.value).__name__}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMSpec:
    """Everything that makes one model differ from another: the pool's key."""

    provider: str
    model: str
    base_url: Hashable
    temperature: float | None
    options: tuple[tuple[str, Hashable], ...] = ()
    environment: tuple[tuple[str, Hashable], ...] = ()
    key_source: KeySource | None = None


def endpoint(spec: LLMSpec, guest: bool) -> Hashable:
    """Return what models must have in common to share connections: the host, and every secret.

    So two tenants with keys of their own never share a client, whatever else they share.
    """
    secrets = tuple((name, value) for name, value in spec.options if _holds_secret(value))
    return spec.provider, spec.base_url, spec.environment, secrets, spec.key_source, guest


def is_of_an_older_environment(now: LLMSpec, other: LLMSpec) -> bool:
    """Say whether a model differs in the environment alone, which has changed for everybody."""
    return other.environment != now.environment and (
        replace(other, environment=now.environment) == now
    )


def _holds_secret(value: Hashable) -> bool:
    return isinstance(value, (_Secret, _ByIdentity)) or (
        isinstance(value, tuple) and any(map(_holds_secret, value))
    )


def freeze(name: str, value: object) -> Hashable:
    """Turn an option into a hashable part of the key, in which no secret can be read."""
    if isinstance(value, SecretStr):
        return digest(value.get_secret_value())
    if isinstance(value, str) and is_secret(name):
        return digest(value)
    if isinstance(value, Mapping):
        inside = "secret" if name in _SECRET_MAPPINGS else ""
        return tuple(sorted((str(key), freeze(inside or str(key), value[key])) for key in value))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *(freeze(name, item) for item in value))
    if value is None or isinstance(value, (str, bytes, int, float)):
        return (type(value).__name__, value)
    return _ByIdentity(value)


def digest(secret: str) -> _Secret:
    return _Secret(hashlib.blake2b(secret.encode(), key=_DIGEST_KEY, digest_size=16).digest())


def url_key(url: str | None) -> Hashable:
    """Hide a URL that may carry a password or a token."""
    return digest(url) if url is not None and ("@" in url or "?" in url) else url
