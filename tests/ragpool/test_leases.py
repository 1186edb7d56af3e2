"""Leases: who answers for an execution, and what becomes of those whose process is gone."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import (
    ConfigurationError,
    DatabaseClient,
    DatabaseError,
    ExecutionRecord,
    ExecutionStatus,
)
from ragpool.leases import MAX_ATTEMPTS, LeaseKeeper, renew, take_over
from ragpool.manager import WorkflowExecutionManager
from ragpool.recorder import ExecutionRecorder
from ragpool.tables import EXECUTIONS
from tests.waiting import reached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ragpool import Pools

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EXPIRED, VALID = -1.0, 3600.0
"""Lengths of a lease: by the first every heartbeat is too old, by the second none is."""


def record(execution_id: str = "e", **changes: Any) -> ExecutionRecord:
    values: dict[str, Any] = {
        "execution_id": execution_id,
        "query": "why?",
        "status": ExecutionStatus.RUNNING,
        "created_at": NOW,
    }
    return ExecutionRecord(**(values | changes))


class Replica:
    """One process of the service, as far as leases go; it beats when it is told to."""

    def __init__(self, url: str, pools: Pools, lease_s: float) -> None:
        self.database = DatabaseClient(url)
        self.recorder = ExecutionRecorder(self.database)
        self.manager = WorkflowExecutionManager(1, pools=pools)
        self.again: list[ExecutionRecord] = []
        self.refusal: Exception | None = None
        self.began = asyncio.Event()
        self.keeper = LeaseKeeper(
            self.database,
            self.recorder,
            self.manager,
            self._run_again,
            lease_s=lease_s,
            sleep=self._never,
        )

    async def _never(self, seconds: float) -> None:
        self.began.set()
        await asyncio.Event().wait()

    def _run_again(self, found: ExecutionRecord) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.again.append(found)

    async def stored(self, execution_id: str = "e") -> ExecutionRecord:
        found = await self.database.get(execution_id)
        assert found is not None
        return found

    async def aclose(self) -> None:
        await self.keeper.aclose()
        await self.manager.aclose()
        await self.recorder.aclose()
        await self.database.aclose()


@pytest.fixture
def replica(store_url: str, pools: Pools) -> Any:
    @contextlib.asynccontextmanager
    async def start(lease_s: float = VALID) -> AsyncIterator[Replica]:
        one = Replica(store_url, pools, lease_s)
        try:
            await one.began.wait()  # its first beat of its own is over
            yield one
        finally:
            await one.aclose()

    return start


def test_what_a_killed_process_left_is_interrupted_by_the_next(replica: Any) -> None:
    async def use() -> ExecutionRecord:
        async with replica() as killed, replica(EXPIRED) as next_one:
            await killed.recorder.save(record())
            await next_one.keeper.beat()
            found: ExecutionRecord = await next_one.stored()
            return found

    found = asyncio.run(use())
    assert found.status is ExecutionStatus.INTERRUPTED
    assert found.finished_at is not None
    assert found.error is not None
    assert "ended or lost its lease" in found.error.message


def test_a_live_process_keeps_what_it_renews_and_what_is_over_is_nobodys(replica: Any) -> None:
    async def use() -> list[str]:
        async with replica() as live, replica() as other:
            await live.recorder.save(record("running"))
            await live.recorder.save(record("over", status=ExecutionStatus.COMPLETED))
            await live.keeper.beat()
            await other.keeper.beat()
            assert await take_over(other.database, VALID) == []
            assert live.recorder.answered_for == {"running"}
            return [str((await other.stored(name)).status) for name in ("running", "over")]

    assert asyncio.run(use()) == ["running", "completed"]


def test_of_two_replicas_one_takes_over(replica: Any) -> None:
    async def use() -> list[int]:
        async with replica() as killed, replica() as one, replica() as two:
            await killed.recorder.save(record())
            async with killed.database.transaction("forget") as connection:
                await connection.execute(EXECUTIONS.update().values(heartbeat_at=None))
            await two.database.list()  # its connection is there, so that both ask at once
            found = await asyncio.gather(
                take_over(one.database, VALID), take_over(two.database, VALID)
            )
            return [len(records) for records in found]

    assert sorted(asyncio.run(use())) == [0, 1]


def test_a_restartable_execution_runs_again_with_what_it_was_asked(replica: Any) -> None:
    request = {"nodes": [{"id": "a"}]}

    async def use() -> tuple[list[ExecutionRecord], ExecutionRecord]:
        async with replica() as killed, replica(EXPIRED) as next_one:
            await killed.recorder.save(record(request=request))
            await next_one.keeper.beat()
            assert next_one.recorder.answered_for == {"e"}
            return next_one.again, await next_one.stored()

    again, stored = asyncio.run(use())
    assert [(one.request, one.attempt) for one in again] == [(request, 2)]
    assert (stored.status, stored.attempt) == (ExecutionStatus.PENDING, 2)


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [(MAX_ATTEMPTS, None), (1, ConfigurationError("node", ["its type is gone"]))],
)
def test_one_that_may_not_or_cannot_run_again_is_interrupted(
    replica: Any, attempt: int, refusal: Exception | None
) -> None:
    async def use() -> tuple[int, ExecutionRecord]:
        async with replica() as killed, replica(EXPIRED) as next_one:
            next_one.refusal = refusal
            await killed.recorder.save(record(request={"nodes": []}, attempt=attempt))
            await next_one.keeper.beat()
            return len(next_one.again), await next_one.stored()

    started, stored = asyncio.run(use())
    assert (started, stored.status, stored.request) == (0, ExecutionStatus.INTERRUPTED, None)


def test_an_owner_that_lost_its_execution_stops_it_and_cannot_overwrite_it(replica: Any) -> None:
    async def use() -> tuple[ExecutionRecord, set[str]]:
        async with replica() as paused, replica(EXPIRED) as next_one:
            await paused.recorder.save(record())
            await next_one.keeper.beat()
            await paused.recorder.save(record(status=ExecutionStatus.COMPLETED))  # it woke up
            paused.recorder.answered_for.add("e")  # it has not heard yet
            await paused.keeper.beat()
            return await next_one.stored(), paused.recorder.answered_for

    stored, answered_for = asyncio.run(use())
    assert (stored.status, answered_for) == (ExecutionStatus.INTERRUPTED, set())


def test_one_deleted_by_another_replica_stays_deleted(replica: Any) -> None:
    async def use() -> tuple[ExecutionRecord, ...]:
        async with replica() as owner, replica() as other:
            await owner.recorder.save(record())
            assert await other.recorder.delete("e")
            owner.recorder.put(record(status=ExecutionStatus.COMPLETED))
            await owner.recorder.aclose()
            listed: tuple[ExecutionRecord, ...] = await other.database.list()
            return listed

    assert asyncio.run(use()) == ()


def test_leases_of_many_executions_are_renewed_in_parts(replica: Any) -> None:
    async def use() -> set[str]:
        async with replica() as one:
            names = [f"e{number}" for number in range(1201)]
            await one.database.save(*map(record, names))
            return await renew(one.database, [*names, "unknown"])

    assert asyncio.run(use()) == {"unknown"}


def test_a_database_that_fails_does_not_end_the_keeper(
    replica: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        owner = "me"

        def clock(self) -> datetime:
            return NOW

        @contextlib.asynccontextmanager
        async def transaction(self, action: str) -> AsyncIterator[Any]:
            raise DatabaseError(action, "gone")
            yield

    beats: list[float] = []

    async def twice(seconds: float) -> None:
        beats.append(seconds)
        if len(beats) == 2:
            await asyncio.Event().wait()

    async def use() -> None:
        async with replica() as one:
            failing: Any = Failing()
            keeper = LeaseKeeper(
                failing, one.recorder, one.manager, one._run_again, lease_s=30.0, sleep=twice
            )
            await reached(lambda: len(beats) == 2)
            await keeper.aclose()

    asyncio.run(use())
    assert beats == [10.0, 10.0]
    assert "leases not renewed: database: take over: gone" in caplog.text


def test_the_row_of_a_restartable_execution_forgets_its_request_at_its_end(replica: Any) -> None:
    async def use() -> list[Any]:
        async with replica() as one:
            running = record(request={"nodes": []})
            await one.recorder.save(running)
            before = (await one.stored()).request
            await one.recorder.save(
                replace(running, status=ExecutionStatus.COMPLETED, request=None)
            )
            async with one.database.transaction("look") as connection:
                row = (await connection.execute(EXECUTIONS.select())).one()
            return [before, row.request]

    assert asyncio.run(use()) == [{"nodes": []}, None]
