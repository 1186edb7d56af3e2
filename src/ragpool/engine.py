"""Search in rounds: retrieve, judge, refine the query, until a stop rule holds; then answer.

Judging and refining are one question to the model; only where its reply has no better query is it
asked for that alone. So a search of two rounds asks three times: twice to judge, once to answer.

The stop rules, in the order in which they are tried after each round:

1. `SUFFICIENT`: the judge says that the relevant documents suffice.
2. `ENOUGH_DOCUMENTS`: `enough_documents` were judged relevant.
3. `MAX_ROUNDS`: the last permitted round is over.
4. `NOTHING_NEW`: a round after the first brought no document that was not seen before.
5. `SAME_QUERY`: the refined query is one that was tried already.
"""

from __future__ import annotations

import enum
import json
import logging
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ValidationError

from ragpool import prompts
from ragpool.errors import ConfigurationError
from ragpool.model_calls import call, read_aloud
from ragpool.progress import tell, wants_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.language_models.chat_models import BaseChatModel
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable

    from ragpool.cache import SearchCache
    from ragpool.config import SearchConfig
    from ragpool.retrieval import Document, RAGServiceClient

logger = logging.getLogger(__name__)


class RelevanceJudgement(BaseModel):
    """The form for a judgement; what the model is told of it stands in `ragpool.prompts`."""

    relevant_ids: list[str]
    sufficient: bool = False
    reason: str = ""
    better_query: str = ""


class RefinedQuery(BaseModel):
    """The form that is asked for where a judgement that does not suffice had no better query."""

    query: str


Answer = TypeVar("Answer", bound=BaseModel)


class StopReason(enum.StrEnum):
    """Which stop rule ended a search; the module's text defines them."""

    SUFFICIENT = "sufficient"
    ENOUGH_DOCUMENTS = "enough_documents"
    MAX_ROUNDS = "max_rounds"
    NOTHING_NEW = "nothing_new"
    SAME_QUERY = "same_query"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What a search found: plain data that holds no client, model or message."""

    query: str
    answer: str | None
    documents: tuple[Document, ...]
    """Those judged relevant, in the order in which they were found."""
    rounds: int
    queries: tuple[str, ...]
    stopped_by: StopReason
    bad_replies: int
    """How often a model's judgement or refinement could not be read, and was done without."""


class IterativeSearchEngine:
    """Search collections for a query until the documents suffice.

    Make one for each search. `llm` judges and refines at `judge_temperature`; `answer_llm`
    writes the answer; without it `llm` does, at `answer_temperature`.
    """

    def __init__(
        self,
        llm: BaseChatModel,
        rag_client: RAGServiceClient,
        cache: SearchCache,
        config: SearchConfig,
        *,
        answer_llm: BaseChatModel | None = None,
    ) -> None:
        self._llm = llm
        self._answer_llm = answer_llm
        self._rag_client = rag_client
        self._cache = cache
        self._config = config

    async def search(self, query: str) -> SearchResult:
        """Run the search. Raises RetrievalError, LLMError, or ConfigurationError."""
        config = self._config
        if not query.strip() or len(query) > config.max_query_chars:
            raise ConfigurationError(
                "query", [f"has {len(query)} characters, needs 1 to {config.max_query_chars}"]
            )
        progress = _Progress(query)
        while True:
            stopped_by = await self._round(progress)
            if stopped_by is not None:
                break
        answer = await self._answer(query, progress.relevant.values()) if config.answer else None
        return progress.result(answer, stopped_by)

    async def _round(self, progress: _Progress) -> StopReason | None:
        found = await self._retrieve(progress.queries[-1])
        fresh = progress.see(found)
        judgement = await self._judge(progress, fresh) if fresh else None
        if judgement is not None:
            progress.keep(fresh, judgement.relevant_ids)
        tell("round", **progress.seen_from_outside(judgement))
        if judgement is not None and judgement.sufficient:
            return StopReason.SUFFICIENT
        if len(progress.relevant) >= self._config.enough_documents:
            return StopReason.ENOUGH_DOCUMENTS
        if len(progress.queries) >= self._config.max_rounds:
            return StopReason.MAX_ROUNDS
        if not fresh and len(progress.queries) > 1:
            return StopReason.NOTHING_NEW
        proposed = judgement.better_query if judgement is not None else ""
        refined = self._trimmed(proposed) or await self._refine(progress)
        if refined in progress.queries:
            return StopReason.SAME_QUERY
        progress.queries.append(refined)
        return None

    async def _retrieve(self, query: str) -> list[Document]:
        """Search one collection after another, so that a search needs one connection."""
        found: list[Document] = []
        top_k = self._config.top_k
        for collection in self._config.collections:
            variant = (self._rag_client.base_url, top_k)
            documents = self._cache.get(collection, query, variant=variant)
            if documents is None:
                documents = await self._rag_client.search(collection, query, top_k=top_k)
                self._cache.set(collection, query, documents, variant=variant)
            found.extend(documents)
        return found

    async def _judge(
        self, progress: _Progress, documents: Sequence[Document]
    ) -> RelevanceJudgement:
        judgement = await self._ask(
            "relevance judgement",
            RelevanceJudgement,
            prompts.JUDGE,
            self._prompt(progress.queries[-1], documents),
        )
        if judgement is None:  # the retrieval service found them: better all of them than none
            progress.bad_replies += 1
            everything = [document.id for document in documents]
            return RelevanceJudgement(relevant_ids=everything, reason="the judge's reply was bad")
        logger.debug("judged %d documents: %s", len(documents), judgement.reason)
        return judgement

    async def _refine(self, progress: _Progress) -> str:
        refined = await self._ask(
            "query refinement",
            RefinedQuery,
            prompts.REFINE,
            self._prompt(progress.queries[-1], progress.relevant.values()),
        )
        query = self._trimmed(refined.query) if refined is not None else ""
        if not query:
            progress.bad_replies += 1
            return progress.queries[-1]
        return query

    def _trimmed(self, text: str) -> str:
        return text.strip()[: self._config.max_query_chars]

    async def _answer(self, query: str, documents: Iterable[Document]) -> str:
        model: Runnable[LanguageModelInput, AIMessage]
        model = self._answer_llm or self._llm.bind(temperature=self._config.answer_temperature)
        question = "final answer", model, prompts.ANSWER, self._prompt(query, documents)
        if wants_pieces():
            return await read_aloud(*question)
        return str((await call(*question)).text)

    async def _ask(self, task: str, form: type[Answer], system: str, user: str) -> Answer | None:
        """Ask for a filled-in form; None when the reply cannot be read as one."""
        model = self._llm.bind_tools([_tool(form)], tool_choice=form.__name__)
        message = await call(task, model, system, user)
        for candidate in _candidates(message, form.__name__):
            try:
                return form.model_validate(candidate)
            except ValidationError:
                continue
        logger.warning("%s: the model's reply does not fit %s", task, form.__name__)
        return None

    def _prompt(self, query: str, documents: Iterable[Document]) -> str:
        limit = self._config.max_document_chars
        blocks = [f"[doc:{document.id}]\n{document.text[:limit]}" for document in documents]
        return "\n\n".join([f"Query: {' '.join(query.split())}", *blocks])


class _Progress:
    """What one search knows so far."""

    def __init__(self, query: str) -> None:
        self.queries = [query]
        self.relevant: dict[str, Document] = {}
        self.bad_replies = 0
        self._seen: set[str] = set()

    def see(self, found: Iterable[Document]) -> list[Document]:
        """Return the documents that no earlier round brought."""
        fresh = {document.id: document for document in found if document.id not in self._seen}
        self._seen.update(fresh)
        return list(fresh.values())

    def keep(self, documents: Iterable[Document], relevant_ids: Iterable[str]) -> None:
        wanted = set(relevant_ids)  # ids that the judge invented match nothing
        self.relevant |= {document.id: document for document in documents if document.id in wanted}

    def seen_from_outside(self, judgement: RelevanceJudgement | None) -> dict[str, Any]:
        return {
            "number": len(self.queries),
            "query": self.queries[-1],
            "documents_seen": len(self._seen),
            "relevant_ids": list(self.relevant),
            "sufficient": judgement is not None and judgement.sufficient,
        }

    def result(self, answer: str | None, stopped_by: StopReason) -> SearchResult:
        return SearchResult(
            query=self.queries[0],
            answer=answer,
            documents=tuple(self.relevant.values()),
            rounds=len(self.queries),
            queries=tuple(self.queries),
            stopped_by=stopped_by,
            bad_replies=self.bad_replies,
        )


def _candidates(message: AIMessage, name: str) -> Iterable[Any]:
    """Yield what may be the form: the right tool's arguments, then JSON in the text."""
    for tool_call in message.tool_calls:
        if tool_call["name"] == name:
            yield tool_call["args"]
    text = str(message.text)
    start, end = text.find("{"), text.rfind("}")
    if 0 <= start < end:
        try:
            yield json.loads(text[start : end + 1])
        except ValueError:
            return


@cache  # bounded: one entry for each of the two forms
def _tool(form: type[BaseModel]) -> dict[str, Any]:
    tool = convert_to_openai_tool(form)
    # which would be the class's docstring: that is for whoever reads the code, not for the model
    tool["function"]["description"] = prompts.FORMS[form.__name__]
    return tool
