"""Whose work a task does: what log lines and spans say without being told each time."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


def _none() -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Whose execution runs here, in which node, with whose model; and what must not be told."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    secrets: Callable[[], Iterable[str]] = field(default=_none, repr=False)
    """Read when a line is written: keys rotate."""


_NOBODYS = RunContext()
_CURRENT: ContextVar[RunContext] = ContextVar("ragpool_run_context", default=_NOBODYS)


def current() -> RunContext:
    return _CURRENT.get()


@contextlib.contextmanager
def within(secrets: Callable[[], Iterable[str]] | None = None, **facts: Any) -> Iterator[None]:
    """Add facts, for this block and the tasks that it starts; those that are None are left out."""
    outside = _CURRENT.get()
    known = {name: value for name, value in facts.items() if value is not None}
    inside = RunContext(facts={**outside.facts, **known}, secrets=secrets or outside.secrets)
    token = _CURRENT.set(inside)
    try:
        yield
    finally:
        _CURRENT.reset(token)
