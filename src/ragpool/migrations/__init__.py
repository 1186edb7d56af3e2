"""Bring a database to the tables of `ragpool.tables`, from whichever release made it.

A replica does this at its first use of the database. Of several that start at once, one does it
and the others wait: PostgreSQL by a lock of its own, SQLite by the one for writing. An empty
database is given the tables as they are now, without the migrations and without Alembic, whose
import alone costs a replica 7 MiB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from ragpool.errors import ConfigurationError
from ragpool.tables import METADATA, REVISIONS

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0002"
BEFORE_ALEMBIC = "0001"
"""What a database has that was made when tables were not migrated yet."""

_LOCK = 0x7261_6770  # "ragp": any number that other programs of the database will not use


def upgrade(connection: Connection) -> None:
    """Upgrade, in the connection's transaction; raises ConfigurationError for a newer database."""
    if _revision(connection) == HEAD:
        return
    _wait_for_turn(connection)
    present = _revision(connection)
    if present == HEAD:
        return  # another replica was first
    if present is None and not inspect(connection).has_table("executions"):
        METADATA.create_all(connection)
        connection.execute(REVISIONS.insert().values(version_num=HEAD))
        return
    _migrate(connection, present)


def _migrate(connection: Connection, present: str | None) -> None:
    # heavy, and needed only where an older release made the database
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "ragpool:migrations")
    config.attributes["connection"] = connection
    try:
        if present is None:
            command.stamp(config, BEFORE_ALEMBIC)
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            "database", [f"has tables of revision {present!r}, made by a newer ragpool: {error}"]
        ) from error


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _wait_for_turn(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
