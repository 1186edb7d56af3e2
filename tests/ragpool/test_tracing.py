"""Spans: one tree for each execution, no secret in it, and nothing where nobody traces."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import ragpool
from ragpool import tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.trace import ReadableSpan

    from bench.stub_server import StubServer
    from ragpool import ExecutionRecord, Pools

PLANTED = "sk-planted-secret"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)
    provider.shutdown()


def executed(pools: Pools, config: dict[str, Any], query: str = "why") -> ExecutionRecord:
    async def run() -> ExecutionRecord:
        workflow = ragpool.Workflow.single(config)
        async with ragpool.WorkflowExecutionManager(1, pools=pools) as manager:
            executor = manager.create_executor("e1", workflow, query, caller="alice")
            manager.start("e1")
            record = await executor.finished()
        await pools.aclose()
        return record

    return asyncio.run(run())


def told(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_an_execution_is_a_span_and_its_retrievals_and_model_calls_are_its_children(
    pools: Pools, node_config: dict[str, Any], spans: InMemorySpanExporter
) -> None:
    assert executed(pools, node_config).status == "completed"
    *children, root = spans.get_finished_spans()
    assert root.name == "ragpool.execution"
    assert root.parent is None
    assert told(root) == {
        "ragpool.execution_id": "e1",
        "ragpool.caller": "alice",
        "ragpool.attempt": 1,
    }
    assert {span.parent.span_id for span in children if span.parent} == {root.context.span_id}
    assert [span.name for span in children] == [
        *("ragpool.retrieval", "chat gpt-4o-mini") * 2,
        "chat gpt-4o-mini",
    ]
    retrieval, call = map(told, children[:2])
    assert retrieval["server.address"] == "127.0.0.1"
    assert retrieval["ragpool.documents"] > 0
    assert "gen_ai.request.model" not in retrieval
    assert call["gen_ai.provider.name"] == "openai"
    assert call["ragpool.task"] == "relevance judgement"
    assert call["gen_ai.usage.input_tokens"] > 0
    assert call["ragpool.node"] == "search"


def test_a_failure_has_its_type_and_neither_its_text_nor_a_secret(
    pools: Pools, node_config: dict[str, Any], spans: InMemorySpanExporter, server: StubServer
) -> None:
    server.control(route="/v1", status=400)
    planted = node_config | {
        "llm_api_key": PLANTED,
        "llm_model": f"model-{PLANTED}",  # what a name should never be
        "rag_base_url": server.rag_url.replace("//", f"//user:{PLANTED}@"),
    }
    assert executed(pools, planted, f"ask {PLANTED}").status == "error"
    found = spans.get_finished_spans()
    assert [span.status.is_ok for span in found] == [True, False, False]
    assert told(found[-1])["error.type"] == "LLMError"
    assert "model-***" in str(told(found[1]))
    assert PLANTED not in "".join(span.to_json() for span in found)
    assert not any(span.events for span in found)  # an event would carry the traceback


def test_the_span_of_who_asks_is_the_parent_on_whichever_thread_it_runs(
    pools: Pools, node_config: dict[str, Any], spans: InMemorySpanExporter
) -> None:
    from opentelemetry.trace import get_tracer

    with get_tracer("test", tracer_provider=tracing._chosen).start_as_current_span("request"):
        executed(pools, node_config)
    *_, root, request = spans.get_finished_spans()
    assert (root.name, request.name) == ("ragpool.execution", "request")
    assert root.parent is not None
    assert root.parent.span_id == request.context.span_id


def test_a_process_that_does_not_trace_neither_needs_nor_loads_opentelemetry() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None  # as where it is not installed
from ragpool import observing, tracing
with observing.step("model call", "chat") as facts:
    facts["documents"] = 1
assert tracing.here() is None
print([name for name in sys.modules if name.startswith("opentelemetry.")])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"
