"""One bounded pool of clients for each event loop.

The rule: a client belongs to the loop that it was made on, and ends with it.

The loop owns its shelf of clients (`ragpool.shelf`), and the pool only knows, weakly, where the
shelves are. So a loop that is dropped takes its clients along, and the pool keeps neither alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from ragpool.errors import ClosedError, ConfigurationError
from ragpool.shelf import Shelf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

K = TypeVar("K")
C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats:
    """What a pool holds now, and has done since it was made."""

    name: str
    loops: int
    """Event loops with clients at this moment, the shelf for callers without a loop included."""
    clients: int
    max_clients_per_loop: int
    open: int
    """HTTP clients not closed yet, those of evicted clients still in use included."""
    created: int
    reused: int
    evicted: int
    closed: bool


class LoopPool(Generic[K, C]):
    """Give every loop its own clients, at most `max_clients` of them, oldest use out first."""

    def __init__(self, name: str, *, max_clients: int) -> None:
        if max_clients < 1:
            raise ConfigurationError(
                f"pool {name!r}", [f"max_clients is {max_clients}, needs >= 1"]
            )
        self.name = name
        self.max_clients = max_clients
        self._lock = threading.Lock()
        self._shelves: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.ref[Shelf[K, C]]
        ] = weakref.WeakKeyDictionary()
        self._loopless: Shelf[K, C] = Shelf(name, max_clients, None)
        self._closed = False
        self._created = self._reused = self._evicted = 0

    def acquire(self, key: K, build: Callable[[Shelf[K, C]], C]) -> C:
        """Return this loop's client for the key, made by `build` at most once while it lives."""
        shelf = self._shelf_here()
        with shelf.lock:
            client, made, evicted = shelf.take(key, build)
        with self._lock:
            self._created += made
            self._reused += not made
            self._evicted += evicted
        return client

    @contextlib.asynccontextmanager
    async def lease(self, key: K, build: Callable[[Shelf[K, C]], C]) -> AsyncIterator[C]:
        """Hold a client for the length of a block: eviction cannot close it there."""
        client = self.acquire(key, build)
        yield client
        del client

    def clear(self) -> None:
        """Drop every client; each closes, on its own loop, when its last user is gone."""
        for shelf in self._all_shelves():
            shelf.clear()

    async def aclose(self) -> None:
        """Close every client on every loop, in use or not; the pool stays closed."""
        with self._lock:
            self._closed = True
        here = asyncio.get_running_loop()
        for shelf in self._all_shelves():
            await shelf.close_from(here)

    def stats(self) -> PoolStats:
        shelves = [shelf for shelf in self._all_shelves() if shelf.open]
        with self._lock:
            return PoolStats(
                name=self.name,
                loops=len(shelves),
                clients=sum(len(shelf.clients) for shelf in shelves),
                max_clients_per_loop=self.max_clients,
                open=sum(len(shelf.open) for shelf in shelves),
                created=self._created,
                reused=self._reused,
                evicted=self._evicted,
                closed=self._closed,
            )

    def __repr__(self) -> str:
        stats = self.stats()
        state = "closed" if stats.closed else f"{stats.clients} clients on {stats.loops} loops"
        return f"<pool {self.name!r}: {state}, {stats.created} created, {stats.reused} reused>"

    def __del__(self) -> None:
        shelves = getattr(self, "_shelves", None)
        if shelves is None or self._closed:
            return
        forgotten = [shelf for shelf in self._all_shelves() if len(shelf.clients)]
        if forgotten:
            count = sum(len(shelf.clients) for shelf in forgotten)
            warnings.warn(
                f"pool {self.name!r}: forgotten with {count} clients on {len(forgotten)} loops; "
                "call `await pool.aclose()` (or clear(), without a loop) when you are done",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )
            self.clear()

    def _shelf_here(self) -> Shelf[K, C]:
        loop = _running_loop()
        with self._lock:
            if self._closed:
                raise ClosedError(f"pool {self.name!r}")
            if loop is None:
                return self._loopless
            reference = self._shelves.get(loop)
            shelf = reference() if reference is not None else None
            if shelf is None or shelf.ended:
                shelf = Shelf(self.name, self.max_clients, loop)
                self._shelves[loop] = weakref.ref(shelf)
            return shelf

    def _all_shelves(self) -> list[Shelf[K, C]]:
        with self._lock:
            references = list(self._shelves.values())
        shelves = [reference() for reference in references]
        return [self._loopless, *(shelf for shelf in shelves if shelf is not None)]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
