"""The published design: the classes of the article, with their behaviour and their flaws.

Written from the article's description. What it could not run without is repaired, and marked
"Repaired:"; every other flaw is there on purpose: nothing is closed, no pool takes a lock, keys are
joined by ":", clients are shared by all event loops of the process.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ClassVar, Self

from langchain_openai import ChatOpenAI
from pydantic import ConfigDict

from bench import cases
from bench.designs.naive.parts import RAGServiceClient
from ragpool import config as ragpool_config
from ragpool.engine import IterativeSearchEngine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)


class SearchConfig(ragpool_config.SearchConfig):
    """The engine's settings; it drops the `llm_*` keys that the node passes along."""

    model_config = ConfigDict(extra="ignore")


class SearchCache:
    """A cache that was switched off: it never finds and never keeps anything."""

    _instance: ClassVar[SearchCache | None] = None
    _ttl = 60
    _max_cache_size = 10

    def __init__(self) -> None:
        self._cache: dict[str, tuple[float, Any]] = {}

    @classmethod
    def get_instance(cls) -> SearchCache:
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    @classmethod
    def clear_instance(cls) -> None:
        """Empty the cache and drop it, at the end of a batch."""
        if cls._instance is not None:
            cls._instance._cache.clear()
        cls._instance = None

    def get(self, collection: str, query: str, *, variant: Any = None) -> Any:
        return None

    def set(self, collection: str, query: str, data: Any, *, variant: Any = None) -> None:
        """Do nothing, on purpose."""

    def _make_key(self, collection: str, query: str) -> str:
        return hashlib.md5(f"{collection}:{query}".encode()).hexdigest()


class LLMPool:
    """Language models by configuration, shared by the class and unbounded."""

    _instance: ClassVar[LLMPool | None] = None
    _llm_cache: ClassVar[dict[str, Any]] = {}

    @classmethod
    def get_instance(cls) -> LLMPool:
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def get_llm(
        self, provider: str, model: str, base_url: str | None = None, temperature: float = 0.1
    ) -> Any:
        """Return the model of a configuration; the anthropic branch ignores `base_url`."""
        key = f"{provider}:{model}:{base_url or ''}:{temperature}"
        if key not in self._llm_cache:
            self._llm_cache[key] = self._create(provider, model, base_url, temperature)
            logger.info("created llm %s", key)
        else:
            logger.debug("reused llm %s", key)
        return self._llm_cache[key]

    def _create(self, provider: str, model: str, base_url: str | None, temperature: float) -> Any:
        if provider == "openai":
            return ChatOpenAI(model=model, base_url=base_url, temperature=temperature)
        if provider == "anthropic":
            from langchain_anthropic import ChatAnthropic  # see two_vendors

            return ChatAnthropic(model=model, temperature=temperature)
        raise ValueError(f"unknown provider {provider!r}")

    def clear(self) -> None:
        """Forget all models; their connections stay open until the collector comes."""
        self._llm_cache.clear()


class RAGServicePool:
    """One retrieval client for the whole process, whatever its event loops."""

    _instance: ClassVar[RAGServicePool | None] = None
    _client: ClassVar[RAGServiceClient | None] = None

    @classmethod
    def get_instance(cls) -> RAGServicePool:
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def get_client(self) -> RAGServiceClient:
        cls = type(self)
        if cls._client is None:
            cls._client = RAGServiceClient(cases.rag_url())
            logger.info("created retrieval client")
        return cls._client

    @classmethod
    def clear(cls) -> None:
        cls._instance = cls._client = None


class AsyncWorkflowExecutor:
    """One execution: its work, its result and, when it failed, the error with its traceback."""

    def __init__(self, execution_id: str, work: Callable[[], Awaitable[Any]]) -> None:
        self.execution_id = execution_id
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._status = "pending"
        self._task: asyncio.Future[Any] | None = None

    async def run(self) -> None:
        self._status = "running"
        self._task = asyncio.ensure_future(self._work())
        try:
            self.result = await self._task
            self._status = "completed"
        except asyncio.CancelledError:
            self._status = "cancelled"
        except Exception as error:
            self.error, self._status = error, "error"

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def get_execution_status(self) -> dict[str, Any]:
        return {"status": self._status}


class WorkflowExecutionManager:
    """Executions by id, in its second version with the automatic clean-up."""

    CLEANUP_INTERVAL = 300
    MAX_AGE_SECONDS = 7200
    clock: ClassVar[Callable[[], float]] = time.time

    _instance: ClassVar[WorkflowExecutionManager | None] = None
    _lock = threading.Lock()
    _initialized = False

    def __new__(cls, workflow_max_workers: int = 10) -> Self:
        if cls._instance is None:
            with cls._lock:
                if cls._instance is None:
                    cls._instance = super().__new__(cls)
        return cls._instance

    def __init__(self, workflow_max_workers: int = 10) -> None:
        if self._initialized:
            return
        self._initialized = True
        self.executor_pool = ThreadPoolExecutor(
            workflow_max_workers, thread_name_prefix="workflow-executor"
        )
        self.active_executions: dict[str, AsyncWorkflowExecutor] = {}
        self._execution_lock = threading.Lock()
        self._last_cleanup_time = type(self).clock()
        # Repaired: the printed constructor never makes it
        self._execution_timestamps: dict[str, float] = {}

    def create_executor(
        self, execution_id: str, work: Callable[[], Awaitable[Any]]
    ) -> AsyncWorkflowExecutor:
        """Register an execution, and clean up when the interval has passed."""
        with self._execution_lock:
            if type(self).clock() - self._last_cleanup_time > self.CLEANUP_INTERVAL:
                self._cleanup_stale_executions_unlocked()
            executor = AsyncWorkflowExecutor(execution_id, work)
            self.active_executions[execution_id] = executor
            self._execution_timestamps[execution_id] = type(self).clock()
        return executor

    def cleanup_completed_executions(self) -> None:
        """Remove what is over; its timestamps stay forever."""
        for execution_id, executor in list(self.active_executions.items()):
            if executor.get_execution_status()["status"] in ("completed", "error", "cancelled"):
                del self.active_executions[execution_id]

    def _cleanup_stale_executions_unlocked(self) -> None:
        # Repaired: the printed method never defines current_time
        current_time = type(self).clock()
        self._last_cleanup_time = current_time
        self.cleanup_completed_executions()
        for execution_id, executor in list(self.active_executions.items()):
            if current_time - self._execution_timestamps[execution_id] > self.MAX_AGE_SECONDS:
                executor.cancel()
                del self.active_executions[execution_id]
                logger.warning("execution %s removed after two hours", execution_id)


async def execute_vectordb_node(node_config: dict[str, Any], query: str) -> Any:
    """Run the node with its parts from the pools; the temperature is never passed on."""
    llm = LLMPool.get_instance().get_llm(
        node_config["llm_provider"], node_config["llm_model"], node_config.get("llm_base_url")
    )
    engine = IterativeSearchEngine(
        llm=llm,
        rag_client=RAGServicePool.get_instance().get_client(),  # type: ignore[arg-type]
        cache=SearchCache.get_instance(),  # type: ignore[arg-type]
        config=SearchConfig(**node_config),
    )
    return await engine.search(query)
