"""What a workflow is: nodes that run one after another, each able to use the answers before it."""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping
from datetime import datetime
from string import Template
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, Field, StringConstraints

from ragpool.config import Checked, NodeConfig
from ragpool.errors import ConfigurationError
from ragpool.vectordb_node import execute_vectordb_node

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ragpool.vectordb_node import Pools

MAX_NODES = 50
INPUT = "input"
_DEEPEST = 20


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """How to check the configuration of one kind of node, and how to run it."""

    run: Callable[[Mapping[str, Any], str, Pools], Coroutine[Any, Any, Any]]
    check: Callable[[Mapping[str, Any], Pools], None] = lambda config, pools: None


class WorkflowNode(Checked):
    """One step. `query` may refer to `$input` and, by `$id`, to the answer of an earlier node."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    type: str = "vectordb"
    config: dict[str, Any] = Field(default_factory=dict, repr=False)  # it may hold a key
    query: str = f"${INPUT}"


class Workflow(Checked):
    """A list of nodes, checked as a whole."""

    nodes: tuple[WorkflowNode, ...] = Field(min_length=1, max_length=MAX_NODES)

    @classmethod
    def of(cls, *nodes: Mapping[str, Any]) -> Self:
        """Make a workflow of nodes given as mappings; raises ConfigurationError."""
        return cls(nodes=tuple(_node(number, node) for number, node in enumerate(nodes)))

    @classmethod
    def single(cls, node_config: Mapping[str, Any]) -> Self:
        """Make a workflow of one vector database node."""
        return cls.of({"id": "search", "config": dict(node_config)})

    def check(self, node_types: Mapping[str, NodeType], pools: Pools) -> None:
        """Raise ConfigurationError or UnknownProviderError where a run would fail for sure."""
        known = {INPUT}
        for node in self.nodes:
            if node.type not in node_types:
                names = ", ".join(sorted(node_types))
                raise ConfigurationError(
                    f"node {node.id!r}", [f"type {node.type!r} is unknown (known: {names})"]
                )
            if node.id in known:
                raise ConfigurationError(f"node {node.id!r}", ["the id is taken; choose another"])
            template = Template(node.query)
            if not template.is_valid():
                raise ConfigurationError(f"node {node.id!r}", ["query: write $$ for a plain $"])
            if missing := set(template.get_identifiers()) - known:
                names = ", ".join(sorted(missing))
                raise ConfigurationError(
                    f"node {node.id!r}", [f"query refers to {names}; no earlier node has that id"]
                )
            node_types[node.type].check(node.config, pools)
            known.add(node.id)


def plain(value: Any, depth: int = 0) -> Any:
    """Reduce a node's result to JSON types, so that it keeps no client, frame or model alive."""
    if isinstance(value, enum.Enum):
        return plain(value.value, depth)
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if depth >= _DEEPEST:
        return f"<{type(value).__name__}, nested deeper than {_DEEPEST}>"
    if isinstance(value, BaseModel):
        return plain(value.model_dump(), depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plain(getattr(value, name), depth + 1) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth + 1) for item in value]
    return f"<{type(value).__name__}>"


def storable(text: str) -> str:
    """Replace what neither UTF-8 nor a database can hold: lone surrogates, and NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode(errors="replace").decode()
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def answer_of(result: Any) -> str:
    """Return what a later node's query gets for `$id`."""
    if isinstance(result, dict) and "answer" in result:
        return str(result["answer"] or "")
    return result if isinstance(result, str) else str(result)


def _node(number: int, values: Mapping[str, Any]) -> WorkflowNode:
    try:
        return WorkflowNode(**values)
    except ConfigurationError as error:
        raise ConfigurationError(f"nodes[{number}]", error.problems) from None


async def _run_vectordb(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    return await execute_vectordb_node(config, query, pools=pools)


def _check_vectordb(config: Mapping[str, Any], pools: Pools) -> None:
    node = NodeConfig.from_mapping(config)
    pools.llm.check(node.llm_provider, node.llm_base_url, own_key=node.llm_api_key is not None)
    pools.retrieval.check(node.rag_base_url)


NODE_TYPES: Mapping[str, NodeType] = {
    "vectordb": NodeType(run=_run_vectordb, check=_check_vectordb)
}
