"""The manager and its worker threads: bounds, ages, cancellation, shutdown."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from ragpool import (
    ClosedError,
    ConfigurationError,
    DuplicateExecutionError,
    ExecutionStatus,
    ManagerFullError,
    NodeType,
    Pools,
    UnknownExecutionError,
    Workflow,
    WorkflowExecutionManager,
)
from ragpool.loop_threads import LoopThreads
from tests.waiting import settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.ragpool.conftest import FakeClock


async def quick(config: Mapping[str, Any], query: str, pools: Pools) -> str:
    return threading.current_thread().name


async def hang(config: Mapping[str, Any], query: str, pools: Pools) -> None:
    await asyncio.Event().wait()


async def block(config: Mapping[str, Any], query: str, pools: Pools) -> None:
    gate: threading.Event = config["gate"]
    gate.wait(10)


async def loop_of(config: Mapping[str, Any], query: str, pools: Pools) -> int:
    return id(asyncio.get_running_loop())


TYPES = {
    name: NodeType(run=run)
    for name, run in {"quick": quick, "hang": hang, "block": block, "loop": loop_of}.items()
}

Make = "Callable[..., WorkflowExecutionManager]"


def node(kind: str, **config: Any) -> Workflow:
    return Workflow.of({"id": "a", "type": kind, "config": config})


@pytest.fixture
def make(pools: Pools, clock: FakeClock) -> Iterator[Callable[..., WorkflowExecutionManager]]:
    made: list[WorkflowExecutionManager] = []

    def build(workers: int = 2, **options: Any) -> WorkflowExecutionManager:
        manager = WorkflowExecutionManager(
            workers, pools=pools, node_types=TYPES, clock=clock, **options
        )
        made.append(manager)
        return manager

    yield build
    for manager in made:
        manager.close()


def until_running(manager: WorkflowExecutionManager, kind: str, execution_id: str) -> Any:
    executor = manager.submit(node(kind), "q", execution_id)
    assert settled(lambda: executor.status, ExecutionStatus.RUNNING) is ExecutionStatus.RUNNING
    return executor


def test_workflows_run_on_named_worker_threads_at_most_so_many(make: Any) -> None:
    manager = make(3)
    executors = [manager.submit(node("quick"), "q") for _ in range(30)]
    names = {executor.wait(10).results["a"] for executor in executors}
    assert names <= {f"workflow-executor_{number}" for number in range(3)}
    assert manager.stats().worker_threads <= 3


def test_a_worker_keeps_one_loop_for_all_its_executions(make: Any) -> None:
    manager = make(1)
    loops = {manager.submit(node("loop"), "q").wait(10).results["a"] for _ in range(5)}
    assert len(loops) == 1


def test_execute_waits_from_async_code_without_blocking_the_loop(make: Any) -> None:
    manager = make(4)

    async def many() -> set[str]:
        records = await asyncio.gather(*(manager.execute(node("quick"), "q") for _ in range(20)))
        return {record.status for record in records}

    assert asyncio.run(many()) == {"completed"}


def test_a_cancelled_execute_cancels_the_execution(make: Any) -> None:
    manager = make()

    async def caller() -> None:
        async with asyncio.timeout(0.05):
            await manager.execute(node("hang"), "q", "e")

    with pytest.raises(TimeoutError):
        asyncio.run(caller())
    assert manager.get("e").wait(10).status is ExecutionStatus.CANCELLED


def test_a_running_execution_is_really_cancelled(make: Any) -> None:
    manager = make()
    executor = until_running(manager, "hang", "e")
    assert manager.cancel("e")
    assert executor.wait(10).status is ExecutionStatus.CANCELLED
    assert manager.submit(node("quick"), "q").wait(10).status is ExecutionStatus.COMPLETED


def test_a_waiting_execution_that_is_cancelled_leaves_the_queue(make: Any) -> None:
    manager = make(1)
    until_running(manager, "hang", "first")
    manager.submit(node("quick"), "q", "second")
    assert manager.stats().waiting_for_a_thread == 1
    manager.cancel("second")
    assert manager.stats().waiting_for_a_thread == 0


def test_clean_up_removes_what_is_over_and_nothing_else(make: Any) -> None:
    manager = make()
    until_running(manager, "hang", "running")
    manager.submit(node("quick"), "q", "over").wait(10)
    assert manager.cleanup_completed_executions() == 1
    assert list(manager.active_executions) == ["running"]


def test_clean_up_runs_by_itself_after_its_interval(make: Any, clock: FakeClock) -> None:
    manager = make()
    manager.submit(node("quick"), "q", "over").wait(10)
    clock.advance(299)
    manager.create_executor("second", node("quick"), "q")
    assert "over" in manager.active_executions
    clock.advance(2)
    manager.create_executor("third", node("quick"), "q")
    assert list(manager.active_executions) == ["second", "third"]


def test_an_execution_silent_for_two_hours_is_cancelled_and_removed(
    make: Any, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ragpool")
    manager = make()
    stale = until_running(manager, "hang", "stale")
    clock.advance(7199)
    manager.create_executor("younger", node("quick"), "q")
    clock.advance(302)
    manager.create_executor("new", node("quick"), "q")
    assert list(manager.active_executions) == ["younger", "new"]
    assert stale.wait(10).status is ExecutionStatus.CANCELLED
    assert "execution 'stale': running, and silent for 7200 s; cancelled and removed" in caplog.text


def test_a_worker_cleans_up_while_nobody_calls(
    make: Any, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WorkflowExecutionManager, "CLEANUP_INTERVAL", 0.01)
    manager = make()
    stale = until_running(manager, "hang", "stale")
    clock.advance(7201)
    assert stale.wait(10).status is ExecutionStatus.CANCELLED
    assert manager.active_executions == {}


def test_the_history_is_bounded_and_the_oldest_goes(make: Any) -> None:
    manager = make(1, max_history=3)
    for number in range(10):
        manager.submit(node("quick"), "q", str(number)).wait(10)
    assert list(manager.active_executions) == ["7", "8", "9"]
    assert manager.stats().removed == 7


def test_what_is_not_over_is_bounded(make: Any) -> None:
    manager = make(max_unfinished=2)
    manager.create_executor("a", node("quick"), "q")
    manager.create_executor("b", node("quick"), "q")
    with pytest.raises(ManagerFullError, match="2 executions pending or running"):
        manager.create_executor("c", node("quick"), "q")


def test_nothing_of_a_removed_execution_remains(make: Any) -> None:
    manager = make()
    references = [weakref.ref(manager.submit(node("quick"), "q", str(n))) for n in range(20)]
    references.append(weakref.ref(until_running(manager, "hang", "running")))
    for execution_id in list(manager.active_executions):
        manager.get(execution_id).wait(10) if execution_id != "running" else None
        manager.remove(execution_id)

    def alive() -> int:
        """Turn the workers' loops first: the cancelled one ends on its own."""
        manager.submit(node("quick"), "q", "turn").wait(10)
        manager.remove("turn")
        gc.collect()
        return sum(reference() is not None for reference in references)

    assert settled(alive, 0) == 0
    assert manager.active_executions == {}
    stats = manager.stats()
    assert (stats.pending, stats.running, stats.completed, stats.cancelled) == (0, 0, 0, 0)


def test_an_id_can_be_used_once(make: Any) -> None:
    manager = make()
    manager.create_executor("a", node("quick"), "q")
    with pytest.raises(DuplicateExecutionError, match="execution 'a': exists already"):
        manager.create_executor("a", node("quick"), "q")


def test_an_unknown_id_is_an_error(make: Any) -> None:
    for method in ("get", "cancel", "remove", "start"):
        with pytest.raises(UnknownExecutionError, match="'nobody': unknown"):
            getattr(make(), method)("nobody")


def test_a_closed_manager_has_cancelled_everything_and_takes_no_more(make: Any) -> None:
    manager = make(1)
    running = until_running(manager, "hang", "running")
    waiting = manager.submit(node("quick"), "q", "waiting")
    before = threading.active_count()
    manager.close()
    manager.close()
    assert [one.wait(10).status for one in (running, waiting)] == ["cancelled", "cancelled"]
    assert threading.active_count() < before
    with pytest.raises(ClosedError, match="workflow manager: closed"):
        manager.submit(node("quick"), "q")


def test_aclose_does_not_block_the_loop(make: Any) -> None:
    async def use() -> str:
        async with make() as manager:
            return (await manager.execute(node("quick"), "q")).status

    assert asyncio.run(use()) == "completed"


def test_a_node_that_blocks_its_loop_delays_the_end_and_is_named(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    manager = make(1)
    gate = threading.Event()
    executor = manager.submit(node("block", gate=gate), "q")
    assert settled(lambda: executor.status, ExecutionStatus.RUNNING) is ExecutionStatus.RUNNING
    manager.close(timeout_s=0.05)
    assert "workflow-executor_0: still busy after 0.05 s" in caplog.text
    gate.set()


def test_a_forgotten_manager_warns_and_ends_its_threads(pools: Pools) -> None:
    manager = WorkflowExecutionManager(2, pools=pools, node_types=TYPES)
    manager.submit(node("quick"), "q").wait(10)
    threads = [one for one in threading.enumerate() if one.name.startswith("workflow-executor")]
    assert threads
    with pytest.warns(ResourceWarning, match="workflow-executor: forgotten with 1 threads"):
        del manager
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_the_default_manager_is_made_once_under_many_threads() -> None:
    barrier = threading.Barrier(16)

    def ask(_: int) -> WorkflowExecutionManager:
        barrier.wait()
        return WorkflowExecutionManager.get_instance()

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(ask, range(16)))) == 1
    WorkflowExecutionManager.clear_instance()


def test_many_threads_may_submit_and_clean_up_at_once(make: Any) -> None:
    manager = make(4)

    def work(number: int) -> set[str]:
        records = [manager.submit(node("quick"), "q").wait(10) for _ in range(25)]
        manager.cleanup_completed_executions()
        return {record.status for record in records}

    with ThreadPoolExecutor(8) as threads:
        assert set().union(*threads.map(work, range(8))) == {"completed"}
    manager.cleanup_completed_executions()
    assert manager.active_executions == {}


def test_bounds_out_of_range_are_refused(pools: Pools) -> None:
    with pytest.raises(ConfigurationError, match="max_workers is 0"):
        WorkflowExecutionManager(0)
    with pytest.raises(ConfigurationError, match="max_history 0"):
        WorkflowExecutionManager(max_history=0)


def test_a_worker_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    died: list[Any] = []
    told = threading.Event()

    def hook(args: Any) -> None:
        died.append(args)
        told.set()

    monkeypatch.setattr(threading, "excepthook", hook)
    threads = LoopThreads(1, "test")
    survived = threading.Event()

    async def die() -> None:
        raise RuntimeError("a worker died")

    async def live() -> None:
        survived.set()

    threads.submit(die)
    threads.submit(live)
    assert survived.wait(10)
    threads.shutdown()
    assert told.wait(10)  # the first thread reports its death after its place was taken
    assert [args.exc_type for args in died] == [RuntimeError]
