"""One bounded pool of clients for each event loop.

The rule: a client belongs to the loop that it was made on, and ends with it.

The loop owns its clients (`ragpool.loop_clients`), and the pool only knows, weakly, where they are.
So a loop that is dropped takes its clients along, and the pool keeps neither alive.
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
from ragpool.forks import follow_forks
from ragpool.loop_clients import LoopClients

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ragpool.loop_clients import Recipe

K = TypeVar("K")
C = TypeVar("C")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolStats:
    """What a pool holds now, and has done since it was made."""

    name: str
    loops: int
    """Event loops with clients at this moment, the place for callers without a loop included."""
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
        self._loops: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.ref[LoopClients[K, C]]
        ] = weakref.WeakKeyDictionary()
        self._loopless: LoopClients[K, C] = LoopClients(name, max_clients, None)
        self._closed = False
        self._created = self._reused = self._evicted = 0
        follow_forks(self)

    def begin_anew(self) -> None:
        """Leave what was inherited by a fork to the parent; this process makes its own."""
        references = [self._loopless, *(one() for one in self._loops.values())]
        for clients in filter(None, references):
            clients.leave_to_parent()
        self._lock = threading.Lock()
        self._loops = weakref.WeakKeyDictionary()
        self._loopless = LoopClients(self.name, self.max_clients, None)

    def acquire(self, recipe: Recipe[K, C]) -> C:
        """Return this loop's client, made at most once while it lives.

        It stays usable for as long as the caller refers to it, evicted or not.
        """
        client, made, evicted = self._clients_here().take(recipe)
        self._count(made, evicted)
        return client

    @contextlib.asynccontextmanager
    async def lease(self, recipe: Recipe[K, C]) -> AsyncIterator[C]:
        """Give this loop's client, with a lease of its own: its resource is open for the block."""
        client, made, evicted, lease = self._clients_here().borrow(recipe)
        self._count(made, evicted)
        try:
            yield client
        finally:
            lease.release()

    def clear(self) -> None:
        """Drop every client; each closes, on its own loop, when its last user is gone."""
        for clients in self._everywhere():
            clients.clear()

    async def aclose(self) -> None:
        """Close every client on every loop, in use or not; the pool stays closed."""
        with self._lock:
            self._closed = True
        here = asyncio.get_running_loop()
        for clients in self._everywhere():
            await clients.close_from(here)

    def stats(self) -> PoolStats:
        everywhere = [clients for clients in self._everywhere() if clients.open]
        with self._lock:
            return PoolStats(
                name=self.name,
                loops=len(everywhere),
                clients=sum(len(clients.kept) for clients in everywhere),
                max_clients_per_loop=self.max_clients,
                open=sum(len(clients.open) for clients in everywhere),
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
        if getattr(self, "_loops", None) is None or self._closed:
            return
        forgotten = [clients for clients in self._everywhere() if len(clients.kept)]
        if forgotten:
            count = sum(len(clients.kept) for clients in forgotten)
            warnings.warn(
                f"pool {self.name!r}: forgotten with {count} clients on {len(forgotten)} loops; "
                "call `await pool.aclose()` (or clear(), without a loop) when you are done",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )
            self.clear()

    def _count(self, made: bool, evicted: int) -> None:
        with self._lock:
            self._created += made
            self._reused += not made
            self._evicted += evicted

    def _clients_here(self) -> LoopClients[K, C]:
        loop = _running_loop()
        with self._lock:
            if self._closed:
                raise ClosedError(f"pool {self.name!r}")
            if loop is None:
                return self._loopless
            reference = self._loops.get(loop)
            clients = reference() if reference is not None else None
            if clients is None or clients.ended:
                clients = LoopClients(self.name, self.max_clients, loop)
                self._loops[loop] = weakref.ref(clients)
            return clients

    def _everywhere(self) -> list[LoopClients[K, C]]:
        with self._lock:
            references = list(self._loops.values())
        found = [reference() for reference in references]
        return [self._loopless, *(clients for clients in found if clients is not None)]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
