"""Executions in a real database: a SQLite file by default, PostgreSQL by URL."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from ragpool import migrations
from ragpool.errors import ClosedError, ConfigurationError, DatabaseError
from ragpool.execution_record import ErrorRecord, ExecutionRecord, ExecutionStatus
from ragpool.tables import EXECUTIONS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

DEFAULT_URL = "sqlite+aiosqlite:///ragpool.db"
MAX_CONNECTIONS = 5
"""SQLAlchemy's own default: records are small and rarely written."""
_CHANGING = tuple(
    name
    for name in EXECUTIONS.c.keys()[1:]
    if name not in ("query", "created_at", "caller", "heartbeat_at")
)
"""The columns that change while an execution runs."""


class DatabaseClient:
    """Store and read execution records, from one event loop.

    The tables are made, or brought up to date, at the first use. Every method raises DatabaseError
    when the database fails. `owner` names this client to other replicas on the same database: what
    one has saved, no other overwrites (`ragpool.leases`). It holds at most `max_connections`; who
    finds none free waits for one.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        owner: str | None = None,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        if max_connections < 1:
            raise ConfigurationError(
                "database client", [f"max_connections is {max_connections}; needs >= 1"]
            )
        self.owner = owner or new_owner()
        self._engine = _engine(url, max_connections)
        self._insert = postgresql.insert if self._engine.name == "postgresql" else sqlite.insert
        self._process = os.getpid()
        self._ready = False
        self._closed = False
        self._opening = asyncio.Lock()

    async def save(self, *records: ExecutionRecord) -> None:
        """Insert or replace records, all in one transaction."""
        if not records:
            return
        async with self.transaction("save") as connection:
            await connection.execute(self._upsert(), [self._to_own_row(one) for one in records])

    async def update(self, *records: ExecutionRecord) -> None:
        """Replace records that are there and this client's; a deleted one stays deleted."""
        if not records:
            return
        rows = [self._to_own_row(one) for one in records]
        statement = (
            EXECUTIONS.update()
            .where(EXECUTIONS.c.execution_id == bindparam("id"), EXECUTIONS.c.owner == self.owner)
            .values({name: bindparam(f"new_{name}") for name in _CHANGING})
        )
        values = [
            {"id": row["execution_id"], **{f"new_{name}": row[name] for name in _CHANGING}}
            for row in rows
        ]
        async with self.transaction("update") as connection:
            await connection.execute(statement, values)

    async def get(self, execution_id: str) -> ExecutionRecord | None:
        query = select(EXECUTIONS).where(EXECUTIONS.c.execution_id == execution_id)
        async with self.transaction("get") as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else from_row(row)

    async def list(
        self,
        *,
        status: ExecutionStatus | None = None,
        caller: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> tuple[ExecutionRecord, ...]:
        """Return records, newest first; with a caller, that caller's alone."""
        query = select(EXECUTIONS).order_by(
            EXECUTIONS.c.created_at.desc(), EXECUTIONS.c.execution_id
        )
        if status is not None:
            query = query.where(EXECUTIONS.c.status == status.value)
        if caller is not None:
            query = query.where(EXECUTIONS.c.caller == caller)
        async with self.transaction("list") as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
        return tuple(map(from_row, rows))

    async def delete(self, execution_id: str, *, caller: str | None = None) -> bool:
        """Delete a record, with a caller only that caller's; False when there is none."""
        statement = EXECUTIONS.delete().where(EXECUTIONS.c.execution_id == execution_id)
        if caller is not None:
            statement = statement.where(EXECUTIONS.c.caller == caller)
        async with self.transaction("delete") as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        self._closed = True
        await self._engine.dispose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        # SQLAlchemy hides the password here
        return f"<database {self._engine.url!r}: {'closed' if self._closed else 'open'}>"

    def clock(self) -> Any:
        """Return the time that leases are judged by: one clock for all replicas.

        That is the database's; with SQLite all are on one machine, whose clock is theirs.
        """
        if self._engine.name == "postgresql":
            return func.clock_timestamp()
        return datetime.now(UTC)

    def _to_own_row(self, record: ExecutionRecord) -> dict[str, Any]:
        return _to_row(record) | {"owner": self.owner}

    def _upsert(self) -> postgresql.Insert | sqlite.Insert:
        insert = self._insert(EXECUTIONS).values(heartbeat_at=self.clock())
        changes = {name: insert.excluded[name] for name in EXECUTIONS.c.keys()[1:]}
        return insert.on_conflict_do_update(
            index_elements=["execution_id"],
            set_=changes,
            where=EXECUTIONS.c.owner == insert.excluded.owner,
        )

    @contextlib.asynccontextmanager
    async def transaction(self, action: str) -> AsyncIterator[AsyncConnection]:
        """Give a connection whose work is stored at the end; raises DatabaseError, ClosedError."""
        if self._closed:
            raise ClosedError("database")
        await self._leave_the_parents_connections()
        try:
            await self._create_table()
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            # the statement's values stay out of the message: they are the users' texts
            problem = str(getattr(error, "orig", None) or error)
            raise DatabaseError(action, f"{type(error).__name__}: {problem}") from error

    async def _leave_the_parents_connections(self) -> None:
        """Begin anew after a fork: the connections are the parent's, who goes on using them."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self.owner = new_owner()
            await self._engine.dispose(close=False)

    async def _create_table(self) -> None:
        if self._ready:
            return
        async with self._opening:
            if not self._ready:
                async with self._engine.begin() as connection:
                    await connection.run_sync(migrations.upgrade)
                self._ready = True


def new_owner() -> str:
    """Return a name that nobody had before, and that says where to look for its bearer."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"[-128:]


def _engine(url: str, max_connections: int) -> AsyncEngine:
    try:
        parsed = make_url(url)
        options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
        if parsed.get_backend_name() == "sqlite":
            options["connect_args"] = {"timeout": 30}  # for the lock of another writer
        if parsed.database not in (None, "", ":memory:"):
            options |= {"pool_size": max_connections, "max_overflow": 0}
        engine = create_async_engine(parsed, **options)
    except (ArgumentError, InvalidRequestError, ImportError) as error:
        raise ConfigurationError(
            "database url",
            [f"{error}; use sqlite+aiosqlite:///FILE or postgresql+asyncpg://HOST/NAME"],
        ) from error
    if engine.name not in ("sqlite", "postgresql"):
        raise ConfigurationError("database url", [f"{engine.name} is not supported"])
    return engine


def _to_row(record: ExecutionRecord) -> dict[str, Any]:
    return {
        "execution_id": record.execution_id,
        "status": record.status.value,
        "query": record.query,
        "created_at": record.created_at,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "results": dict(record.results),
        "error": None if record.error is None else asdict(record.error),
        "caller": record.caller,
        "attempt": record.attempt,
        "request": None if record.request is None else dict(record.request),
    }


def from_row(row: Row[Any]) -> ExecutionRecord:
    """Read one row of the executions' table."""
    return ExecutionRecord(
        execution_id=row.execution_id,
        query=row.query,
        status=ExecutionStatus(row.status),
        created_at=_utc(row.created_at) or datetime.min.replace(tzinfo=UTC),
        started_at=_utc(row.started_at),
        finished_at=_utc(row.finished_at),
        results=row.results,
        error=None if row.error is None else ErrorRecord(**row.error),
        caller=row.caller,
        attempt=row.attempt,
        request=row.request,
    )


def _utc(moment: datetime | None) -> datetime | None:
    """Give SQLite's times their zone back."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
