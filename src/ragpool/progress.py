"""What a workflow tells while it runs: the rounds of a search, pieces of its answer, ends of nodes.

A node type tells by `tell("kind", …)`, wherever it runs; an execution that nobody follows tells
nobody. Each word is a sign of life too: the limit of a silent execution counts from the last one.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One thing that happened in a node; `answer` has a piece of text, every other kind none."""

    kind: str
    node: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Listener:
    hear: Callable[[Progress], None]
    node: str
    pieces: bool


_LISTENER: ContextVar[_Listener | None] = ContextVar("ragpool_listener", default=None)


def listen(hear: Callable[[Progress], None] | None, node: str, *, pieces: bool) -> None:
    """Have what this task tells from now on, as this node, go to `hear`.

    `pieces` asks for answers while they are written.
    """
    _LISTENER.set(None if hear is None else _Listener(hear, node, pieces))


def tell(kind: str, **data: Any) -> None:
    """Say that something happened: any thread or task that has the node's context may."""
    listener = _LISTENER.get()
    if listener is not None:
        listener.hear(Progress(kind=kind, node=listener.node, data=data))


def wants_pieces() -> bool:
    """Say whether somebody reads an answer while it is written."""
    listener = _LISTENER.get()
    return listener is not None and listener.pieces
