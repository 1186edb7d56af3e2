"""What one pool has on one event loop, and how it hears of the loop's end.

The rule: a resource (the HTTP clients of one endpoint) is open for as long as there is a `Lease` on
it. A client carries one, which ends with the client; `pool.lease()` takes one more for its block.
So eviction, which only drops the pool's reference, never closes anything under a user.

- Leases end anywhere: in a block, or in a finalizer, on any thread, in the middle of anything. So
  `Lease.release` takes no lock and decides nothing: it puts the lease on a list. What is closed is
  decided in one place, `_unused`, and closed by whoever called that.
- An async generator registers with the loop, so `asyncio.run` closes the resources in its own
  orderly end.
- A timer that never fires holds this object. `loop.close()` drops its timers, so after a bare
  `run_until_complete` + `close` the sockets are closed at that moment, with a `ResourceWarning`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import warnings
import weakref
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from cachetools import LRUCache

from ragpool.errors import ClosedError
from ragpool.forks import keep_inherited

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Hashable, Iterator

    from ragpool.transports import Resource

K = TypeVar("K")
C = TypeVar("C")

_NEVER_S = 1e9  # 31 years
_CLOSE_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe(Generic[K, C]):
    """How a pool makes one client, and what it shares with others."""

    key: K
    endpoint: Hashable
    """Clients with the same endpoint share one resource."""
    open: Callable[[bool], Resource]
    """Opens it, told whether an event loop will use it."""
    build: Callable[[Lease], C]
    """Makes the client, which must keep the lease for as long as it lives."""
    replaces: Callable[[K], bool] | None = None
    """Says of another client's key whether nobody will ask for it any more, now that this is."""


class _Shared:
    """One open resource, and how many leases there are on it."""

    __slots__ = ("endpoint", "leases", "resource")

    def __init__(self, endpoint: Hashable, resource: Resource) -> None:
        self.endpoint = endpoint
        self.resource = resource
        self.leases = 0


class Lease:
    """Keep a resource open, until `release()` or until nobody refers to this object."""

    __slots__ = ("_clients", "_shared", "resource")

    def __init__(self, shared: _Shared, clients: weakref.ref[LoopClients[K, C]]) -> None:
        self.resource = shared.resource
        self._shared: _Shared | None = shared
        self._clients = clients

    def release(self) -> None:
        """Give it back, from any thread; a second time does nothing."""
        shared, self._shared = self._shared, None
        clients = self._clients()
        if shared is not None and clients is not None:  # otherwise all is closed already
            clients.take_back(shared)

    def __del__(self) -> None:
        self.release()


class LoopClients(Generic[K, C]):
    """All that one pool has on one event loop (or, with `loop=None`, outside any loop).

    Only its loop's thread takes from it; other threads may clear it.
    """

    def __init__(self, name: str, max_clients: int, loop: asyncio.AbstractEventLoop | None) -> None:
        self.name = name
        self.kept: LRUCache[K, C] = LRUCache(maxsize=max_clients)
        self.open: set[Resource] = set()  # bounded by the clients that are kept or in use
        self.ended = False
        self._inherited = False
        self._lock = threading.RLock()
        self._in_use: weakref.WeakValueDictionary[K, C] = weakref.WeakValueDictionary()
        self._shared: dict[Hashable, _Shared] = {}
        self._returned: deque[_Shared] = deque()
        self._taking = False
        self._looking = False
        """Whether the loop is going to look at what was given back."""
        self._closing: set[asyncio.Task[None]] = set()
        self._loop = None if loop is None else weakref.ref(loop)
        self._end: AsyncGenerator[None] | None = None
        self._timer: weakref.ref[asyncio.TimerHandle] | None = None
        if loop is not None:
            self._follow(loop)

    def take(self, recipe: Recipe[K, C]) -> tuple[C, bool, int]:
        """Return the client, whether it was made now, and how many were evicted for it."""
        with self._exclusively():
            return self._take(recipe)

    def borrow(self, recipe: Recipe[K, C]) -> tuple[C, bool, int, Lease]:
        """Do the same, with a lease of the borrower's own."""
        with self._exclusively():
            return *self._take(recipe), self._lease(recipe)

    def take_back(self, shared: _Shared) -> None:
        """Note that a lease is over. Finalizers call this: it takes no lock that it must wait for.

        Whoever holds the lock at this moment looks at the list before it lets go.
        """
        self._returned.append(shared)
        if self._looking or self._inherited:
            return
        loop = None if self._loop is None else self._loop()
        try:
            if loop is not None:
                self._looking = True
                loop.call_soon_threadsafe(self._close_unused)
                return
        except RuntimeError:  # closed: no callback will run there any more
            self._looking = False
        self._abandon_unused()

    def leave_to_parent(self) -> None:
        """Close nothing from now on: this process got it all by a fork."""
        self.ended = self._inherited = True
        keep_inherited(self, list(self.kept.values()), list(self.open))
        self.open = set()

    def clear(self) -> None:
        """Drop every client that the pool keeps; those in use stay."""
        with self._lock:
            dropped = [self.kept.popitem() for _ in range(len(self.kept))]
        del dropped  # outside the lock: their leases end here

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
        """Close everything, on the loop itself."""
        if self._end is not None:
            await self._end.aclose()  # runs close_all, and leaves the loop's own list
        else:
            await self.close_all()

    async def close_all(self) -> None:
        self.ended = True
        self.clear()
        for task in self._closing:
            task.cancel()
        while self.open:
            await self.open.pop().aclose()
        timer = self._timer() if self._timer is not None else None
        if timer is not None:
            timer.cancel()

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        # the loop's timer is the one strong reference to this object; it is not kept here, since
        # a circle would have to wait for the collector
        self._timer = weakref.ref(loop.call_later(_NEVER_S, self._abandon))
        self._end = _until_loop_ends(weakref.ref(self))
        with contextlib.suppress(StopIteration):
            self._end.__anext__().send(None)  # registers it with the running loop

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Lock, and close what was given back meanwhile by someone who did not wait."""
        with self._lock:
            before, self._taking = self._taking, True  # a build may take from its own pool
            try:
                yield
            finally:
                self._taking = before
        if self._loop is None:
            self._abandon_unused()

    def _take(self, recipe: Recipe[K, C]) -> tuple[C, bool, int]:
        if self.ended:  # closed by another thread since it was looked up
            raise ClosedError(f"pool {self.name!r}")
        client = self.kept.get(recipe.key)
        if client is not None:
            return client, False, 0
        # evicted, but still in somebody's hands: the same configuration is the same client
        client = self._in_use.get(recipe.key)
        made = client is None
        if client is None:
            client = recipe.build(self._lease(recipe))
            self._in_use[recipe.key] = client
        evicted = self._drop(recipe.replaces) if made and recipe.replaces is not None else 0
        if len(self.kept) >= self.kept.maxsize:
            self.kept.popitem()
            evicted += 1
        self.kept[recipe.key] = client
        return client, made, evicted

    def _drop(self, is_replaced: Callable[[K], bool]) -> int:
        replaced = [key for key in self.kept if is_replaced(key)]
        for key in replaced:
            del self.kept[key]
        return len(replaced)

    def _lease(self, recipe: Recipe[K, C]) -> Lease:
        shared = self._shared.get(recipe.endpoint)
        if shared is None:
            shared = _Shared(recipe.endpoint, recipe.open(self._loop is not None))
            self._shared[recipe.endpoint] = shared
            self.open.add(shared.resource)
        shared.leases += 1
        return Lease(shared, weakref.ref(self))

    def _unused(self) -> Iterator[Resource]:
        """Take what was given back off the list; yield each resource that has no lease any more."""
        while self._returned:
            shared = self._returned.popleft()
            shared.leases -= 1
            if shared.leases == 0:
                del self._shared[shared.endpoint]
                if shared.resource in self.open:
                    yield shared.resource

    def _close_unused(self) -> None:
        """Close on the loop, which runs this."""
        self._looking = False
        for resource in self._unused():
            task = asyncio.ensure_future(self._close(resource))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _abandon_unused(self) -> None:
        """Close where no loop runs; leave it to whoever holds the lock, if somebody does."""
        while self._returned and not self._taking and self._lock.acquire(blocking=False):
            try:
                for resource in self._unused():
                    self.open.discard(resource)
                    resource.abandon()
            finally:
                self._lock.release()

    async def _close(self, resource: Resource) -> None:
        await resource.aclose()
        self.open.discard(resource)

    def _abandon(self) -> None:
        self.ended = True
        self.clear()
        while self.open:
            self.open.pop().abandon()

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


async def _until_loop_ends(clients: weakref.ref[LoopClients[K, C]]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        ending = clients()
        if ending is not None:
            await ending.close_all()
