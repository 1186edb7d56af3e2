"""The code in `docs/ragpool.md` runs as it stands, except for the stub's address."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ragpool

if TYPE_CHECKING:
    import pytest

    from bench.stub_server import StubServer

PAGE = Path(__file__).parents[2] / "docs" / "ragpool.md"


def test_the_examples_run(
    server: StubServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    text = PAGE.read_text().replace("http://127.0.0.1:8080", server.url)
    space: dict[str, Any] = {"pool": ragpool.LLMPool()}
    search, batch, provider = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(search, space)
    exec(batch, space)
    exec(provider, space)
    assert capsys.readouterr().out.endswith(" sufficient\n")
    assert [record.status for record in asyncio.run(space["batch"](["a", "b"]))] == [
        "completed",
        "completed",
    ]
    assert "local" in space["pool"].providers
    ragpool.LLMPool.clear_instance()
    ragpool.RAGServicePool.clear_instance()


def test_the_page_names_the_bounds_that_the_code_has() -> None:
    text = PAGE.read_text()
    settings = ragpool.ConfigClient.model_fields
    assert f"`max_unfinished`, 10,000 ({settings['max_unfinished'].default:,} over HTTP)" in text
    assert f"every {ragpool.WorkflowExecutionManager.CLEANUP_INTERVAL} s" in text
