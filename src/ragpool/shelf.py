"""What one pool has on one event loop, and how it hears of the loop's end.

- An async generator registers with the loop, so `asyncio.run` closes the clients in its own
  orderly end.
- A timer that never fires holds the shelf. `loop.close()` drops its timers, so after a bare
  `run_until_complete` + `close` the sockets are closed at that moment, with a `ResourceWarning`.
- What a client keeps open (a `Resource`) closes when its `Hold` dies: when the pool has dropped
  the client, and its last user is gone. Eviction never closes a client under a user.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Generic, TypeVar

from cachetools import LRUCache

from ragpool.errors import ClosedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Hashable
    from typing import Self

    from ragpool.transports import Resource

K = TypeVar("K")
C = TypeVar("C")

_NEVER_S = 1e9  # 31 years
_CLOSE_WAIT_S = 5.0


class Hold:
    """Keep one resource open for as long as somebody refers to this object."""

    __slots__ = ("__weakref__", "resource")

    def __init__(self, resource: Resource) -> None:
        self.resource = resource


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
        if self.ended:  # closed by another thread since it was looked up
            raise ClosedError(f"pool {self.name!r}")
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
