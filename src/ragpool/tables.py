"""The tables of the database as they are now; `ragpool.migrations` brings older ones here."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA = MetaData()
EXECUTIONS = Table(
    "executions",
    METADATA,
    Column("execution_id", String(128), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("query", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("results", JSON, nullable=False),
    Column("error", JSON),
    Column("caller", String(64)),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("request", JSON(none_as_null=True)),
    Column("owner", String(128)),
    Column("heartbeat_at", DateTime(timezone=True)),
    Index("executions_by_age", "created_at", "execution_id"),
    Index("executions_by_caller", "caller", "created_at"),
    Index("executions_by_lease", "status", "heartbeat_at"),
)
REVISIONS = Table(
    "alembic_version",  # the table, name and column, that Alembic keeps and reads
    METADATA,
    Column("version_num", String(32), primary_key=True),
)
