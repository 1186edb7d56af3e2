"""One execution: its states, its cancellation, its record, and what it keeps alive."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import (
    AsyncWorkflowExecutor,
    ConfigurationError,
    ExecutionRecord,
    ExecutionStatus,
    LLMPool,
    NodeType,
    Pools,
    UnknownProviderError,
    Workflow,
)
from ragpool.workflow import NODE_TYPES, plain

if TYPE_CHECKING:
    from collections.abc import Mapping


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Client:
    """Something heavy that a record must never keep."""


async def echo(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    return {"answer": query, "client": Client()}


async def fail(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    client = Client()
    config["seen"].append(weakref.ref(client))
    raise LookupError(f"cannot do {query}")


async def hang(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    client = Client()
    config["seen"].append(weakref.ref(client))
    await asyncio.Event().wait()


async def leave(config: Mapping[str, Any], query: str, pools: Pools) -> Any:
    raise SystemExit(3)


TYPES = {
    "echo": NodeType(run=echo),
    "fail": NodeType(run=fail),
    "hang": NodeType(run=hang),
    "leave": NodeType(run=leave),
}


def executor(*nodes: Mapping[str, Any], pools: Pools, **options: Any) -> AsyncWorkflowExecutor:
    workflow = Workflow.of(*nodes)
    return AsyncWorkflowExecutor("e", workflow, "input", pools=pools, node_types=TYPES, **options)


def test_a_workflow_hands_answers_from_node_to_node(pools: Pools) -> None:
    records: list[ExecutionRecord] = []
    times = [NOON + timedelta(seconds=seconds) for seconds in (0, 1, 2.5)]
    run = executor(
        {"id": "first", "type": "echo", "query": "<$input>"},
        {"id": "second", "type": "echo", "query": "$input and $first, $$5"},
        pools=pools,
        on_change=records.append,
        now=iter(times).__next__,
    )
    assert run.get_execution_status()["status"] == "pending"
    record = asyncio.run(run.run())
    assert record.status is ExecutionStatus.COMPLETED
    assert record.results["second"] == {"answer": "input and <input>, $5", "client": "<Client>"}
    assert [r.status for r in records] == ["running", "completed"]
    assert [record.created_at, record.started_at, record.finished_at] == times


def test_an_error_is_kept_without_its_frames(pools: Pools) -> None:
    seen: list[Any] = []
    run = executor({"id": "bad", "type": "fail", "config": {"seen": seen}}, pools=pools)
    record = asyncio.run(run.run())
    gc.collect()
    assert record.status is ExecutionStatus.ERROR
    assert record.error is not None
    assert (record.error.type, record.error.message, record.error.node) == (
        "LookupError",
        "cannot do input",
        "bad",
    )
    assert [reference() for reference in seen] == [None]


def test_what_finished_before_an_error_is_kept(pools: Pools) -> None:
    run = executor(
        {"id": "good", "type": "echo"},
        {"id": "bad", "type": "fail", "config": {"seen": []}},
        pools=pools,
    )
    assert list(asyncio.run(run.run()).results) == ["good"]


def test_a_node_that_exits_is_an_error_and_not_the_end_of_the_process(pools: Pools) -> None:
    record = asyncio.run(executor({"id": "bad", "type": "leave"}, pools=pools).run())
    assert record.error is not None
    assert record.error.message == "node 'bad': tried to end the process"


def test_a_running_execution_is_cancelled_from_another_thread(pools: Pools) -> None:
    seen: list[Any] = []
    running = threading.Event()
    run = executor(
        {"id": "slow", "type": "hang", "config": {"seen": seen}},
        pools=pools,
        on_change=lambda record: running.set(),
    )
    thread = threading.Thread(target=lambda: asyncio.run(run.run()))
    thread.start()
    assert running.wait(10)
    assert run.cancel()
    assert run.wait(10).status is ExecutionStatus.CANCELLED
    thread.join()
    gc.collect()
    assert all(reference() is None for reference in seen)
    assert not run.cancel()


def test_a_cancelled_execution_does_not_cancel_its_caller(pools: Pools) -> None:
    async def caller() -> str:
        run = executor({"id": "slow", "type": "hang", "config": {"seen": []}}, pools=pools)
        task = asyncio.create_task(run.run())
        await asyncio.sleep(0)
        run.cancel()
        return (await task).status

    assert asyncio.run(caller()) == "cancelled"


def test_a_cancelled_caller_cancels_its_execution(pools: Pools) -> None:
    run = executor({"id": "slow", "type": "hang", "config": {"seen": []}}, pools=pools)

    async def caller() -> None:
        async with asyncio.timeout(0.01):
            await run.run()

    with pytest.raises(TimeoutError):
        asyncio.run(caller())
    assert run.status is ExecutionStatus.CANCELLED


def test_a_pending_execution_that_is_cancelled_never_runs(pools: Pools) -> None:
    run = executor({"id": "a", "type": "echo"}, pools=pools)
    assert run.cancel()
    record = asyncio.run(run.run())
    assert (record.status, record.results) == (ExecutionStatus.CANCELLED, {})


def test_an_execution_runs_once(pools: Pools) -> None:
    run = executor({"id": "a", "type": "echo"}, pools=pools)
    assert asyncio.run(run.run()).finished_at == asyncio.run(run.run()).finished_at


def test_it_is_finished_when_its_end_was_told_and_not_before(pools: Pools) -> None:
    ending, told = threading.Event(), threading.Event()

    def on_change(record: ExecutionRecord) -> None:
        if record.status.finished:
            ending.set()
            told.wait(30)

    run = executor({"id": "a", "type": "echo"}, pools=pools, on_change=on_change)
    worker = threading.Thread(target=lambda: asyncio.run(run.run()))

    async def wait() -> ExecutionRecord:
        worker.start()
        await asyncio.to_thread(ending.wait, 30)
        assert run.status.finished
        finished = asyncio.ensure_future(run.finished())
        for _ in range(5):
            await asyncio.sleep(0)
        assert not finished.done()
        told.set()
        return await finished

    assert asyncio.run(wait()).status is ExecutionStatus.COMPLETED
    worker.join()


def test_a_cancelled_wait_leaves_nothing_behind(pools: Pools) -> None:
    run = executor({"id": "a", "type": "echo"}, pools=pools)

    async def waiter() -> weakref.ref[asyncio.AbstractEventLoop]:
        for _ in range(20):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(run.finished(), 0.001)
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(waiter())
    gc.collect()
    assert loop() is None  # which every waiter knows
    assert run.status is ExecutionStatus.PENDING


def test_a_finished_execution_keeps_its_record_alone(pools: Pools) -> None:
    class Listener:
        def __call__(self, record: ExecutionRecord) -> None:
            """Hear of nothing."""

    listener, types = Listener(), dict(TYPES)
    workflow = Workflow.of({"id": "a", "type": "echo"})
    own = Pools(llm=LLMPool(), retrieval=pools.retrieval, cache=pools.cache)
    parts = [weakref.ref(part) for part in (listener, workflow, own.llm)]
    run = AsyncWorkflowExecutor(
        "e", workflow, "input", pools=own, node_types=types, on_change=listener
    )
    asyncio.run(run.run())
    del listener, workflow, own
    gc.collect()
    assert [part() for part in parts] == [None, None, None]
    assert run.record().results["a"]["answer"] == "input"


def test_a_failing_listener_does_not_stop_the_workflow(
    pools: Pools, caplog: pytest.LogCaptureFixture
) -> None:
    def listener(record: ExecutionRecord) -> None:
        raise ValueError("deaf")

    run = executor({"id": "a", "type": "echo"}, pools=pools, on_change=listener)
    assert asyncio.run(run.run()).status is ExecutionStatus.COMPLETED
    assert "on_change failed" in caplog.text


@pytest.mark.parametrize(
    ("nodes", "problem"),
    [
        ([], "nodes: "),
        ([{"id": "a b"}], r"nodes\[0\]: id: "),
        ([{"id": "a", "typo": 1}], r"nodes\[0\]: unknown key 'typo'"),
        ([{"id": "a", "type": "nothing"}], "type 'nothing' is unknown .known: echo, fail"),
        ([{"id": "a", "type": "echo"}, {"id": "a", "type": "echo"}], "the id is taken"),
        ([{"id": "input", "type": "echo"}], "the id is taken"),
        ([{"id": "a", "type": "echo", "query": "$b"}], "no earlier node has that id"),
        ([{"id": "a", "type": "echo", "query": "5 $"}], r"write \$\$"),
    ],
)
def test_a_workflow_that_cannot_run_is_refused(
    pools: Pools, nodes: list[Any], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        executor(*nodes, pools=pools)


def test_a_search_node_is_checked_before_it_runs(pools: Pools) -> None:
    def check(**config: Any) -> None:
        Workflow.single(config).check(NODE_TYPES, pools)

    check(llm_model="m")
    with pytest.raises(ConfigurationError, match="unknown key 'top'"):
        check(llm_model="m", top=1)
    with pytest.raises(UnknownProviderError):
        check(llm_model="m", llm_provider="nobody")


def test_results_are_reduced_to_plain_data() -> None:
    @dataclass
    class Thing:
        name: str
        parts: tuple[Any, ...]

    loop: list[Any] = []
    loop.append(loop)
    assert plain(Thing(name="a\0\ud800", parts=(1, float("nan"), Client()))) == {
        "name": "a\N{REPLACEMENT CHARACTER}?",
        "parts": [1, None, "<Client>"],
    }
    assert "nested deeper" in str(plain(loop))
