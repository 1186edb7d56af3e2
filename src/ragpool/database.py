"""Executions in a real database: a SQLite file by default, PostgreSQL by URL."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, DateTime, Index, MetaData, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from ragpool.errors import ClosedError, ConfigurationError, DatabaseError
from ragpool.executions import ErrorRecord, ExecutionRecord, ExecutionStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Self

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

DEFAULT_URL = "sqlite+aiosqlite:///ragpool.db"
_MAX_CONNECTIONS = 5

_metadata = MetaData()
_executions = Table(
    "executions",
    _metadata,
    Column("execution_id", String(128), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("results", JSON, nullable=False),
    Column("error", JSON),
    Index("executions_by_age", "created_at", "execution_id"),
)


class DatabaseClient:
    """Store and read execution records, from one event loop.

    The table is made at the first use. Every method raises DatabaseError when the database fails.
    """

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self._engine = _engine(url)
        self._insert = postgresql.insert if self._engine.name == "postgresql" else sqlite.insert
        self._ready = False
        self._closed = False
        self._opening = asyncio.Lock()

    async def save(self, *records: ExecutionRecord) -> None:
        """Insert or replace records, all in one transaction."""
        if not records:
            return
        async with self._transaction("save") as connection:
            await connection.execute(self._upsert(), [_to_row(record) for record in records])

    async def get(self, execution_id: str) -> ExecutionRecord | None:
        query = select(_executions).where(_executions.c.execution_id == execution_id)
        async with self._transaction("get") as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else _from_row(row)

    async def list(
        self, *, status: ExecutionStatus | None = None, limit: int = 100, offset: int = 0
    ) -> tuple[ExecutionRecord, ...]:
        """Return records, newest first."""
        query = select(_executions).order_by(
            _executions.c.created_at.desc(), _executions.c.execution_id
        )
        if status is not None:
            query = query.where(_executions.c.status == status.value)
        async with self._transaction("list") as connection:
            rows = (await connection.execute(query.limit(limit).offset(offset))).all()
        return tuple(map(_from_row, rows))

    async def delete(self, execution_id: str) -> bool:
        """Delete a record; False when there is none."""
        statement = _executions.delete().where(_executions.c.execution_id == execution_id)
        async with self._transaction("delete") as connection:
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

    def _upsert(self) -> postgresql.Insert | sqlite.Insert:
        insert = self._insert(_executions)
        changes = {name: insert.excluded[name] for name in _executions.c.keys()[1:]}
        return insert.on_conflict_do_update(index_elements=["execution_id"], set_=changes)

    @contextlib.asynccontextmanager
    async def _transaction(self, action: str) -> AsyncIterator[AsyncConnection]:
        if self._closed:
            raise ClosedError("database")
        try:
            await self._create_table()
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            # the statement's values stay out of the message: they are the users' texts
            problem = str(getattr(error, "orig", None) or error)
            raise DatabaseError(action, f"{type(error).__name__}: {problem}") from error

    async def _create_table(self) -> None:
        if self._ready:
            return
        async with self._opening:
            if not self._ready:
                async with self._engine.begin() as connection:
                    await connection.run_sync(_metadata.create_all)
                self._ready = True


def _engine(url: str) -> AsyncEngine:
    try:
        parsed = make_url(url)
        options: dict[str, Any] = {"hide_parameters": True, "pool_pre_ping": True}
        if parsed.get_backend_name() == "sqlite":
            options["connect_args"] = {"timeout": 30}  # for the lock of another writer
        if parsed.database not in (None, "", ":memory:"):
            options |= {"pool_size": _MAX_CONNECTIONS, "max_overflow": 0}
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
    }


def _from_row(row: Row[Any]) -> ExecutionRecord:
    return ExecutionRecord(
        execution_id=row.execution_id,
        query=row.query,
        status=ExecutionStatus(row.status),
        created_at=_utc(row.created_at) or datetime.min.replace(tzinfo=UTC),
        started_at=_utc(row.started_at),
        finished_at=_utc(row.finished_at),
        results=row.results,
        error=None if row.error is None else ErrorRecord(**row.error),
    )


def _utc(moment: datetime | None) -> datetime | None:
    """Give SQLite's times their zone back."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
