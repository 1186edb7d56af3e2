"""What is injected into which execution, and how that one must end.

The fault travels in a header of the model's requests, or is a collection that does not exist. So
what is injected into an execution is known exactly, and any other end is one too many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench import cases
from bench.faulty import HEADER
from ragpool.config import SearchConfig
from ragpool.engine import IterativeSearchEngine
from ragpool.execution_record import ExecutionStatus
from ragpool.workflow import NODE_TYPES, NodeType, Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ragpool.execution_record import ExecutionRecord
    from ragpool.vectordb_node import Pools

LATE_S = 0.2
"""How long a model that never answers is waited for; only executions that must fail wait so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One kind of execution: the stub's fault, and the status and error that it must have."""

    name: str
    fault: str = ""
    collection: str = cases.COLLECTION
    timeout_s: float | None = None
    status: ExecutionStatus = ExecutionStatus.COMPLETED
    error: str | None = None
    cancel: bool = False

    def came(self, record: ExecutionRecord) -> bool:
        """Say whether an execution ended as it must."""
        error = record.error.type if record.error is not None else None
        return (record.status, error) == (self.status, self.error)


_FAILED = ExecutionStatus.ERROR
CLEAN = Fate(name="clean")
_INJECTED = (
    Fate(name="connection closed after each answer", fault="close_after_response"),
    Fate(name="model answers 500", fault="status=500", status=_FAILED, error="LLMError"),
    Fate(name="model resets the connection", fault="reset", status=_FAILED, error="LLMError"),
    Fate(name="model sends half an answer", fault="truncate", status=_FAILED, error="LLMError"),
    Fate(
        name="model never answers",
        fault="hang",
        timeout_s=LATE_S,
        status=_FAILED,
        error="LLMTimeoutError",
    ),
    Fate(
        name="collection is missing",
        collection="missing-one",
        status=_FAILED,
        error="CollectionNotFoundError",
    ),
    Fate(name="cancelled", fault="hang", status=ExecutionStatus.CANCELLED, cancel=True),
)
FATES = tuple(fate for one in _INJECTED for fate in (CLEAN, one, CLEAN))[:-1]
"""One turn: seven executions with a fault, each between clean ones."""


def fate_of(number: int) -> Fate:
    return FATES[number % len(FATES)]


def workflow_of(number: int) -> Workflow:
    """Return the workflow of one execution, which ends by its fate."""
    config = {"fate": number % len(FATES)}
    return Workflow.of({"id": "search", "type": "soak", "config": config})


async def _search(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    """Search in rounds with models that carry the fault."""
    fate = FATES[config["fate"]]
    options: dict[str, Any] = {"max_retries": 0}
    if fate.fault:
        options["default_headers"] = {HEADER: fate.fault}
    if fate.timeout_s is not None:
        options["timeout"] = fate.timeout_s

    def llm(temperature: float) -> Any:
        model = cases.MODELS["openai"]
        return pools.llm.get_llm("openai", model, cases.llm_url(), temperature, **options)

    search = SearchConfig(collections=(fate.collection,))
    engine = IterativeSearchEngine(
        llm=llm(search.judge_temperature),
        answer_llm=llm(search.answer_temperature),
        rag_client=pools.retrieval.get_client(cases.rag_url()),
        cache=pools.cache,
        config=search,
    )
    return await engine.search(query)


NODES = {**NODE_TYPES, "soak": NodeType(run=_search)}
