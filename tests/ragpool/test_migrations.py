"""An empty database gets the tables as they are now; an older one is brought to the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from ragpool import ConfigurationError, DatabaseClient
from ragpool.migrations import HEAD, upgrade

if TYPE_CHECKING:
    from pathlib import Path

BY_HAND = """
    CREATE TABLE executions (
        execution_id VARCHAR(128) NOT NULL PRIMARY KEY, status VARCHAR(16) NOT NULL,
        query TEXT NOT NULL, created_at DATETIME NOT NULL, started_at DATETIME,
        finished_at DATETIME, results JSON NOT NULL, error JSON
    );
    CREATE INDEX executions_by_age ON executions (created_at, execution_id);
    INSERT INTO executions
        VALUES ('kept', 'completed', 'why?', '2026-11-22', NULL, NULL, '{}', NULL);
"""
"""What a database has that the release before migrations made."""


def brought_up(path: Path, script: str = "") -> Connection:
    connection = create_engine(f"sqlite:///{path}", poolclass=NullPool).connect()
    connection.connection.executescript(script)  # type: ignore[attr-defined]
    upgrade(connection)
    connection.commit()
    return connection


def shape(connection: Connection) -> dict[str, Any]:
    looked = inspect(connection)
    return {
        name: (
            {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in looked.get_columns(name)
            },
            {index["name"]: index["column_names"] for index in looked.get_indexes(name)},
            looked.get_pk_constraint(name)["constrained_columns"],
        )
        for name in looked.get_table_names()
    }


def test_an_empty_database_gets_what_the_migrations_lead_to(tmp_path: Path) -> None:
    with (
        brought_up(tmp_path / "new.db") as new,
        brought_up(tmp_path / "old.db", BY_HAND) as migrated,
    ):
        assert shape(new) == shape(migrated)
        assert new.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [
            HEAD
        ]
        assert migrated.execute(text("SELECT execution_id, attempt FROM executions")).all() == [
            ("kept", 1)
        ]


def test_postgresql_is_brought_from_the_first_tables_to_the_same(postgres_url: str) -> None:
    """As in SQLite; two replicas that start at once do it once."""
    first = BY_HAND.replace("DATETIME", "TIMESTAMP WITH TIME ZONE").split(";")

    async def use() -> tuple[list[int], Any, Any]:
        engine = create_async_engine(postgres_url, poolclass=NullPool)
        async with engine.begin() as connection:
            for statement in filter(str.strip, first):
                await connection.execute(text(statement))
        async with DatabaseClient(postgres_url) as one, DatabaseClient(postgres_url) as other:
            found = await asyncio.gather(one.list(), other.list(), return_exceptions=True)
        async with engine.begin() as connection:
            migrated = await connection.run_sync(shape)
            await connection.execute(text("DROP SCHEMA public CASCADE"))
            await connection.execute(text("CREATE SCHEMA public"))
            await connection.run_sync(upgrade)
            new = await connection.run_sync(shape)
        await engine.dispose()
        return [len(records) for records in found], migrated, new

    found, migrated, new = asyncio.run(use())
    assert found == [1, 1]
    assert migrated == new


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    with brought_up(tmp_path / "a.db") as once:
        first = shape(once)
    with brought_up(tmp_path / "a.db") as twice:
        assert shape(twice) == first


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    newer = BY_HAND + (
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);"
        "INSERT INTO alembic_version VALUES ('9999');"
    )
    with pytest.raises(ConfigurationError, match="'9999', made by a newer ragpool"):
        brought_up(tmp_path / "newer.db", newer)


@pytest.mark.parametrize(("script", "imported"), [("", "False"), (BY_HAND, "True")])
def test_alembic_is_imported_only_to_migrate(tmp_path: Path, script: str, imported: str) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from tests.ragpool.test_migrations import brought_up\n"
        "brought_up(Path(sys.argv[1]), sys.argv[2]).close(); print('alembic' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "a.db", script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == imported
