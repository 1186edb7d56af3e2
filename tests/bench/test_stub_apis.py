"""The stub as the real libraries see it: langchain's chat models and httpx."""

from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anthropic
import httpx
import openai
import pytest
import pytest_asyncio
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from bench.stub_server import StubServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from langchain_core.language_models import BaseChatModel

JUDGE = "Which documents help?\nQuery: how long is a refund possible?\n" + "\n".join(
    f"[doc:kb-{number}] some text" for number in range(5)
)
REFINE = "Improve it.\nQuery: how long is a refund possible?"


class RelevanceJudgement(BaseModel):
    """Say which documents answer the query."""

    relevant_ids: list[str]
    sufficient: bool
    reason: str


class RefinedQuery(BaseModel):
    """Ask better."""

    query: str


class Ticket(BaseModel):
    """Any other form."""

    title: str
    priority: int
    tags: list[str]


@pytest.fixture(scope="module")
def server() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@asynccontextmanager
async def chat_openai(server: StubServer) -> AsyncIterator[ChatOpenAI]:
    async with openai.DefaultAsyncHttpxClient() as later:
        with openai.DefaultHttpxClient() as now:
            yield ChatOpenAI(
                model="gpt-4o-mini",
                base_url=server.openai_url,
                api_key="any",
                max_retries=0,
                stream_usage=True,
                http_client=now,
                http_async_client=later,
            )


@asynccontextmanager
async def chat_anthropic(server: StubServer) -> AsyncIterator[ChatAnthropic]:
    model = ChatAnthropic(
        model="claude-haiku-4-5",
        base_url=server.url,
        api_key="any",
        max_retries=0,
        max_tokens=2048,  # with a model's own, high limit the client insists on streaming
    )
    named: dict[str, Any] = {"base_url": server.url, "api_key": "any", "max_retries": 0}
    async with anthropic.AsyncAnthropic(**named) as later:
        with anthropic.Anthropic(**named) as now:
            # langchain offers no way to hand clients in, and its own are never closed
            vars(model).update(_client=now, _async_client=later)
            yield model


CHATS = {"openai": chat_openai, "anthropic": chat_anthropic}


@pytest_asyncio.fixture(params=list(CHATS))
async def model(
    request: pytest.FixtureRequest, server: StubServer
) -> AsyncIterator[ChatOpenAI | ChatAnthropic]:
    server.reset()
    async with CHATS[request.param](server) as model:
        yield model


@pytest.mark.asyncio
async def test_an_answer_has_a_realistic_size_and_counts_its_tokens(model: BaseChatModel) -> None:
    message = await model.ainvoke("Query: how long?")
    assert 150 <= len(str(message.content).split()) <= 410
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] == pytest.approx(len(message.content) / 4, abs=1)
    assert message.usage_metadata["input_tokens"] > 0


@pytest.mark.asyncio
async def test_the_same_prompt_gets_the_same_answer_and_another_prompt_another(
    model: BaseChatModel,
) -> None:
    first, again, other = [
        str((await model.ainvoke(f"Query: {query}")).content) for query in ("a", "a", "b")
    ]
    assert first == again != other
    assert first.partition(":")[2] != other.partition(":")[2], "more than the query differs"


@pytest.mark.asyncio
async def test_a_synchronous_call_gets_what_an_asynchronous_one_gets(model: BaseChatModel) -> None:
    assert (
        model.invoke("Query: how long?").content
        == (await model.ainvoke("Query: how long?")).content
    )


@pytest.mark.asyncio
async def test_a_stream_adds_up_to_the_plain_answer(model: BaseChatModel) -> None:
    chunks = [chunk async for chunk in model.astream("Query: how long?")]
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    plain = await model.ainvoke("Query: how long?")
    assert len(chunks) > 10
    assert total.text == plain.text
    assert total.usage_metadata is not None
    assert plain.usage_metadata is not None
    assert total.usage_metadata["total_tokens"] == plain.usage_metadata["total_tokens"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("chat", "method"),
    [
        ("openai", "function_calling"),
        ("openai", "json_schema"),
        ("openai", "json_mode"),
        ("anthropic", "function_calling"),
        ("anthropic", "json_schema"),
    ],
)
async def test_every_way_to_structured_output_fills_the_form(
    server: StubServer, chat: str, method: str
) -> None:
    # the JSON mode sends no schema: the prompt has to say what it wants
    def ask(prompt: str, keys: str) -> str:
        return f"{prompt}\nAnswer in JSON with {keys}." if method == "json_mode" else prompt

    async with CHATS[chat](server) as model:
        judge = model.with_structured_output(RelevanceJudgement, method=method)
        judged = await judge.ainvoke(ask(JUDGE, "relevant_ids, sufficient, reason"))
        refine = model.with_structured_output(RefinedQuery, method=method)
        refined = await refine.ainvoke(ask(REFINE, "a query"))
        second = JUDGE.replace("how long is a refund possible?", refined.query)
        again = await judge.ainvoke(ask(second, "relevant_ids, sufficient, reason"))
        other = model.with_structured_output(Ticket, method=method)
        ticket = await other.ainvoke(ask("Write a ticket.", json.dumps(Ticket.model_json_schema())))
    assert judged.relevant_ids == ["kb-0", "kb-2", "kb-4"]
    assert judged.sufficient is False
    assert re.fullmatch(
        r"how long is a refund possible\? \(refined: [a-z]+ [a-z]+\)", refined.query
    )
    assert again.sufficient is True
    assert isinstance(ticket, Ticket)


@pytest.mark.asyncio
async def test_a_tool_call_streams_and_its_result_ends_the_turn(model: BaseChatModel) -> None:
    bound = model.bind_tools([RefinedQuery])
    stream = [chunk async for chunk in bound.astream(REFINE)]
    total = stream[0]
    for chunk in stream[1:]:
        total += chunk
    [call] = total.tool_calls
    assert call["name"] == "RefinedQuery"
    assert call["args"]["query"].startswith("how long is a refund possible? (refined: ")
    said = [
        HumanMessage(REFINE),
        AIMessage("", tool_calls=[call]),
        ToolMessage("found", tool_call_id=call["id"]),
    ]
    answer = await bound.ainvoke(said)
    assert not answer.tool_calls
    assert answer.text


@pytest.mark.asyncio
async def test_the_longest_answer_is_bounded_by_max_tokens(model: BaseChatModel) -> None:
    short = await model.bind(max_tokens=20).ainvoke("Query: how long?")
    assert len(short.text) == 80
    assert {"length", "max_tokens"} & set(map(str, short.response_metadata.values()))


@pytest.mark.asyncio
async def test_a_failure_arrives_as_the_error_of_the_library(
    server: StubServer, model: BaseChatModel
) -> None:
    server.control(status=429, times=1)
    with pytest.raises((openai.RateLimitError, anthropic.RateLimitError)):
        await model.ainvoke("hello")


@pytest.mark.asyncio
async def test_a_tool_that_does_not_exist_is_refused_by_name(model: BaseChatModel) -> None:
    function = {"type": "function", "function": {"name": "none_such"}}
    choice = function if isinstance(model, ChatOpenAI) else {"type": "tool", "name": "none_such"}
    asked = model.bind_tools([RefinedQuery]).bind(tool_choice=choice)
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError), match="'none_such'"):
        await asked.ainvoke("hello")


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
@pytest.mark.parametrize("body", [b"{", b"[]", b'{"model": "m"}', b'{"messages": [1]}'])
def test_a_body_that_is_no_chat_is_refused(server: StubServer, path: str, body: bytes) -> None:
    answer = httpx.post(server.url + path, content=body, verify=False)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_both_clients_can_list_the_models(server: StubServer) -> None:
    with openai.OpenAI(base_url=server.openai_url, api_key="any") as client:
        assert "gpt-4o-mini" in [one.id for one in client.models.list()]
    with anthropic.Anthropic(base_url=server.url, api_key="any") as client:
        assert "claude-haiku-4-5" in [one.id for one in client.models.list()]
        counted = client.messages.count_tokens(
            model="claude-haiku-4-5", messages=[{"role": "user", "content": "x" * 400}]
        )
        assert counted.input_tokens == 100


@pytest_asyncio.fixture
async def rag(server: StubServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.rag_url) as client:
        yield client


async def find(rag: httpx.AsyncClient, query: str, top_k: int = 8, collection: str = "kb") -> Any:
    body = {"collection": collection, "query": query, "top_k": top_k}
    answer = await rag.post("/search", json=body)
    return answer.raise_for_status().json()


@pytest.mark.asyncio
async def test_retrieval_returns_as_many_documents_as_asked_best_first(
    rag: httpx.AsyncClient,
) -> None:
    found = await find(rag, "how long?")
    documents = found["documents"]
    assert (found["collection"], found["query"], len(documents)) == ("kb", "how long?", 8)
    scores = [one["score"] for one in documents]
    assert scores == sorted(scores, reverse=True)
    for one in documents:
        assert one.keys() == {"id", "collection", "text", "score", "metadata"}
        assert 400 <= len(one["text"]) <= 1500
        assert all(isinstance(value, str) for value in one["metadata"].values())
    assert len({one["id"] for one in documents}) == 8


@pytest.mark.asyncio
async def test_documents_depend_on_query_and_collection_and_ids_never_lie(
    rag: httpx.AsyncClient,
) -> None:
    first, again = await find(rag, "how long?"), await find(rag, "how long?")
    other, elsewhere = await find(rag, "why?"), await find(rag, "how long?", collection="wiki")
    assert first == again
    ids = [{one["id"] for one in found["documents"]} for found in (first, other, elsewhere)]
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]
    refined = (await find(rag, "how long? (refined: quota scope)"))["documents"]
    texts = {one["id"]: one["text"] for one in first["documents"]}
    known = [one for one in refined if one["id"] in texts]
    assert len(known) == 4, "half of what a refined query finds is known"
    assert all(texts[one["id"]] == one["text"] for one in known)


@pytest.mark.asyncio
async def test_a_missing_collection_and_an_invalid_body_are_told_apart(
    rag: httpx.AsyncClient,
) -> None:
    body = {"collection": "missing-one", "query": "how?", "top_k": 3}
    missing = await rag.post("/search", json=body)
    assert missing.status_code == 404
    assert missing.json() == {"error": "collection 'missing-one' does not exist"}
    for wrong, reason in (
        ({"top_k": "3"}, "top_k"),
        ({"top_k": 0}, "top_k"),
        ({"query": ""}, "query"),
        ({"collection": None}, "collection"),
    ):
        answer = await rag.post("/search", json=body | wrong)
        assert answer.status_code == 422
        assert reason in answer.json()["error"]
    assert (await rag.post("/search", content=b"{")).status_code == 422


@pytest.mark.asyncio
async def test_routes_that_do_not_exist_are_named(rag: httpx.AsyncClient) -> None:
    assert (await rag.get("/health")).json() == {"status": "ok"}
    assert (await rag.get("/search")).status_code == 405
    nowhere = await rag.get("/nowhere")
    assert (nowhere.status_code, nowhere.json()["error"]) == (404, "no route GET /rag/nowhere")
