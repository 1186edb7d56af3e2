"""The model that openai does not walk through: the same requests, in every way to ask."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx2
import langchain_openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from openai.resources.chat.completions import completions
from pydantic import BaseModel

from ragpool import openai_chat

if TYPE_CHECKING:
    from collections.abc import Callable


class Verdict(BaseModel):
    """Say whether it helps."""

    helps: bool


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
TALK = [
    SystemMessage("You judge."),
    HumanMessage([{"type": "text", "text": "What is this?"}, PICTURE]),
    AIMessage("", tool_calls=[{"name": "look", "args": {"at": 1}, "id": "call-1"}]),
    ToolMessage("a cat", tool_call_id="call-1"),
]
ASKING: dict[str, Callable[[Any], Any]] = {
    "plain": lambda model: model.ainvoke("hello"),
    "conversation": lambda model: model.ainvoke(TALK),
    "tools": lambda model: model.bind_tools([Verdict], tool_choice="Verdict").ainvoke("hello"),
    "json schema": lambda model: model.with_structured_output(Verdict).ainvoke("hello"),
    "own extra_body": lambda model: model.bind(extra_body={"top_k": 5}).ainvoke("hello"),
    "stop": lambda model: model.ainvoke("hello", stop=["x"]),
    "Responses API": lambda model: model.bind(truncation="auto").ainvoke("hello"),
    "stream": lambda model: _stream(model),
    "in a thread": lambda model: asyncio.to_thread(model.invoke, "hello"),
}


async def _stream(model: Any) -> None:
    async for _ in model.astream("hello"):
        pass


def requests(kind: type[langchain_openai.ChatOpenAI], ask: Callable[[Any], Any]) -> list[Any]:
    """Return the requests that a model sends; each is refused, so that only they count."""
    sent: list[Any] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        sent.append((request.url.path, json.loads(request.content)))
        return httpx2.Response(400, json={"error": {"message": "refused"}})

    transport = httpx2.MockTransport(refuse)

    async def run() -> None:
        model = kind(
            model="o3-mini",
            api_key="test-key",
            base_url="http://stub/v1",
            max_tokens=9,
            http_client=httpx2.Client(transport=transport),
            http_async_client=httpx2.AsyncClient(transport=transport),
        )
        with pytest.raises(Exception, match="refused"):
            await ask(model)

    asyncio.run(run())
    return sent


@pytest.mark.parametrize("way", ASKING)
def test_the_request_is_the_parents_own(way: str) -> None:
    ours = requests(openai_chat.ChatOpenAI, ASKING[way])
    assert ours == requests(langchain_openai.ChatOpenAI, ASKING[way])
    assert len(ours) == 1


@pytest.mark.parametrize(
    ("kind", "walks"), [(openai_chat.ChatOpenAI, False), (langchain_openai.ChatOpenAI, True)]
)
def test_the_messages_are_not_walked(
    kind: type[langchain_openai.ChatOpenAI], walks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    walk = completions.async_maybe_transform

    async def listen(data: Any, expected_type: Any) -> Any:
        seen.append(json.dumps(data, default=str))
        return await walk(data, expected_type)

    monkeypatch.setattr(completions, "async_maybe_transform", listen)
    requests(kind, ASKING["plain"])
    assert ("hello" in "".join(seen)) is walks


def test_traces_show_the_name_of_the_parent() -> None:
    assert openai_chat.ChatOpenAI(model="m", api_key="k").get_name() == "ChatOpenAI"
