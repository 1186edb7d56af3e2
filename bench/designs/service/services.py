"""The HTTP service in three designs, asked in process through ASGI: no socket of its own.

Note: annotations are evaluated here, since FastAPI must find the local functions that they name.
"""

import contextlib
import sqlite3
import tempfile
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import Depends, FastAPI, Request

from bench import cases
from bench.designs.naive import parts as naive
from bench.designs.published import article as published
from ragpool.api import create_app
from ragpool.config import ConfigClient
from ragpool.database import DatabaseClient
from ragpool.execution_record import ExecutionRecord, ExecutionStatus
from ragpool.workflow import plain

CACHE_PAGES = 20


@contextlib.asynccontextmanager
async def naive_service() -> AsyncIterator[httpx.AsyncClient]:
    """Serve with a database client, settings and an engine built for every request."""
    with tempfile.TemporaryDirectory() as folder:
        app = FastAPI()

        @app.post("/execute")
        async def execute(body: dict[str, Any]) -> Any:
            ConfigClient.load()
            found = await naive.execute_vectordb_node(cases.node_config(), body["query"])
            record = _record(body["query"], plain(found))
            await DatabaseClient(database_url(folder)).save(record)
            return record.results

        async with _asked(app) as client:
            yield client


@contextlib.asynccontextmanager
async def published_service() -> AsyncIterator[httpx.AsyncClient]:
    """Serve with what the article keeps in `app.state`, and its pools."""
    with tempfile.TemporaryDirectory() as folder:
        app = FastAPI()

        def get_db_manager(request: Request) -> DatabaseClient:
            if not hasattr(request.app.state, "app_db"):
                request.app.state.app_db = DatabaseClient(database_url(folder))
            client: DatabaseClient = request.app.state.app_db
            return client

        def get_config_composer(request: Request) -> ConfigClient:
            if not hasattr(request.app.state, "config_composer"):
                request.app.state.config_composer = ConfigClient.load()
            composer: ConfigClient = request.app.state.config_composer
            return composer

        @app.post("/execute")
        async def execute_workflow(
            body: dict[str, Any],
            database: Annotated[DatabaseClient, Depends(get_db_manager)],
            composer: Annotated[ConfigClient, Depends(get_config_composer)],
        ) -> Any:
            found = await published.execute_vectordb_node(cases.node_config(), body["query"])
            record = _record(body["query"], plain(found))
            await database.save(record)
            return record.results

        async with _asked(app) as client:
            yield client
        if hasattr(app.state, "app_db"):
            await app.state.app_db.aclose()


@contextlib.asynccontextmanager
async def pooled_service() -> AsyncIterator[httpx.AsyncClient]:
    """Serve with ragpool's own application, and close it after the last request."""
    with tempfile.TemporaryDirectory() as folder:
        settings = ConfigClient.load(
            node_defaults={"llm_base_url": cases.llm_url()},  # so that it gets the service's key
            database_url=database_url(folder),
            database_connections=1,  # a heartbeat that falls into a save would open another
            rag_base_url=cases.rag_url(),
            max_history=cases.SUITE,
        )
        app = create_app(settings)
        async with app.router.lifespan_context(app), _asked(app) as client:
            yield client


def _asked(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30.0)


def database_url(folder: str) -> str:
    path = Path(folder) / "executions.db"
    if not path.exists():
        # SQLite keeps 2 MB of pages, which 100 calls do not fill: a smaller cache is full at once
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA default_cache_size = {CACHE_PAGES}")
    return f"sqlite+aiosqlite:///{path}"


def _record(query: str, found: Any) -> ExecutionRecord:
    return ExecutionRecord(
        execution_id=uuid.uuid4().hex,
        query=query,
        status=ExecutionStatus.COMPLETED,
        created_at=datetime.now(UTC),
        results={"search": found},
    )
