"""Which process answers for an execution, and what becomes of those whose process is gone.

1. A stored execution that is not over has an owner and the time of the owner's last heartbeat.
2. An owner whose heartbeat is `lease_s` old has lost its lease, whatever the reason: it was killed,
   it hangs, or the database cannot hear it.
3. Whoever sees that first, by one statement of the database, is the new owner. It runs the
   execution again where its request says that it may, at most `MAX_ATTEMPTS` times in all;
   otherwise it records it as `interrupted`.
4. An owner that finds its execution taken or deleted stops it, and what it still writes is ignored.

No age ends an execution whose owner is alive.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from ragpool.database import from_row
from ragpool.errors import ConfigurationError, DatabaseError, ManagerFullError
from ragpool.execution_record import ErrorRecord, ExecutionRecord, ExecutionStatus
from ragpool.tables import EXECUTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator

    from ragpool.database import DatabaseClient
    from ragpool.manager import WorkflowExecutionManager
    from ragpool.recorder import ExecutionRecorder

logger = logging.getLogger(__name__)

LEASE_S = 30.0
"""Long enough for a pause of the collector or a failover of the database; a convention."""
MAX_ATTEMPTS = 3
"""One that ends its process each time must not end every replica in turn, forever."""
_BEATS_A_LEASE = 3  # so that one may be late and one be lost
_IDS_A_STATEMENT = 500  # SQLite's oldest limit of parameters is 999
_OPEN = (ExecutionStatus.PENDING.value, ExecutionStatus.RUNNING.value)


async def renew(database: DatabaseClient, ids: Collection[str]) -> set[str]:
    """Tell that these executions' owner lives; return those that it does not own any more."""
    owned: set[str] = set()
    for some in _in_parts(sorted(ids)):
        ours = EXECUTIONS.c.execution_id.in_(some), EXECUTIONS.c.owner == database.owner
        async with database.transaction("renew leases") as connection:
            await connection.execute(
                EXECUTIONS.update().where(*ours).values(heartbeat_at=database.clock())
            )
            found = await connection.execute(select(EXECUTIONS.c.execution_id).where(*ours))
            owned.update(found.scalars())
    return set(ids) - owned


async def take_over(database: DatabaseClient, lease_s: float) -> list[ExecutionRecord]:
    """Become the owner of every execution whose lease ran out, and return them."""
    now = database.clock()
    heartbeat = EXECUTIONS.c.heartbeat_at
    expired = or_(heartbeat.is_(None), heartbeat < now - timedelta(seconds=lease_s))
    statement = (
        EXECUTIONS.update()
        .where(EXECUTIONS.c.status.in_(_OPEN), expired)
        .values(owner=database.owner, heartbeat_at=now)
        .returning(*EXECUTIONS.c)
    )
    async with database.transaction("take over") as connection:
        return [from_row(row) for row in (await connection.execute(statement)).all()]


class LeaseKeeper:
    """Keep the leases of one process, and take over what others left behind.

    `run_again` makes and starts an execution anew from its record. Make it on the database's loop.
    """

    def __init__(
        self,
        database: DatabaseClient,
        recorder: ExecutionRecorder,
        manager: WorkflowExecutionManager,
        run_again: Callable[[ExecutionRecord], None],
        *,
        lease_s: float = LEASE_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._manager = manager
        self._run_again = run_again
        self._lease_s = lease_s
        self._sleep = sleep
        self._beating = asyncio.Lock()
        self._task = asyncio.get_running_loop().create_task(self._keep())

    async def beat(self) -> None:
        """Renew, stop what is lost, take over what expired; raises DatabaseError."""
        for execution_id in await renew(self._database, tuple(self._recorder.answered_for)):
            if execution_id in self._recorder.answered_for:  # not over or deleted here since
                logger.warning("execution %r: taken over or deleted elsewhere", execution_id)
                self._recorder.answered_for.discard(execution_id)
                self._manager.discard(execution_id)
        for record in await take_over(self._database, self._lease_s):
            if record.execution_id not in self._recorder.answered_for:
                await self._adopt(record)

    async def aclose(self) -> None:
        """Stop between two beats; leases that are still held run out."""
        async with self._beating:  # a transaction that is cut off costs its connection
            self._task.cancel()
        await asyncio.wait([self._task])

    async def _keep(self) -> None:
        while True:
            try:
                async with self._beating:
                    await self.beat()
            except DatabaseError as error:
                logger.warning("leases not renewed: %s", error)
            except Exception:
                logger.exception("leases not renewed")
            await self._sleep(self._lease_s / _BEATS_A_LEASE)

    async def _adopt(self, record: ExecutionRecord) -> None:
        problem = "the process that ran it ended or lost its lease"
        if record.request is not None and record.attempt < MAX_ATTEMPTS:
            again = replace(record, attempt=record.attempt + 1, status=ExecutionStatus.PENDING)
            try:
                await self._database.update(again)
                self._recorder.answered_for.add(record.execution_id)
                self._run_again(again)
            except (ConfigurationError, ManagerFullError) as error:
                problem += f", and it cannot run again: {error}"
            else:
                logger.warning("execution %r: %s; runs again", record.execution_id, problem)
                return
        logger.warning("execution %r: %s", record.execution_id, problem)
        self._recorder.answered_for.discard(record.execution_id)
        await self._database.update(interrupted(record, problem))


def interrupted(record: ExecutionRecord, problem: str) -> ExecutionRecord:
    """Return the last record of an execution whose process is gone."""
    return replace(
        record,
        status=ExecutionStatus.INTERRUPTED,
        finished_at=datetime.now(UTC),
        error=ErrorRecord(type="InterruptedError", message=problem, node=None),
        request=None,
    )


def _in_parts(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), _IDS_A_STATEMENT):
        yield ids[start : start + _IDS_A_STATEMENT]
