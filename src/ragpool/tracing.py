"""Spans of OpenTelemetry, where the program has it; nothing at all where it has not.

ragpool never imports OpenTelemetry: a program that traces has imported it, and one that has not has
nobody who would read a span. So the extra `otel` is for whoever wants to be sure of a release.

A span has names, numbers and types of errors. It never has a query, a document, an answer, or the
text of an error, and every known secret in a name is replaced by `***`.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from ragpool.masking import known_secrets, scrub
from ragpool.run_context import current

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMES = {
    # OpenTelemetry's own names, where it has one
    "error": "error.type",
    "host": "server.address",
    "input_tokens": "gen_ai.usage.input_tokens",
    "model": "gen_ai.request.model",
    "output_tokens": "gen_ai.usage.output_tokens",
    "provider": "gen_ai.provider.name",
}

_NO_SPAN = contextlib.nullcontext()
_chosen: Any = None


def use(provider: Any) -> None:
    """Have spans go to this tracer provider, and not to the process's; None: to that again."""
    global _chosen
    _chosen = provider


def here() -> Any:
    """Return what a span on another thread needs to become a child of the one that runs here."""
    trace = _installed()
    if trace is None or not trace.get_current_span().get_span_context().is_valid:
        return None
    return sys.modules["opentelemetry.context"].get_current()


def span(
    name: str, facts: Mapping[str, Any], parent: Any = None
) -> contextlib.AbstractContextManager[None]:
    """Open a span for the block; its attributes are the facts, as they stand at the end."""
    trace = _installed()
    if trace is None or (_chosen is None and _nobody_reads(trace)):
        return _NO_SPAN
    return _opened(name, facts, parent, trace)


def _nobody_reads(trace: Any) -> bool:
    """Say whether the process has no provider yet: libraries load OpenTelemetry for themselves."""
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


@contextlib.contextmanager
def _opened(name: str, facts: Mapping[str, Any], parent: Any, trace: Any) -> Iterator[None]:
    tracer = trace.get_tracer("ragpool", tracer_provider=_chosen)
    opened = tracer.start_as_current_span(
        name,
        context=parent,
        record_exception=False,  # its text and its traceback would tell too much
        set_status_on_exception=False,
    )
    with opened as one:
        try:
            yield
        finally:
            if one.is_recording():
                _describe(one, facts, trace)


def _describe(one: Any, facts: Mapping[str, Any], trace: Any) -> None:
    context = current()
    secrets = {*context.secrets(), *known_secrets({})}
    for key, value in {**context.facts, **facts}.items():
        if value is not None:
            shown = scrub(value, secrets) if isinstance(value, str) else value
            one.set_attribute(_NAMES.get(key, f"ragpool.{key}"), shown)
    one.update_name(scrub(one.name, secrets))
    if facts.get("error") not in (None, "CancelledError"):
        one.set_status(trace.Status(trace.StatusCode.ERROR))


def _installed() -> Any:
    """Return OpenTelemetry's module if this process has loaded all of it."""
    trace = sys.modules.get("opentelemetry.trace")
    return trace if hasattr(trace, "get_tracer") else None
