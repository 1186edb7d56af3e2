"""The service as the scenarios of `bench/service` ask it: ragpool's, and a naive one beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from bench import cases
from bench.designs.naive import parts as naive
from bench.designs.service import upstream
from bench.designs.service.services import database_url
from ragpool.api import create_app
from ragpool.config import ConfigClient
from ragpool.workflow import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

MODELS_AT_ONCE = 4
A_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """An application to ask, and the file that its provider's key is read from."""

    app: FastAPI
    key_file: Path

    async def settled(self) -> None:
        """Wait until all that changed is stored: a streamed end is told before."""
        runtime = getattr(self.app.state, "runtime", None)
        if runtime is not None:
            await runtime.recorder.settled()


@contextlib.asynccontextmanager
async def pooled(**settings: Any) -> AsyncIterator[Service]:
    """Serve with ragpool's own application, with few of everything so that bounds are reached."""
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        rotate(key_file, 0)
        chosen = ConfigClient.load(
            **{
                "node_defaults": {"llm_base_url": cases.llm_url()},
                "llm_api_key_file": key_file,
                "database_url": database_url(folder),
                "database_connections": 1,  # a heartbeat that falls into a save would open another
                "lease_s": A_DAY_S,  # and none falls into a run
                "rag_base_url": cases.rag_url(),
                "max_history": cases.SUITE,
                "workflow_max_workers": 1,
                "max_models_per_loop": MODELS_AT_ONCE,
            }
            | settings
        )
        app = create_app(chosen)
        async with app.router.lifespan_context(app):
            yield Service(app=app, key_file=key_file)


@contextlib.asynccontextmanager
async def unaided() -> AsyncIterator[Service]:
    """Serve without ragpool: a run is a task in a dictionary, with all that it was built of.

    It goes on when its caller is gone, and a model is kept for each key and each host.
    """
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key"
        rotate(key_file, 0)
        yield Service(app=_unaided_app(key_file), key_file=key_file)


def _unaided_app(key_file: Path) -> FastAPI:
    app = FastAPI()
    executions = naive.Executions()

    async def execute(request: Request) -> Response:
        asked = await request.json()
        config, query = dict(asked["nodes"][0]["config"]), asked["query"]
        # what langchain-openai reads the key from
        os.environ["OPENAI_API_KEY"] = config.pop("llm_api_key", None) or read(key_file)
        config = {"llm_provider": "openai", "llm_base_url": cases.llm_url()} | config
        engine = naive.new_engine(config)
        number = len(executions.active)
        execution = executions.create(number, engine.search(query), engine)
        if request.headers["accept"] == "text/event-stream":
            return StreamingResponse(_told(execution), media_type="text/event-stream")
        await execution.run()
        return Response(json.dumps(plain(execution.result)))

    app.add_api_route("/execute", execute, methods=["POST"])
    return app


async def _told(execution: naive.Execution) -> AsyncIterator[str]:
    yield "event: execution\ndata: {}\n\n"
    await asyncio.wait([execution.task])
    found = json.dumps(plain(execution.task.result()))
    yield f"event: end\ndata: {found}\n\n"


def rotate(key_file: Path, number: int) -> None:
    """Put another key in the file's place, as secrets in containers are replaced."""
    new = key_file.with_suffix(".new")
    new.write_text(f"key-{number:07d}")
    new.replace(key_file)


def read(key_file: Path) -> str:
    return key_file.read_text()


def service() -> AbstractAsyncContextManager[Service]:
    """Give ragpool's service."""
    return pooled()


@contextlib.asynccontextmanager
async def with_history() -> AsyncIterator[Service]:
    """Give a service whose database has executions in it."""
    async with pooled() as made:
        runtime = made.app.state.runtime
        for number in range(cases.SUITE):
            executor = await runtime.execute([node()], cases.batch_query(number))
            await executor.finished()
        await runtime.recorder.settled()
        yield made


def open_to_tenants() -> AbstractAsyncContextManager[Service]:
    """Give a service whose callers may name the stub's host with keys of their own."""
    host = cases.llm_url().partition("://")[2].partition("/")[0]
    return pooled(allowed_hosts=(host,))


@contextlib.asynccontextmanager
async def hanging() -> AsyncIterator[Service]:
    """Give a service whose models never answer."""
    async with upstream.ordered(route=upstream.MODELS, hang=True), pooled() as made:
        yield made


@contextlib.asynccontextmanager
async def hanging_unaided() -> AsyncIterator[Service]:
    """Give a naive service whose models never answer."""
    async with upstream.ordered(route=upstream.MODELS, hang=True), unaided() as made:
        yield made


@contextlib.asynccontextmanager
async def closing() -> AsyncIterator[Service]:
    """Give a service whose upstreams close each connection after one answer."""
    async with upstream.ordered(route=upstream.ALL, close_after_response=True), pooled() as made:
        yield made


@contextlib.asynccontextmanager
async def closing_unaided() -> AsyncIterator[Service]:
    """Give a naive service whose upstreams close each connection after one answer."""
    async with upstream.ordered(route=upstream.ALL, close_after_response=True), unaided() as made:
        yield made


def node(**config: Any) -> dict[str, Any]:
    """Return the node that each request asks for: one round, and an answer."""
    wanted = {"llm_model": cases.MODELS["openai"], "collections": [cases.COLLECTION]}
    return {"id": "search", "config": {**wanted, "max_rounds": 1, **config}}
