"""What is known of an execution, as plain data: its record, its status, its error."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class ExecutionStatus(enum.StrEnum):
    """The life of an execution: pending, running, then one of the four ends.

    `INTERRUPTED` is the end of one whose process died: another found it, and says so.
    """

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    ERROR = "error"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def finished(self) -> bool:
        return self in _ENDS


_ENDS = frozenset(set(ExecutionStatus) - {ExecutionStatus.PENDING, ExecutionStatus.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRecord:
    """An error without its traceback, so that no frame and no client stays alive with it."""

    type: str
    message: str
    node: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """All that is known of an execution, as plain data; times are UTC."""

    execution_id: str
    query: str
    status: ExecutionStatus
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    results: Mapping[str, Any] = field(default_factory=dict)
    """The result of every node that finished, by the node's id."""
    error: ErrorRecord | None = None
    caller: str | None = None
    """Whose it is; None where nobody need say who they are."""
    attempt: int = 1
    request: Mapping[str, Any] | None = field(default=None, repr=False)
    """What another process needs to run it again, if it may; None as soon as it is over."""
