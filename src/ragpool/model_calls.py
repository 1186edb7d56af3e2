"""One question to a language model: asked whole, or read while it is answered."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from ragpool.errors import LLMError, LLMTimeoutError, RagpoolError
from ragpool.progress import tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from langchain_core.language_models import LanguageModelInput
    from langchain_core.runnables import Runnable

    Model = Runnable[LanguageModelInput, AIMessage]


async def call(task: str, model: Model, system: str, user: str) -> AIMessage:
    """Return the whole reply; raises LLMError, LLMTimeoutError."""
    with _errors_of(task):
        return await model.ainvoke([SystemMessage(system), HumanMessage(user)])


async def read_aloud(task: str, model: Model, system: str, user: str) -> str:
    """Return the reply's text, and tell each piece of it when it comes."""
    pieces: list[str] = []
    with _errors_of(task):
        async for chunk in model.astream([SystemMessage(system), HumanMessage(user)]):
            if text := str(chunk.text):
                pieces.append(text)
                tell("answer", text=text)
    return "".join(pieces)


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
