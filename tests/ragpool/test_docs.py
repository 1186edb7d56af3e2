"""The code in `docs/ragpool.md` runs as it stands, except for the stub's address."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from langchain_openai import ChatOpenAI

import ragpool
from tests.ragpool.talking import client_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest
    from fastapi import FastAPI

    from bench.stub_server import StubServer

PAGE = Path(__file__).parents[2] / "docs" / "ragpool.md"


def test_the_examples_run(
    server: StubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    text = PAGE.read_text().replace("http://127.0.0.1:8080", server.url)
    space: dict[str, Any] = {"pool": ragpool.LLMPool()}
    search, batch, service, chain, own, provider = re.findall(
        r"```python\n(.*?)```", text, re.DOTALL
    )
    exec(search, space)
    exec(batch, space)
    exec(provider, space)
    exec(service, space)
    exec(chain, space)
    exec(own, space)
    assert asyncio.run(asked_with_a_model_of_ones_own(space["ask_with"], server))
    asyncio.run(ask_the_service(space["app"]))
    assert asyncio.run(summarised(space["summary"]))
    assert capsys.readouterr().out.endswith(" sufficient\n")
    assert [record.status for record in asyncio.run(space["batch"](["a", "b"]))] == [
        "completed",
        "completed",
    ]
    assert "local" in space["pool"].providers
    ragpool.LLMPool.clear_instance()
    ragpool.RAGServicePool.clear_instance()


async def ask_the_service(app: FastAPI) -> None:
    async with client_of(app) as client:
        reply = await client.get("/ask", params={"question": "why"})
    assert reply.status_code == 200
    assert reply.json()["answer"]


async def asked_with_a_model_of_ones_own(
    ask: Callable[..., Awaitable[ragpool.SearchResult]], server: StubServer
) -> str | None:
    async with httpx.AsyncClient() as http:
        model = ChatOpenAI(model="m", base_url=server.openai_url, http_async_client=http)
        pools = ragpool.Pools(
            llm=ragpool.LLMPool(), retrieval=ragpool.RAGServicePool(), cache=ragpool.SearchCache()
        )
        found = await ask(model, pools, "why")
        await pools.aclose()
    return found.answer


async def summarised(summary: Callable[..., Awaitable[str]]) -> str:
    pool = ragpool.LLMPool()
    text = await summary(pool, "much")
    await pool.aclose()
    return text


def test_the_page_names_every_setting() -> None:
    text = PAGE.read_text()
    assert [name for name in ragpool.ConfigClient.model_fields if f"`{name}`" not in text] == []


def test_the_page_names_the_bounds_that_the_code_has() -> None:
    text = PAGE.read_text()
    settings = ragpool.ConfigClient.model_fields
    assert f"`max_unfinished`, 10,000 ({settings['max_unfinished'].default:,} over HTTP)" in text
    assert f"every {ragpool.WorkflowExecutionManager.CLEANUP_INTERVAL} s" in text
