"""The iterative search: its rounds, its stop rules, and models that answer badly."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage

from ragpool import (
    ConfigurationError,
    Document,
    IterativeSearchEngine,
    LLMError,
    RetrievalError,
    SearchCache,
    SearchConfig,
    SearchResult,
    StopReason,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def document(name: str, collection: str = "default") -> Document:
    return Document(id=name, collection=collection, text=f"text of {name}", score=0.5)


class FakeRetrieval:
    """Finds documents by a function of collection and query, and notes what was asked."""

    base_url = "http://rag.test"

    def __init__(self, find: Callable[[str, str], tuple[Document, ...]]) -> None:
        self.find = find
        self.asked: list[tuple[str, str, int]] = []

    async def search(self, collection: str, query: str, *, top_k: int) -> tuple[Document, ...]:
        self.asked.append((collection, query, top_k))
        return self.find(collection, query)


class FakeModel:
    """Replies from a list for each task; a reply is a message, or an error to raise."""

    def __init__(self, **replies: list[Any]) -> None:
        self.replies = replies
        self.prompts: list[tuple[str, str]] = []
        self.bound: dict[str, Any] = {}

    def bind_tools(self, tools: list[dict[str, Any]], *, tool_choice: str) -> _Task:
        assert [tool["function"]["name"] for tool in tools] == [tool_choice]
        return _Task(self, tool_choice)

    def bind(self, **options: Any) -> _Task:
        self.bound = options
        return _Task(self, "answer")

    async def ainvoke(self, messages: list[Any]) -> AIMessage:
        return await _Task(self, "answer").ainvoke(messages)


class _Task:
    def __init__(self, model: FakeModel, name: str) -> None:
        self.model = model
        self.name = name

    async def ainvoke(self, messages: list[Any]) -> AIMessage:
        self.model.prompts.append((self.name, str(messages[-1].content)))
        replies = self.model.replies[self.name]
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, AIMessage) else AIMessage(str(reply))


def called(name: str, **arguments: Any) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "1"}])


def judged(*relevant: str, sufficient: bool = False, better: str = "") -> AIMessage:
    return called(
        "RelevanceJudgement",
        relevant_ids=list(relevant),
        sufficient=sufficient,
        better_query=better,
    )


def refined(query: str) -> AIMessage:
    return called("RefinedQuery", query=query)


def search(
    model: FakeModel,
    find: Callable[[str, str], tuple[Document, ...]] = lambda collection, query: (
        document(f"{query}-1"),
        document(f"{query}-2"),
    ),
    cache: SearchCache | None = None,
    answer_llm: FakeModel | None = None,
    **config: Any,
) -> tuple[SearchResult, FakeRetrieval]:
    retrieval = FakeRetrieval(find)
    engine = IterativeSearchEngine(
        llm=model,  # type: ignore[arg-type]
        rag_client=retrieval,  # type: ignore[arg-type]
        cache=cache if cache is not None else SearchCache(),
        config=SearchConfig(**config),
        answer_llm=answer_llm,  # type: ignore[arg-type]
    )
    return asyncio.run(engine.search("q")), retrieval


def ids(result: SearchResult) -> list[str]:
    return [document.id for document in result.documents]


def test_a_sufficient_first_round_ends_the_search() -> None:
    model = FakeModel(RelevanceJudgement=[judged("q-2", sufficient=True)], answer=["done"])
    result, _ = search(model)
    assert (ids(result), result.answer, result.rounds) == (["q-2"], "done", 1)
    assert (result.stopped_by, result.bad_replies) == (StopReason.SUFFICIENT, 0)


def test_an_insufficient_round_refines_the_query_and_searches_again() -> None:
    model = FakeModel(
        RelevanceJudgement=[judged("q-1"), judged("r-2", sufficient=True)],
        RefinedQuery=[refined("r")],
        answer=["done"],
    )
    result, retrieval = search(model)
    assert result.queries == ("q", "r")
    assert ids(result) == ["q-1", "r-2"]
    assert [query for _, query, _ in retrieval.asked] == ["q", "r"]


def test_a_better_query_in_the_judgement_saves_the_question_for_one() -> None:
    model = FakeModel(
        RelevanceJudgement=[judged("q-1", better=" r "), judged("r-2", sufficient=True)],
        answer=["done"],
    )
    result, _ = search(model)
    assert result.queries == ("q", "r")
    assert [task for task, _ in model.prompts] == ["RelevanceJudgement"] * 2 + ["answer"]


def test_the_search_stops_after_the_last_permitted_round() -> None:
    names = iter("abcdefgh")
    model = FakeModel(
        RelevanceJudgement=[judged()], RefinedQuery=[refined(n) for n in names], answer=["done"]
    )
    result, _ = search(model, max_rounds=4)
    assert (result.rounds, result.stopped_by) == (4, StopReason.MAX_ROUNDS)


def test_the_search_stops_when_enough_documents_are_relevant() -> None:
    model = FakeModel(RelevanceJudgement=[judged("q-1", "q-2")], answer=["done"])
    result, _ = search(model, enough_documents=2)
    assert result.stopped_by is StopReason.ENOUGH_DOCUMENTS


def test_the_search_stops_when_a_round_brings_nothing_new() -> None:
    model = FakeModel(
        RelevanceJudgement=[judged("same")], RefinedQuery=[refined("r")], answer=["done"]
    )
    result, _ = search(model, find=lambda collection, query: (document("same"),))
    assert (result.rounds, result.stopped_by) == (2, StopReason.NOTHING_NEW)
    assert ids(result) == ["same"]


def test_the_search_stops_when_the_refined_query_was_tried() -> None:
    model = FakeModel(
        RelevanceJudgement=[judged("q-1")], RefinedQuery=[refined("q")], answer=["done"]
    )
    result, _ = search(model)
    assert (result.rounds, result.stopped_by) == (1, StopReason.SAME_QUERY)


def test_every_collection_is_searched_in_every_round() -> None:
    model = FakeModel(RelevanceJudgement=[judged(sufficient=True)], answer=["done"])
    _, retrieval = search(model, collections=("a", "b"), top_k=7)
    assert retrieval.asked == [("a", "q", 7), ("b", "q", 7)]


@pytest.mark.parametrize(
    "reply",
    [
        AIMessage("I think they are all fine."),
        AIMessage(""),
        AIMessage('{"relevant_ids": ['),
        called("RelevanceJudgement", unexpected=1),
        called("SomethingElse", relevant_ids=["q-1"]),
    ],
)
def test_a_judgement_that_cannot_be_read_keeps_all_documents(reply: AIMessage) -> None:
    model = FakeModel(RelevanceJudgement=[reply], answer=["done"])
    result, _ = search(model, max_rounds=1)
    assert (ids(result), result.bad_replies) == (["q-1", "q-2"], 1)


def test_a_judgement_written_as_text_is_read() -> None:
    text = 'Sure: {"relevant_ids": ["q-2"], "sufficient": true, "reason": "good"} ok?'
    model = FakeModel(RelevanceJudgement=[text], answer=["done"])
    result, _ = search(model)
    assert (ids(result), result.bad_replies) == (["q-2"], 0)


def test_ids_that_the_judge_invented_are_ignored() -> None:
    model = FakeModel(RelevanceJudgement=[judged("made-up", "q-1", sufficient=True)], answer=["x"])
    assert ids(search(model)[0]) == ["q-1"]


def test_a_refinement_that_cannot_be_read_ends_the_search() -> None:
    model = FakeModel(RelevanceJudgement=[judged()], RefinedQuery=["?"], answer=["done"])
    result, _ = search(model)
    assert (result.stopped_by, result.bad_replies) == (StopReason.SAME_QUERY, 1)


def test_the_answer_is_written_at_its_own_temperature() -> None:
    model = FakeModel(RelevanceJudgement=[judged(sufficient=True)], answer=["done"])
    search(model, answer_temperature=0.9)
    assert model.bound == {"temperature": 0.9}


def test_the_answer_comes_from_the_answer_model_when_there_is_one() -> None:
    judge = FakeModel(RelevanceJudgement=[judged(sufficient=True)])
    writer = FakeModel(answer=["from the writer"])
    assert search(judge, answer_llm=writer)[0].answer == "from the writer"
    assert writer.prompts[0][1].startswith("Query: q")


def test_no_answer_is_written_when_none_is_wanted() -> None:
    model = FakeModel(RelevanceJudgement=[judged(sufficient=True)])
    assert search(model, answer=False)[0].answer is None


def test_prompts_hold_the_query_and_every_document_within_its_limit() -> None:
    model = FakeModel(RelevanceJudgement=[judged(sufficient=True)], answer=["done"])
    search(model, max_document_chars=4)
    assert model.prompts[0] == (
        "RelevanceJudgement",
        "Query: q\n\n[doc:q-1]\ntext\n\n[doc:q-2]\ntext",
    )


def test_a_failing_model_is_an_error_with_its_cause() -> None:
    model = FakeModel(RelevanceJudgement=[TimeoutError("no reply")])
    with pytest.raises(LLMError, match="relevance judgement: TimeoutError: no reply") as info:
        search(model)
    assert isinstance(info.value.__cause__, TimeoutError)


def test_a_failing_retrieval_service_is_an_error() -> None:
    def fail(collection: str, query: str) -> tuple[Document, ...]:
        raise RetrievalError("http://rag.test", "down")

    with pytest.raises(RetrievalError, match="down"):
        search(FakeModel(), find=fail)


def test_a_cache_that_is_on_spares_the_second_search() -> None:
    cache = SearchCache(enabled=True)
    asked = 0
    for _ in range(2):
        model = FakeModel(RelevanceJudgement=[judged(sufficient=True)], answer=["done"])
        asked += len(search(model, cache=cache)[1].asked)
    assert asked == 1


@pytest.mark.parametrize("query", ["", "   ", "x" * 4001])
def test_an_empty_or_oversized_query_is_refused(query: str) -> None:
    engine = IterativeSearchEngine(
        llm=FakeModel(),  # type: ignore[arg-type]
        rag_client=FakeRetrieval(lambda collection, query: ()),  # type: ignore[arg-type]
        cache=SearchCache(),
        config=SearchConfig(),
    )
    with pytest.raises(ConfigurationError, match="query: has"):
        asyncio.run(engine.search(query))
