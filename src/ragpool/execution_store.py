"""The executions that a manager holds, within two bounds: of those not over, and of those over."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ragpool.errors import (
    CallerFullError,
    ConfigurationError,
    DuplicateExecutionError,
    ManagerFullError,
)

if TYPE_CHECKING:
    from ragpool.executions import AsyncWorkflowExecutor


class ExecutionStore:
    """Executions by id, with the time of the last sign of life of each that is not over.

    It decides nothing about threads, locks or clocks: its manager holds the lock at every call.
    """

    def __init__(
        self, max_unfinished: int, max_history: int, max_unfinished_per_caller: int | None = None
    ) -> None:
        if max_unfinished < 1 or max_history < 1:
            raise ConfigurationError(
                "workflow manager",
                [f"max_unfinished is {max_unfinished}, max_history {max_history}; needs >= 1"],
            )
        self.executors: dict[str, AsyncWorkflowExecutor] = {}
        self.removed = 0
        self._max_unfinished = max_unfinished
        self._max_history = max_history
        self._max_per_caller = max_unfinished_per_caller or max_unfinished
        self._unfinished_of: Counter[str | None] = Counter()  # callers that have some
        self._timestamps: dict[str, float] = {}  # of the unfinished ones, in the order of arrival
        self._history: dict[str, None] = {}  # the finished ones, oldest first

    def add(self, executor: AsyncWorkflowExecutor, now_s: float) -> None:
        """Hold a new one; raises DuplicateExecutionError, ManagerFullError, CallerFullError."""
        if executor.execution_id in self.executors:
            raise DuplicateExecutionError(executor.execution_id)
        if len(self._timestamps) >= self._max_unfinished:
            raise ManagerFullError(len(self._timestamps))
        if self._unfinished_of[executor.caller] >= self._max_per_caller:
            raise CallerFullError(executor.caller, self._unfinished_of[executor.caller])
        self._unfinished_of[executor.caller] += 1
        self.executors[executor.execution_id] = executor
        self._timestamps[executor.execution_id] = now_s

    def note_end(self, execution_id: str) -> None:
        """Move one to the history, and forget the oldest there that are too many."""
        if self._timestamps.pop(execution_id, None) is None:
            return  # removed before it ended
        self._free_place_of(self.executors[execution_id].caller)
        self._history[execution_id] = None
        while len(self._history) > self._max_history:
            self.forget(next(iter(self._history)))

    def forget(self, execution_id: str) -> None:
        """Remove every trace of one."""
        executor = self.executors.pop(execution_id, None)
        if executor is not None:
            self.removed += 1
            if execution_id in self._timestamps:
                self._free_place_of(executor.caller)
        self._timestamps.pop(execution_id, None)
        self._history.pop(execution_id, None)

    def note_sign_of_life(self, execution_id: str, now_s: float) -> None:
        if execution_id in self._timestamps:
            self._timestamps[execution_id] = now_s

    def finished(self) -> list[str]:
        return list(self._history)

    def unfinished(self) -> list[AsyncWorkflowExecutor]:
        """Return those not over, in the order in which they came."""
        return [self.executors[execution_id] for execution_id in self._timestamps]

    def silent_since(self, moment_s: float) -> list[AsyncWorkflowExecutor]:
        """Return those not over whose last sign of life came before the moment."""
        return [
            self.executors[execution_id]
            for execution_id, sign_s in self._timestamps.items()
            if sign_s < moment_s
        ]

    def _free_place_of(self, caller: str | None) -> None:
        self._unfinished_of[caller] -= 1
        if not self._unfinished_of[caller]:
            del self._unfinished_of[caller]
