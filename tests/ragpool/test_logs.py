"""The log as JSON: one object a line, with whose work it was, and no secret in it."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from ragpool import ConfigClient, ConfigurationError
from ragpool.callers import hash_of
from ragpool.logs import JsonLines, log_config
from ragpool.run_context import within
from tests.ragpool.served import Service

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stub_server import StubServer

TOKEN, PLANTED = "token-of-alice", "sk-planted-secret"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(secrets=["sk-of-the-settings"]))
    logger = logging.getLogger("ragpool.test")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield stream
    logger.removeHandler(handler)


def test_a_line_is_one_object_with_the_facts_of_the_work_at_hand(written: io.StringIO) -> None:
    with within(execution_id="e1", caller=None), within(node="a"):
        logging.getLogger("ragpool.test").warning("two\nlines of %s", "text")
    logging.getLogger("ragpool.test").info("after")
    inside, outside = map(json.loads, written.getvalue().splitlines())
    assert inside.pop("time").endswith("+00:00")
    assert inside == {
        "level": "warning",
        "logger": "ragpool.test",
        "message": "two\nlines of text",
        "execution_id": "e1",
        "node": "a",
    }
    assert "execution_id" not in outside


def test_no_secret_is_in_a_line_wherever_it_came_from(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-environment")
    all_of_them = "sk-of-the-environment sk-of-the-settings sk-of-the-request"
    with within(lambda: ["sk-of-the-request"], node=all_of_them):
        try:
            raise LookupError(all_of_them)
        except LookupError:
            logging.getLogger("ragpool.test").exception("it said %s", all_of_them)
    line = json.loads(written.getvalue())
    assert "sk-of" not in written.getvalue()
    assert line["message"] == "it said *** *** ***"
    assert line["exception"].endswith("LookupError: *** *** ***")


def test_a_form_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="log_format"):
        ConfigClient.load(log_format="xml")


def test_text_is_the_default_and_stays_uvicorns() -> None:
    assert "json" not in log_config(ConfigClient.load())["formatters"]


def test_the_service_writes_who_ran_what_with_whom_and_how_long_it_took(
    tmp_path: Path, server: StubServer
) -> None:
    url = server.rag_url.replace("//", f"//user:{PLANTED}@")
    service = Service(
        tmp_path,
        url,
        server.openai_url,
        RAGPOOL_LOG_FORMAT="json",
        RAGPOOL_TOKENS=f"alice={hash_of(TOKEN)}",
        OPENAI_API_KEY=PLANTED,
    )
    body: dict[str, Any] = {
        "query": "why",
        "wait": True,
        "nodes": [{"id": "a", "config": {"llm_model": "m"}}],
    }
    headers = {"Authorization": f"Bearer {TOKEN}"}
    good = httpx.post(f"{service.url}/execute", json=body, headers=headers, timeout=60)
    server.control(route="/v1", status=400)
    bad = httpx.post(f"{service.url}/execute", json=body, headers=headers, timeout=60)
    service.stop()
    assert (good.status_code, bad.status_code) == (200, 502)
    lines = [json.loads(line) for line in service.said]  # every one of them, uvicorn's too
    steps = [line for line in lines if "step" in line]
    first, second = (
        [line for line in steps if line["execution_id"] == reply.json()["execution_id"]]
        for reply in (good, bad)
    )
    assert [line["step"] for line in first] == [
        *("retrieval", "model call") * 2,
        "model call",
        "execution",
    ]
    assert {line["caller"] for line in steps} == {"alice"}
    assert all(0 <= line["duration_s"] <= first[-1]["duration_s"] for line in first)
    assert {line["provider"] for line in first if line["step"] == "model call"} == {"openai"}
    assert [line.get("error") for line in second] == [None, "LLMError", "LLMError"]
    assert PLANTED not in "".join(service.said)
