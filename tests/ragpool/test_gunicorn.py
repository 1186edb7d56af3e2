"""Under gunicorn, preloaded: each worker has pools of its own, the parent keeps what it had."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.ragpool.conftest import left_open
from tests.thorough import thorough

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.stub_server import StubServer

PRELOADED = Path(__file__).with_name("preloaded.py")
WORKERS, AT_ONCE, END_S = 2, 40, 60.0


class Gunicorn:
    """A master and its workers; what they say goes into a list."""

    def __init__(self, folder: Path, server: StubServer, worker_class: str) -> None:
        self.word = folder / "word"
        options = ["--preload", "-k", worker_class, "-w", str(WORKERS), "-b", "127.0.0.1:0"]
        settings = {
            "LEFT_WORD": str(self.word),
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": server.openai_url,
            "RAGPOOL_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/service.db",
            "RAGPOOL_RAG_BASE_URL": server.rag_url,
            "RAGPOOL_WORKFLOW_MAX_WORKERS": "2",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", str(PRELOADED), *options, "preloaded:app"],
            env=os.environ | settings,
            cwd=PRELOADED.parent,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        self.url = ""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"Listening at: (http://\S+)", line):
                self.url = found[1]
                break
        self._reader = threading.Thread(target=self.said.extend, args=(self.process.stderr,))
        self._reader.start()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(END_S)
        finally:
            self.process.kill()
            self._reader.join()
            assert self.process.stderr is not None
            self.process.stderr.close()


@pytest.fixture(params=["uvicorn.workers.UvicornWorker", "asgi"])
def gunicorn(
    request: pytest.FixtureRequest, tmp_path: Path, server: StubServer
) -> Iterator[Gunicorn]:
    started = Gunicorn(tmp_path, server, request.param)
    yield started
    if started.process.poll() is None:
        started.end()


@thorough
def test_preloaded_workers_use_pools_of_their_own_and_leave_the_parents_alone(
    gunicorn: Gunicorn, server: StubServer
) -> None:
    body: dict[str, Any] = {
        "query": "why",
        "wait": True,
        "nodes": [{"id": "a", "config": {"llm_model": "m"}}],
    }

    async def ask() -> tuple[list[httpx.Response], list[httpx.Response]]:
        # a connection for each request, so that each worker gets some
        limits = httpx.Limits(max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=gunicorn.url, timeout=120, limits=limits) as client:
            posts = await asyncio.gather(
                *(client.post("/execute", json=body) for _ in range(AT_ONCE))
            )
            gets = await asyncio.gather(*(client.get("/search-here") for _ in range(AT_ONCE)))
            listed = await client.get("/executions", params={"limit": 1000})
            assert len(listed.json()["executions"]) == AT_ONCE  # whichever worker had them
            return posts, gets

    executed, searched = asyncio.run(ask())
    assert {(one.status_code, one.json()["status"]) for one in executed} == {(200, "completed")}
    assert {(one.json()["own"], one.json()["clients"]) for one in searched} == {(True, 1)}
    assert len({one.json()["pid"] for one in searched}) == WORKERS
    opened = server.stats()["connections_opened"]
    assert gunicorn.end() == 0, gunicorn.said
    assert gunicorn.word.read_text() == "True"
    assert server.stats()["connections_opened"] == opened  # the parent's own still served
    assert left_open(server) == 0
    assert not [line for line in gunicorn.said if "Traceback" in line], "".join(gunicorn.said)
