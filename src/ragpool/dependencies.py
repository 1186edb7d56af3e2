"""What FastAPI's endpoints depend on: made at the first request, kept for the life of the app."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar, cast

from fastapi import FastAPI, Request  # noqa: TC002  # FastAPI reads annotations at run time

from ragpool.config import ConfigClient
from ragpool.database import DatabaseClient
from ragpool.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_creating = threading.RLock()  # FastAPI calls plain functions on several threads


def get_config_composer(request: Request) -> ConfigClient:
    """Return the app's settings."""
    return settings_of(request.app)


def get_db_manager(request: Request) -> DatabaseClient:
    """Return the app's database client; the app closes it at its end."""
    return _database_of(request.app)


async def get_runtime(request: Request) -> Runtime:
    """Return the app's pools and manager; async, since they belong to the app's loop."""
    return runtime_of(request.app)


def runtime_of(app: FastAPI) -> Runtime:
    """Return the app's runtime, started at the first call, which is made on the app's loop."""
    return _once(app, "runtime", lambda: Runtime(settings_of(app), _database_of(app)))


def _database_of(app: FastAPI) -> DatabaseClient:
    settings = settings_of(app)
    url, most = settings.database_url.get_secret_value(), settings.database_connections
    return _once(app, "app_db", lambda: DatabaseClient(url, max_connections=most))


def settings_of(app: FastAPI) -> ConfigClient:
    return _once(app, "config_composer", ConfigClient.load)


def _once(app: FastAPI, name: str, make: Callable[[], T]) -> T:
    with _creating:
        if getattr(app.state, name, None) is None:
            setattr(app.state, name, make())
        return cast("T", getattr(app.state, name))
