"""Every error that ragpool raises: one base, typed fields, the next step named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ragpool.masking import shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable


class RagpoolError(Exception):
    """The base of every error of this package."""


class ClosedError(RagpoolError):
    """Something was used after its `aclose()`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: closed; make a new one, or close it later")
        self.what = what


class ConfigurationError(RagpoolError, ValueError):
    """A configuration has an unknown key, or a value outside its range."""

    def __init__(self, what: str, problems: Iterable[str]) -> None:
        self.what = what
        self.problems = tuple(problems)
        super().__init__(f"{what}: {'; '.join(self.problems)}")


class UnknownProviderError(RagpoolError, ValueError):
    """A language model was asked of a provider that nobody registered."""

    def __init__(self, provider: str, known: Iterable[str]) -> None:
        self.provider = provider
        self.known = tuple(sorted(known))
        super().__init__(
            f"llm provider {provider!r}: unknown (known: {', '.join(self.known)}); "
            "use one of these, or register it with register_provider()"
        )


class RetrievalError(RagpoolError):
    """The retrieval service could not be reached, or answered with an error."""

    def __init__(self, url: str, problem: str, *, status: int | None = None) -> None:
        self.url = shown_url(url)
        """The service's address, without user info and query."""
        super().__init__(f"retrieval service {self.url}: {problem}")
        self.status = status


class CollectionNotFoundError(RetrievalError):
    """The retrieval service does not know the collection."""

    def __init__(self, url: str, collection: str) -> None:
        super().__init__(
            url, f"collection {collection!r} not found (404); check its name", status=404
        )
        self.collection = collection


class RetrievalTimeoutError(RetrievalError):
    """The retrieval service did not answer in time, on any attempt."""


class LLMError(RagpoolError):
    """A call to a language model failed."""

    def __init__(self, task: str, problem: str) -> None:
        super().__init__(f"llm call for {task}: {problem}")
        self.task = task


class LLMTimeoutError(LLMError):
    """A language model did not answer in time."""


class ManagerFullError(RagpoolError):
    """The manager has as many unfinished executions as it may hold."""

    def __init__(self, unfinished: int) -> None:
        super().__init__(
            f"workflow manager: {unfinished} executions pending or running; "
            "wait for some to finish, or raise max_unfinished"
        )
        self.unfinished = unfinished


class CallerFullError(ManagerFullError):
    """One caller has as many unfinished executions as one caller may have."""

    def __init__(self, caller: str | None, unfinished: int) -> None:
        super().__init__(unfinished)
        who = "an unnamed caller" if caller is None else f"caller {caller!r}"
        reason = f"{who}: {unfinished} executions pending or running; wait for some to finish"
        self.args = (f"{reason}, or raise max_unfinished_per_caller",)
        self.caller = caller


class DrainingError(RagpoolError):
    """The service is about to end, and takes nothing new."""

    def __init__(self) -> None:
        super().__init__("service: it ends, and takes no new executions; ask another replica")


class DuplicateExecutionError(RagpoolError, ValueError):
    """An execution with this id is registered already."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"execution {execution_id!r}: exists already; choose another id")
        self.execution_id = execution_id


class UnknownExecutionError(RagpoolError, LookupError):
    """No execution has this id: it never existed, or was removed."""

    def __init__(self, execution_id: str) -> None:
        super().__init__(f"execution {execution_id!r}: unknown, or already removed")
        self.execution_id = execution_id


class StillRunningError(RagpoolError):
    """A cancelled execution has not ended yet."""

    def __init__(self, execution_id: str, waited_s: float) -> None:
        super().__init__(
            f"execution {execution_id!r}: cancelled, but still running after {waited_s} s;"
            " try again later"
        )
        self.execution_id = execution_id


class DatabaseError(RagpoolError):
    """The database refused or failed."""

    def __init__(self, action: str, problem: str) -> None:
        super().__init__(f"database: {action}: {problem}")
        self.action = action
