"""Talk to the HTTP service inside the test's process."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import httpx

from ragpool import ConfigClient, create_app

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fastapi import FastAPI


@contextlib.asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=30) as client,
    ):
        yield client


def talk(
    settings: ConfigClient, conversation: Callable[[httpx.AsyncClient], Awaitable[Any]]
) -> Any:
    async def run() -> Any:
        async with client_of(create_app(settings)) as client:
            return await conversation(client)

    return asyncio.run(run())


def workflow(node_config: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"query": "why", "nodes": [{"id": "a", "config": node_config}], "wait": True} | changes
