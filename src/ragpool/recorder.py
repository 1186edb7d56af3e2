"""Write what worker threads report into the database, from the one loop that owns it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from ragpool.errors import DatabaseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ragpool.database import DatabaseClient
    from ragpool.execution_record import ExecutionRecord

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_LONGEST_WAIT_S = 5.0


class ExecutionRecorder:
    """Save the latest record of every execution, many in one transaction.

    At most one record waits for each execution, so what waits is bounded by the executions.
    Make it on the loop that owns the database; only `put()` may be called from other threads.
    """

    def __init__(
        self,
        database: DatabaseClient,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._sleep = sleep
        self._loop = asyncio.get_running_loop()
        self._batch = _Batch(self._loop)
        self._writing = asyncio.Lock()
        self._writer: asyncio.Task[None] | None = None
        self.answered_for: set[str] = set()
        """Executions that are stored as this client's and are not over."""
        self.lost = 0
        """Records given up after the database had failed `_ATTEMPTS` times."""

    @property
    def waiting(self) -> int:
        return len(self._batch.records)

    def put(self, record: ExecutionRecord) -> None:
        """Have a record saved soon."""
        try:
            self._loop.call_soon_threadsafe(self._put, record)
        except RuntimeError:
            logger.warning("execution %r: not stored, the loop is closed", record.execution_id)

    async def save(self, record: ExecutionRecord) -> None:
        """Return when the record is stored; raises DatabaseError."""
        await asyncio.shield(self._put(record))

    async def settled(self) -> None:
        """Return when all that was put before this call is stored, or deleted."""
        await asyncio.sleep(0)  # so that what threads put before this call is here
        if self._batch.records:
            await asyncio.shield(self._batch.saved)
        async with self._writing:
            pass

    async def delete(self, execution_id: str, *, caller: str | None = None) -> bool:
        """Delete a record wherever it is, a caller's own alone; False when there is none."""
        async with self._writing:
            record = self._batch.records.get(execution_id)
            waited = record is not None and caller in (None, record.caller)
            if waited:
                del self._batch.records[execution_id]
            found = await self._database.delete(execution_id, caller=caller) or waited
            if found:
                self.answered_for.discard(execution_id)
            return found

    async def aclose(self) -> None:
        """Save what waits, then end."""
        await asyncio.sleep(0)  # so that what threads put before this call is here
        if self._writer is not None:
            await self._writer

    def _put(self, record: ExecutionRecord) -> asyncio.Future[None]:
        self._batch.records[record.execution_id] = record
        if self._writer is None or self._writer.done():
            self._writer = self._loop.create_task(self._write())
        return self._batch.saved

    async def _write(self) -> None:
        """Save batch after batch until nothing waits; meanwhile the next one gathers."""
        while self._batch.records:
            async with self._writing:
                batch, self._batch = self._batch, _Batch(self._loop)
                await self._save(batch)

    async def _save(self, batch: _Batch) -> None:
        retrying = AsyncRetrying(
            sleep=cast("Any", self._sleep),
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(multiplier=0.1, max=_LONGEST_WAIT_S),
            retry=retry_if_exception_type(DatabaseError),
            reraise=True,
        )
        try:
            await retrying(self._store, batch.records)
        except Exception as error:
            self.lost += len(batch.records)
            # their leases run out, and whoever sees it says that they were interrupted
            self.answered_for -= _over(batch.records)
            logger.exception("%d execution records are lost", len(batch.records))
            batch.saved.set_exception(DatabaseError("save", str(error)))
            batch.saved.exception()  # nobody need be waiting for it
        else:
            batch.saved.set_result(None)

    async def _store(self, records: Mapping[str, ExecutionRecord]) -> None:
        """Insert what is new. What was there and is gone was deleted, by whichever replica."""
        there = {name for name in records if name in self.answered_for}
        await self._database.save(*(records[name] for name in records if name not in there))
        await self._database.update(*(records[name] for name in there))
        self.answered_for |= records.keys()
        self.answered_for -= _over(records)


def _over(records: Mapping[str, ExecutionRecord]) -> set[str]:
    return {name for name in records if records[name].status.finished}


class _Batch:
    """Records that go into one transaction, and the news of its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.records: dict[str, ExecutionRecord] = {}
        self.saved: asyncio.Future[None] = loop.create_future()
