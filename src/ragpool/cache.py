"""The cache of search results: off unless switched on.

Why off: the article's platform measured that batch queries seldom repeat, so the cache held
documents and gave few hits. Switch it on where queries repeat, and read the hits in `stats()`.

Note: cachetools bounds one sum. Every entry therefore weighs its bytes, but at least one
`max_entries`-th of `max_bytes`: then no more than `max_entries` fit, nor more than `max_bytes`.
(Both sides are multiplied by `max_entries`, so that the numbers are whole.)
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache

from ragpool.errors import ConfigurationError
from ragpool.process_default import ProcessDefault

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

TTL_S = 60.0
MAX_ENTRIES = 10
MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheStats:
    """Counts since the cache was made; `entries` is now, expired ones left out."""

    enabled: bool
    entries: int
    hits: int
    misses: int
    evictions: int
    expirations: int
    refused: int
    """Results larger than `max_bytes`, which were never stored."""


@dataclass(frozen=True, slots=True)
class _Entry:
    data: Any
    weight: int


class _CountingTTLCache(TTLCache):  # type: ignore[type-arg]
    evictions = 0
    expirations = 0

    def popitem(self) -> tuple[Any, Any]:
        self.evictions += 1
        return super().popitem()

    def expire(self, time: float | None = None) -> Any:
        expired = super().expire(time)
        self.expirations += len(expired)
        return expired


class SearchCache(ProcessDefault):
    """Remember search results for `ttl_s` seconds, within a count and a size in bytes."""

    def __init__(
        self,
        *,
        enabled: bool = False,
        ttl_s: float = TTL_S,
        max_entries: int = MAX_ENTRIES,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if ttl_s <= 0 or max_entries < 1 or max_bytes < 1:
            raise ConfigurationError(
                "SearchCache",
                [f"ttl_s is {ttl_s}, max_entries {max_entries}, max_bytes {max_bytes}; needs > 0"],
            )
        self.enabled = enabled
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._hits = self._misses = self._refused = 0
        self._cache = _CountingTTLCache(
            maxsize=max_bytes * max_entries,
            ttl=ttl_s,
            timer=clock,
            getsizeof=lambda entry: entry.weight,
        )

    def get(self, collection: str, query: str, *, variant: Hashable = None) -> Any:
        """Return what was stored for the query, or None; `variant` tells apart other options."""
        if not self.enabled:
            return None
        with self._lock:
            entry = self._cache.get(self._make_key(collection, query, variant))
            if entry is None:
                self._misses += 1
                return None
            self._hits += 1
            return entry.data

    def set(self, collection: str, query: str, data: Any, *, variant: Hashable = None) -> None:
        """Store a result, unless the cache is off or the result alone exceeds its bytes."""
        if not self.enabled:
            return
        key = self._make_key(collection, query, variant)
        size = size_bytes(key) + size_bytes(data)
        with self._lock:
            if size > self._max_bytes:
                self._refused += 1
                return
            weight = max(size * self._max_entries, self._max_bytes)
            self._cache[key] = _Entry(data, weight)

    def clear(self) -> None:
        """Forget every result; the counts stay."""
        with self._lock:
            self._cache.clear()

    def stats(self) -> CacheStats:
        with self._lock:
            self._cache.expire()
            return CacheStats(
                enabled=self.enabled,
                entries=len(self._cache),
                hits=self._hits,
                misses=self._misses,
                evictions=self._cache.evictions,
                expirations=self._cache.expirations,
                refused=self._refused,
            )

    def __repr__(self) -> str:
        stats = self.stats()
        state = f"{stats.entries} entries, {stats.hits} hits" if self.enabled else "off"
        return f"<search cache: {state}>"

    @staticmethod
    def _make_key(collection: str, query: str, variant: Hashable) -> Hashable:
        return (collection, query, variant)  # a tuple: no separator can be ambiguous


def size_bytes(value: Any) -> int:
    """Estimate a plain value's size with all that it contains; shared parts count each time."""
    size = sys.getsizeof(value)
    if isinstance(value, Mapping):
        return size + sum(size_bytes(key) + size_bytes(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return size + sum(map(size_bytes, value))
    if is_dataclass(value) and not isinstance(value, type):
        return size + sum(size_bytes(getattr(value, field.name)) for field in fields(value))
    return size
