"""What the pools of this package have in common on the outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ragpool.process_default import ProcessDefault

if TYPE_CHECKING:
    from ragpool.pool import LoopPool, PoolStats

K = TypeVar("K")
C = TypeVar("C")


class PoolFacade(ProcessDefault, Generic[K, C]):
    """The lifetime and the statistics of the `LoopPool` inside."""

    _pool: LoopPool[K, C]

    def clear(self) -> None:
        """Drop every client; each closes its connections when its last user is gone."""
        self._pool.clear()

    async def aclose(self) -> None:
        """Close the connections of every client, in use or not."""
        await self._pool.aclose()

    def stats(self) -> PoolStats:
        """Return what the pool holds now, and has done since it was made."""
        return self._pool.stats()

    def __repr__(self) -> str:
        return repr(self._pool)
