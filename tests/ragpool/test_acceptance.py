"""The runtime under load, against the stub: what a production batch does to it, scaled down."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psutil
import pytest

import ragpool
from ragpool import (
    DatabaseClient,
    ExecutionStatus,
    Pools,
    Workflow,
    WorkflowExecutionManager,
    execute_vectordb_node,
)
from ragpool.recorder import ExecutionRecorder
from tests.ragpool.conftest import left_open
from tests.ragpool.retained import live_bytes
from tests.waiting import reached, settled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.stub_server import StubServer

WORKERS = 10
BACKENDS = 2  # language model and retrieval: the stub counts both


def resources() -> tuple[int, int]:
    gc.collect()
    return psutil.Process().num_fds(), threading.active_count()


def gained(before: tuple[int, int]) -> tuple[int, int]:
    """Return how many descriptors and threads there are more than before; some end later."""

    def read() -> tuple[int, int]:
        descriptors, threads = resources()
        return max(descriptors - before[0], 0), max(threads - before[1], 0)

    return settled(read, (0, 0))


@pytest.fixture
def manager(pools: Pools) -> Iterator[WorkflowExecutionManager]:
    manager = WorkflowExecutionManager(WORKERS, pools=pools)
    yield manager
    manager.close()


def test_a_batch_on_worker_threads_has_no_errors_and_bounded_connections(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    before = resources()
    manager = WorkflowExecutionManager(WORKERS, pools=pools)
    workflow = Workflow.single(node_config)
    executors = [manager.submit(workflow, f"query {number}") for number in range(200)]
    assert Counter(one.wait(60).status for one in executors) == {ExecutionStatus.COMPLETED: 200}
    stats = server.stats()
    assert stats["connections_opened"] <= BACKENDS * WORKERS
    assert stats["connections_peak"] <= BACKENDS * WORKERS
    manager.close()
    assert left_open(server) == 0
    assert gained(before) == (0, 0)


def test_one_execution_at_a_time_opens_two_connections_a_backend_at_most(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    with_one = WorkflowExecutionManager(1, pools=pools)
    workflow = Workflow.single(node_config)
    for number in range(40):
        assert with_one.submit(workflow, f"query {number}").wait(60).error is None
    with_one.close()
    assert server.stats()["connections_opened"] <= BACKENDS


def test_asyncio_run_in_foreign_threads_never_fails(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    before = resources()

    def batch(thread: int) -> list[str | None]:
        return [
            asyncio.run(execute_vectordb_node(node_config, f"{thread}/{n}", pools=pools)).answer
            for n in range(8)
        ]

    with ThreadPoolExecutor(10) as threads:
        answers = [
            answer for batch_answers in threads.map(batch, range(10)) for answer in batch_answers
        ]
    assert len(answers) == 80
    assert all(answers)
    assert (pools.llm.stats().open, pools.retrieval.stats().open) == (0, 0)
    assert left_open(server) == 0
    assert gained(before) == (0, 0)


def test_many_executions_on_the_callers_own_loop_share_its_clients(
    server: StubServer, node_config: dict[str, Any], pools: Pools
) -> None:
    async def batch() -> int:
        calls = (execute_vectordb_node(node_config, f"q{n}", pools=pools) for n in range(30))
        answers = [result.answer for result in await asyncio.gather(*calls)]
        assert len(asyncio.all_tasks()) == 1
        return len(answers)

    assert asyncio.run(batch()) == 30
    assert pools.llm.stats().created == 2
    assert server.stats()["connections_peak"] <= 30 * BACKENDS
    assert left_open(server) == 0


def test_a_thousand_endpoints_stay_within_the_bound_and_break_no_call(
    server: StubServer,
) -> None:
    pool = ragpool.LLMPool(max_models=8)
    live: list[int] = []

    def model(number: int) -> Any:
        # the same server under a thousand names: the user in the address differs
        url = server.openai_url.replace("://", f"://user{number}@")
        return pool.get_llm("openai", "m", url, api_key="key")

    def only_eight_are_open() -> bool:
        # what a collection lets go closes on the loop, some turns later
        gc.collect()
        return pool.stats().open <= 8

    async def use() -> list[Any]:
        calls: list[asyncio.Task[Any]] = []
        for number in range(1000):
            if number % 50 == 0:
                calls.append(asyncio.create_task(model(number).ainvoke("hello")))
            else:
                model(number)
            await asyncio.sleep(0)
            if number in (199, 599, 999):
                await asyncio.gather(*calls)
                await reached(only_eight_are_open)
                live.append(live_bytes())
        return [(await call).text for call in calls]

    texts = asyncio.run(use())
    assert len(texts) == 20
    assert all(texts)
    assert pool.stats().evicted == 992
    assert pool.stats().open == 0
    assert left_open(server) == 0
    # a client with a TLS context of its own would cost 845,000 bytes, one that is kept 2,000
    assert abs(live[2] - live[1]) < 100_000


async def _cancel_while_running(executors: list[ragpool.AsyncWorkflowExecutor]) -> None:
    waiting = list(executors)
    while waiting:
        for executor in [one for one in waiting if one.status is not ExecutionStatus.PENDING]:
            executor.cancel()
            waiting.remove(executor)
        await asyncio.sleep(0.001)


def _forgotten() -> bool:
    """Say whether no execution is left; the workers let go of their last a moment later."""
    gc.collect()
    return not any(isinstance(one, ragpool.AsyncWorkflowExecutor) for one in gc.get_objects())


def test_a_third_fails_a_third_is_cancelled_and_every_row_is_right(
    server: StubServer, node_config: dict[str, Any], pools: Pools, tmp_path: Path
) -> None:
    server.control(route="/rag", delay_s=0.02)
    server.control(route="/v1/messages", hang=True)  # so that these end by being cancelled alone
    good = Workflow.single(node_config | {"max_rounds": 1})
    bad = Workflow.single(node_config | {"collections": ("missing-one",)})
    endless = Workflow.single(
        node_config | {"llm_provider": "anthropic", "llm_base_url": server.url}
    )
    kinds = (good, bad, endless)

    async def batch() -> dict[str, str]:
        database = DatabaseClient(f"sqlite+aiosqlite:///{tmp_path}/batch.db")
        recorder = ExecutionRecorder(database)
        async with WorkflowExecutionManager(
            WORKERS, pools=pools, on_change=recorder.put
        ) as manager:
            executors = [
                manager.submit(kinds[n % 3], f"query {n}", f"{n % 3}-{n}") for n in range(150)
            ]
            await _cancel_while_running(executors[2::3])
            for executor in executors:
                await executor.finished()
            del executor, executors
            assert manager.cleanup_completed_executions() == 150
            await reached(_forgotten)
        await recorder.aclose()
        rows = await database.list(limit=1000)
        await database.aclose()
        errors = {row.error.type for row in rows if row.error is not None}
        assert errors == {"CollectionNotFoundError"}
        return {row.execution_id: row.status.value for row in rows}

    rows = asyncio.run(batch())
    expected = {"0": "completed", "1": "error", "2": "cancelled"}
    assert rows == {f"{n % 3}-{n}": expected[str(n % 3)] for n in range(150)}
    assert left_open(server) == 0


def test_a_killed_server_gives_clear_errors_and_a_restarted_one_recovers(
    server: StubServer, node_config: dict[str, Any], pools: Pools, manager: WorkflowExecutionManager
) -> None:
    workflow = Workflow.single(node_config)
    done = [manager.submit(workflow, f"before {n}") for n in range(20)]
    assert {one.wait(60).status for one in done} == {"completed"}
    server.control(route="/rag", hang=True)  # so that the kill finds all of them at work
    caught = [manager.submit(workflow, f"during {n}") for n in range(20)]
    server.kill()
    lost = [one.wait(60) for one in caught]
    server.start()
    after = [manager.submit(workflow, f"after {n}") for n in range(20)]
    assert {one.wait(60).status for one in after} == {"completed"}
    failed = [record.error for record in lost if record.error is not None]
    assert failed
    assert {error.type for error in failed} <= {"RetrievalError", "LLMError"}
    assert all("running?" in e.message or "Connection" in e.message for e in failed)
    assert {record.status for record in lost} <= {"completed", "error"}
    assert {one.status for one in done} == {"completed"}


def retained(server: StubServer, *arguments: str) -> float:
    """Measure bytes per execution in a process whose every byte glibc counts."""
    environment = os.environ | {
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    }
    command = [sys.executable, "-m", "tests.ragpool.retained", server.url, *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, check=True, timeout=600)
    return float(json.loads(result.stdout)["bytes_per_execution"])


def test_an_execution_retains_nothing_however_it_ends(server: StubServer) -> None:
    assert retained(server, "800", "300", "clean") < 32


def test_the_measurement_of_retained_bytes_sees_a_kept_execution(server: StubServer) -> None:
    assert retained(server, "100", "100", "leak") > 500
