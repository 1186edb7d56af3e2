"""Executions in SQLite and PostgreSQL, and the recorder that writes what worker threads report."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from ragpool import (
    ClosedError,
    ConfigurationError,
    DatabaseClient,
    DatabaseError,
    ErrorRecord,
    ExecutionRecord,
    ExecutionStatus,
)
from ragpool.recorder import ExecutionRecorder
from tests.ragpool.conftest import sqlite_threads_end

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def url(store_url: str) -> str:
    return store_url


def record(execution_id: str = "e", minute: int = 0, **changes: Any) -> ExecutionRecord:
    values: dict[str, Any] = {
        "execution_id": execution_id,
        "query": "why?",
        "status": ExecutionStatus.PENDING,
        "created_at": NOON + timedelta(minutes=minute),
    }
    return ExecutionRecord(**(values | changes))


def test_a_record_comes_back_as_it_went_in(url: str) -> None:
    full = record(
        status=ExecutionStatus.ERROR,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=1.5),
        results={"a": {"answer": "yes", "score": 0.5}},
        error=ErrorRecord(type="LLMError", message="no", node="b"),
    )

    async def round_trip() -> ExecutionRecord | None:
        async with DatabaseClient(url) as database:
            await database.save(full)
            return await database.get("e")

    assert asyncio.run(round_trip()) == full


def test_records_outlive_the_client(url: str) -> None:
    async def write() -> None:
        async with DatabaseClient(url) as database:
            await database.save(record())

    async def read() -> ExecutionRecord | None:
        async with DatabaseClient(url) as database:
            return await database.get("e")

    asyncio.run(write())
    assert asyncio.run(read()) == record()


def test_a_later_record_replaces_an_earlier_one(url: str) -> None:
    async def use() -> tuple[ExecutionRecord, ...]:
        async with DatabaseClient(url) as database:
            await database.save(record())
            await database.save(record(status=ExecutionStatus.COMPLETED))
            return await database.list()

    assert [found.status for found in asyncio.run(use())] == ["completed"]


def test_lists_are_newest_first_by_status_and_in_pages(url: str) -> None:
    async def use() -> list[list[str]]:
        async with DatabaseClient(url) as database:
            await database.save(*(record(str(n), n) for n in range(5)))
            await database.save(record("done", 9, status=ExecutionStatus.COMPLETED))
            lists = [
                await database.list(limit=2),
                await database.list(limit=2, offset=2),
                await database.list(status=ExecutionStatus.COMPLETED),
            ]
            return [[found.execution_id for found in page] for page in lists]

    assert asyncio.run(use()) == [["done", "4"], ["3", "2"], ["done"]]


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_connections_are_held_than_are_allowed(tmp_path: Path, most: int) -> None:
    path = tmp_path / "records.db"

    async def use() -> int:
        url = f"sqlite+aiosqlite:///{path}"
        async with DatabaseClient(url, max_connections=most) as database:
            await database.save(record("first"))  # makes the tables
            await asyncio.gather(*(database.get("first") for _ in range(20)))
            return open_descriptors(path)

    assert asyncio.run(use()) == most


def open_descriptors(path: Path) -> int:
    return sum(one.path == str(path) for one in psutil.Process().open_files())


def test_a_client_of_no_connection_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_connections is 0; needs >= 1"):
        DatabaseClient("sqlite+aiosqlite:///:memory:", max_connections=0)


def test_a_deleted_record_is_gone(url: str) -> None:
    async def use() -> tuple[bool, bool, ExecutionRecord | None]:
        async with DatabaseClient(url) as database:
            await database.save(record())
            return (
                await database.delete("e"),
                await database.delete("e"),
                await database.get("e"),
            )

    assert asyncio.run(use()) == (True, False, None)


def test_a_failing_database_is_an_error_with_its_cause(tmp_path: Path) -> None:
    async def use() -> None:
        async with DatabaseClient(f"sqlite+aiosqlite:///{tmp_path}/no/such/dir.db") as database:
            with pytest.raises(DatabaseError, match="save: OperationalError: unable to open"):
                await database.save(record())
        await sqlite_threads_end()

    asyncio.run(use())


def test_a_closed_client_says_so(url: str) -> None:
    async def use() -> None:
        database = DatabaseClient(url)
        await database.aclose()
        await database.aclose()
        await database.list()

    with pytest.raises(ClosedError, match="database: closed"):
        asyncio.run(use())


@pytest.mark.parametrize("bad", ["nonsense", "sqlite:///sync.db", "mysql+aiomysql://h/db"])
def test_a_url_that_cannot_serve_is_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="database url: "):
        DatabaseClient(bad)


def test_a_password_is_not_shown() -> None:
    client = DatabaseClient("postgresql+asyncpg://user:secret@host/name")
    assert "secret" not in repr(client)
    assert "postgresql" in repr(client)
    asyncio.run(client.aclose())


def test_the_recorder_stores_what_threads_report_and_the_last_word_wins(url: str) -> None:
    async def use() -> tuple[ExecutionRecord, ...]:
        async with DatabaseClient(url) as database:
            recorder = ExecutionRecorder(database)

            def report(name: str) -> None:
                for status in ExecutionStatus.PENDING, ExecutionStatus.COMPLETED:
                    recorder.put(record(name, status=status))

            threads = [threading.Thread(target=report, args=(str(n),)) for n in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            await recorder.aclose()
            return await database.list()

    found = asyncio.run(use())
    assert {one.execution_id for one in found} == {str(number) for number in range(20)}
    assert {one.status for one in found} == {"completed"}


def test_a_saved_record_is_stored_when_save_returns(url: str) -> None:
    async def use() -> ExecutionRecord | None:
        async with DatabaseClient(url) as database:
            recorder = ExecutionRecorder(database)
            await recorder.save(record())
            found = await database.get("e")
            await recorder.aclose()
            return found

    assert asyncio.run(use()) == record()


def test_what_was_put_before_is_stored_when_it_is_settled(url: str) -> None:
    async def use() -> ExecutionRecord | None:
        async with DatabaseClient(url) as database:
            recorder = ExecutionRecorder(database)
            await recorder.save(record())
            recorder.put(record(status=ExecutionStatus.COMPLETED))
            await recorder.settled()
            found = await database.get("e")
            await recorder.aclose()
            return found

    assert asyncio.run(use()) == record(status=ExecutionStatus.COMPLETED)


def test_a_deleted_record_is_not_written_again(url: str) -> None:
    async def use() -> tuple[bool, ExecutionRecord | None]:
        async with DatabaseClient(url) as database:
            recorder = ExecutionRecorder(database)
            await recorder.save(record())
            recorder.put(record(status=ExecutionStatus.COMPLETED))
            await asyncio.sleep(0)  # the recorder has it now, and waits for its turn to write
            deleted = await recorder.delete("e")
            await recorder.aclose()
            return deleted, await database.get("e")

    assert asyncio.run(use()) == (True, None)


class FailingDatabase:
    """Refuses everything, for as long as it is told to."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.saved: list[ExecutionRecord] = []

    async def save(self, *records: ExecutionRecord) -> None:
        if self.failures:
            self.failures -= 1
            raise DatabaseError("save", "locked")
        self.saved.extend(records)

    async def update(self, *records: ExecutionRecord) -> None:
        await self.save(*records)


async def no_wait(seconds: float) -> None:
    """Wait for nothing."""


def test_a_passing_failure_of_the_database_loses_nothing() -> None:
    async def use() -> tuple[list[ExecutionRecord], int]:
        database: Any = FailingDatabase(failures=4)
        recorder = ExecutionRecorder(database, sleep=no_wait)
        await recorder.save(record())
        await recorder.aclose()
        return database.saved, recorder.lost

    assert asyncio.run(use()) == ([record()], 0)


def test_a_lasting_failure_is_counted_and_told_to_whoever_waits() -> None:
    async def use() -> int:
        database: Any = FailingDatabase(failures=1000)
        recorder = ExecutionRecorder(database, sleep=no_wait)
        with pytest.raises(DatabaseError, match="locked"):
            await recorder.save(record())
        await recorder.aclose()
        return recorder.lost

    assert asyncio.run(use()) == 1
