"""The pooled RAG workflow runtime.

Names load when they are first used: `import ragpool` costs nothing, and what a program does not
use (FastAPI, SQLAlchemy) need not be installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ragpool.api import create_app as create_app
    from ragpool.cache import CacheStats as CacheStats
    from ragpool.cache import SearchCache as SearchCache
    from ragpool.config import ConfigClient as ConfigClient
    from ragpool.config import NodeConfig as NodeConfig
    from ragpool.config import SearchConfig as SearchConfig
    from ragpool.database import DatabaseClient as DatabaseClient
    from ragpool.dependencies import get_config_composer as get_config_composer
    from ragpool.dependencies import get_db_manager as get_db_manager
    from ragpool.engine import IterativeSearchEngine as IterativeSearchEngine
    from ragpool.engine import SearchResult as SearchResult
    from ragpool.engine import StopReason as StopReason
    from ragpool.errors import CallerFullError as CallerFullError
    from ragpool.errors import ClosedError as ClosedError
    from ragpool.errors import CollectionNotFoundError as CollectionNotFoundError
    from ragpool.errors import ConfigurationError as ConfigurationError
    from ragpool.errors import DatabaseError as DatabaseError
    from ragpool.errors import DrainingError as DrainingError
    from ragpool.errors import DuplicateExecutionError as DuplicateExecutionError
    from ragpool.errors import LLMError as LLMError
    from ragpool.errors import LLMTimeoutError as LLMTimeoutError
    from ragpool.errors import ManagerFullError as ManagerFullError
    from ragpool.errors import RagpoolError as RagpoolError
    from ragpool.errors import RetrievalError as RetrievalError
    from ragpool.errors import RetrievalTimeoutError as RetrievalTimeoutError
    from ragpool.errors import StillRunningError as StillRunningError
    from ragpool.errors import UnknownExecutionError as UnknownExecutionError
    from ragpool.errors import UnknownProviderError as UnknownProviderError
    from ragpool.execution_record import ErrorRecord as ErrorRecord
    from ragpool.execution_record import ExecutionRecord as ExecutionRecord
    from ragpool.execution_record import ExecutionStatus as ExecutionStatus
    from ragpool.executions import AsyncWorkflowExecutor as AsyncWorkflowExecutor
    from ragpool.llm import LLMPool as LLMPool
    from ragpool.manager import ManagerStats as ManagerStats
    from ragpool.manager import WorkflowExecutionManager as WorkflowExecutionManager
    from ragpool.pool import PoolStats as PoolStats
    from ragpool.providers import Provider as Provider
    from ragpool.retrieval import Document as Document
    from ragpool.retrieval import RAGServiceClient as RAGServiceClient
    from ragpool.retrieval import RAGServicePool as RAGServicePool
    from ragpool.vectordb_node import Pools as Pools
    from ragpool.vectordb_node import execute_vectordb_node as execute_vectordb_node
    from ragpool.workflow import NodeType as NodeType
    from ragpool.workflow import Workflow as Workflow
    from ragpool.workflow import WorkflowNode as WorkflowNode

__all__ = [
    "AsyncWorkflowExecutor",
    "CacheStats",
    "CallerFullError",
    "ClosedError",
    "CollectionNotFoundError",
    "ConfigClient",
    "ConfigurationError",
    "DatabaseClient",
    "DatabaseError",
    "Document",
    "DrainingError",
    "DuplicateExecutionError",
    "ErrorRecord",
    "ExecutionRecord",
    "ExecutionStatus",
    "IterativeSearchEngine",
    "LLMError",
    "LLMPool",
    "LLMTimeoutError",
    "ManagerFullError",
    "ManagerStats",
    "NodeConfig",
    "NodeType",
    "PoolStats",
    "Pools",
    "Provider",
    "RAGServiceClient",
    "RAGServicePool",
    "RagpoolError",
    "RetrievalError",
    "RetrievalTimeoutError",
    "SearchCache",
    "SearchConfig",
    "SearchResult",
    "StillRunningError",
    "StopReason",
    "UnknownExecutionError",
    "UnknownProviderError",
    "Workflow",
    "WorkflowExecutionManager",
    "WorkflowNode",
    "create_app",
    "execute_vectordb_node",
    "get_config_composer",
    "get_db_manager",
]

_HOMES = {
    "api": ("create_app",),
    "cache": ("CacheStats", "SearchCache"),
    "config": ("ConfigClient", "NodeConfig", "SearchConfig"),
    "database": ("DatabaseClient",),
    "dependencies": ("get_config_composer", "get_db_manager"),
    "engine": ("IterativeSearchEngine", "SearchResult", "StopReason"),
    "errors": (
        "CallerFullError",
        "ClosedError",
        "CollectionNotFoundError",
        "ConfigurationError",
        "DatabaseError",
        "DrainingError",
        "DuplicateExecutionError",
        "LLMError",
        "LLMTimeoutError",
        "ManagerFullError",
        "RagpoolError",
        "RetrievalError",
        "RetrievalTimeoutError",
        "StillRunningError",
        "UnknownExecutionError",
        "UnknownProviderError",
    ),
    "execution_record": ("ErrorRecord", "ExecutionRecord", "ExecutionStatus"),
    "executions": ("AsyncWorkflowExecutor",),
    "llm": ("LLMPool",),
    "manager": ("ManagerStats", "WorkflowExecutionManager"),
    "pool": ("PoolStats",),
    "providers": ("Provider",),
    "retrieval": ("Document", "RAGServiceClient", "RAGServicePool"),
    "vectordb_node": ("Pools", "execute_vectordb_node"),
    "workflow": ("NodeType", "Workflow", "WorkflowNode"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"ragpool.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
