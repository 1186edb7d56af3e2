"""One question to a language model: asked whole, or read while it is answered."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from ragpool.errors import LLMError, LLMTimeoutError, RagpoolError
from ragpool.observing import step
from ragpool.progress import tell
from ragpool.run_context import current

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.runnables import Runnable

    Model = Runnable[LanguageModelInput, AIMessage]

_COUNTED = ("input_tokens", "output_tokens")


async def call(task: str, model: Model, system: str, user: str) -> AIMessage:
    """Return the whole reply; raises LLMError, LLMTimeoutError."""
    with _observed(task) as facts, _errors_of(task):
        reply = await model.ainvoke([SystemMessage(system), HumanMessage(user)])
        used = getattr(reply, "usage_metadata", None) or {}
        facts |= {name: used[name] for name in _COUNTED if name in used}
        return reply


async def read_aloud(task: str, model: Model, system: str, user: str) -> str:
    """Return the reply's text, and tell each piece of it when it comes."""
    pieces: list[str] = []
    with _observed(task), _errors_of(task):
        async for chunk in model.astream([SystemMessage(system), HumanMessage(user)]):
            if text := str(chunk.text):
                pieces.append(text)
                tell("answer", text=text)
    return "".join(pieces)


def _observed(task: str) -> contextlib.AbstractContextManager[dict[str, Any]]:
    return step("model call", f"chat {current().facts.get('model', '')}".strip(), task=task)


@contextlib.contextmanager
def _errors_of(task: str) -> Iterator[None]:
    try:
        yield
    except RagpoolError:
        raise
    except Exception as error:
        # by name: every vendor's library has a class of its own for it
        late = isinstance(error, TimeoutError) or "Timeout" in type(error).__name__
        kind = LLMTimeoutError if late else LLMError
        raise kind(task, f"{type(error).__name__}: {error}") from error
