"""One bounded pool of clients for each event loop.

The rule: a client belongs to the loop that it was made on, and ends with it.

- The loop owns its shelf of clients; the pool only knows where the shelves are (weakly). So a loop
  that is dropped takes its clients along, and the pool never keeps either alive.
- A shelf hears of its loop's end in two ways. An async generator registers with the loop, so
  `asyncio.run` closes the clients in its own orderly end. And a timer that never fires holds the
  shelf: `loop.close()` drops its timers, so after a bare `run_until_complete` + `close` the
  sockets are closed at that moment, with a `ResourceWarning`.
- What a client holds open (a `Resource`) closes when its `Hold` dies, that is when the pool has
  dropped the client and its last user is gone. Eviction never closes a client under a user.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import warnings
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from cachetools import LRUCache

from ragpool.errors import ClosedError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable
    from typing import Self

    from ragpool.transports import Resource

K = TypeVar("K")
C = TypeVar("C")

_NEVER_S = 1e9  # 31 years
_CLOSE_WAIT_S = 5.0


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


class Hold:
    """Keep one resource open for as long as somebody refers to this object."""

    __slots__ = ("__weakref__", "resource")

    def __init__(self, resource: Resource) -> None:
        self.resource = resource


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


class Shelf(Generic[K, C]):
    """All that one pool has on one event loop (or, with `loop=None`, outside any loop).

    Only its loop's thread takes from it; other threads may clear it, and finalizers may run
    anywhere, so `_release` takes no lock.
    """

    def __init__(self, name: str, max_clients: int, loop: asyncio.AbstractEventLoop | None) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.clients: LRUCache[K, C] = LRUCache(maxsize=max_clients)
        self.open: dict[int, Resource] = {}  # bounded by the clients that are kept or in use
        self.ended = False
        self._numbers = itertools.count()
        self._in_use: weakref.WeakValueDictionary[K, C] = weakref.WeakValueDictionary()
        self._holds: weakref.WeakValueDictionary[Hashable, Hold] = weakref.WeakValueDictionary()
        self._closing: set[asyncio.Task[None]] = set()
        self._loop = None if loop is None else weakref.ref(loop)
        self._end: AsyncGenerator[None] | None = None
        self._timer: weakref.ref[asyncio.TimerHandle] | None = None
        if loop is not None:
            self._follow(loop)

    @property
    def on_loop(self) -> bool:
        return self._loop is not None

    def take(self, key: K, build: Callable[[Self], C]) -> tuple[C, bool, int]:
        """Return the client, whether it was made now, and how many were evicted for it."""
        client = self.clients.get(key)
        if client is not None:
            return client, False, 0
        # evicted, but still in somebody's hands: the same configuration is the same client
        client = self._in_use.get(key)
        made = client is None
        if client is None:
            client = build(self)
            self._in_use[key] = client
        evicted = 0
        if len(self.clients) >= self.clients.maxsize:
            self.clients.popitem()
            evicted = 1
        self.clients[key] = client
        return client, made, evicted

    def hold(self, key: Hashable, open_resource: Callable[[], Resource]) -> Hold:
        """Share one resource between all clients that ask for the same key."""
        hold = self._holds.get(key)
        if hold is None:
            number = next(self._numbers)
            hold = Hold(open_resource())
            self._holds[key] = hold
            self.open[number] = hold.resource
            finalizer = weakref.finalize(hold, _release, weakref.ref(self), number)
            finalizer.atexit = False
        return hold

    def clear(self) -> None:
        with self.lock:
            dropped = [self.clients.popitem() for _ in range(len(self.clients))]
        del dropped  # outside the lock: this may close clients

    async def close_from(self, here: asyncio.AbstractEventLoop) -> None:
        """Close everything, from whichever loop the owner runs on."""
        loop = None if self._loop is None else self._loop()
        if loop is here:
            await self.aclose()
        elif loop is not None and loop.is_running():
            # that loop may end first: then it has closed everything, and nobody answers
            remote = asyncio.run_coroutine_threadsafe(self.aclose(), loop)
            await asyncio.wait([asyncio.wrap_future(remote)], timeout=_CLOSE_WAIT_S)
        else:
            self._abandon()

    async def aclose(self) -> None:
        if self._end is not None:
            await self._end.aclose()  # runs _close_all, and leaves the loop's own list
        else:
            await self._close_all()

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        # the loop's timer is the one strong reference to this shelf; it is not kept here, since
        # a circle would have to wait for the collector
        self._timer = weakref.ref(loop.call_later(_NEVER_S, self._abandon))
        self._end = _until_loop_ends(weakref.ref(self))
        with contextlib.suppress(StopIteration):
            self._end.__anext__().send(None)  # registers it with the running loop

    async def _close_all(self) -> None:
        self.ended = True
        self.clear()
        for task in self._closing:
            task.cancel()
        while self.open:
            _, resource = self.open.popitem()
            await resource.aclose()
        timer = self._timer() if self._timer is not None else None
        if timer is not None:
            timer.cancel()

    def _abandon(self) -> None:
        self.ended = True
        self.clear()
        while self.open:
            _, resource = self.open.popitem()
            resource.abandon()

    def _close_soon(self, number: int) -> None:
        """Close one resource on the loop, which runs this."""
        resource = self.open.get(number)
        if resource is not None:
            task = asyncio.ensure_future(self._close_one(number, resource))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close_one(self, number: int, resource: Resource) -> None:
        await resource.aclose()
        self.open.pop(number, None)

    def release(self, number: int) -> None:
        """Close a resource that nobody uses any more, from any thread."""
        loop = None if self._loop is None else self._loop()
        if loop is not None and not loop.is_closed():
            try:
                loop.call_soon_threadsafe(self._close_soon, number)
            except RuntimeError:  # closed since
                pass
            else:
                return
        resource = self.open.pop(number, None)
        if resource is not None:
            resource.abandon()

    def __del__(self) -> None:
        if not self.open:
            return
        if self._loop is not None:
            warnings.warn(
                f"pool {self.name!r}: an event loop closed with {len(self.open)} HTTP clients open;"
                " use asyncio.run(), or `await pool.aclose()` (or loop.shutdown_asyncgens())"
                " before loop.close()",
                ResourceWarning,
                stacklevel=1,
                source=self,
            )
        self._abandon()


async def _until_loop_ends(shelf: weakref.ref[Shelf[K, C]]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        ending = shelf()
        if ending is not None:
            await ending._close_all()


def _release(shelf: weakref.ref[Shelf[K, C]], number: int) -> None:
    alive = shelf()
    if alive is not None:  # otherwise it has closed everything itself
        alive.release(number)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
