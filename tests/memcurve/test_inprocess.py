"""In-process measuring: the caller's loop, its collector's state, its exceptions."""

import asyncio
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import memcurve
from memcurve.measure.table import LocalTable
from memcurve.measure.worker.counters import COLUMNS, INDEX
from memcurve.model.errors import MeasureError, TargetError
from memcurve.run.conclude import CheckFailedError


@pytest.fixture
def collector() -> Iterator[None]:
    """Put the collector back after a test that changes its state on purpose."""
    enabled, flags = gc.isenabled(), gc.get_debug()
    yield
    gc.unfreeze()
    gc.set_debug(flags)
    (gc.enable if enabled else gc.disable)()


def grows_by_1000(kept: list[bytes]) -> None:
    kept.append(bytes(1000))


@pytest.mark.asyncio
async def test_a_clean_coroutine_is_flat_in_the_loop_that_runs_it() -> None:
    loops = set()

    async def call() -> bytes:
        loops.add(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return os.urandom(3000)

    result = await memcurve.acheck(call)
    assert isinstance(result.verdict, memcurve.Flat | memcurve.Plateaued)
    assert loops == {asyncio.get_running_loop()}


@pytest.mark.asyncio
async def test_a_leaking_coroutine_is_growing_by_what_it_keeps() -> None:
    kept: list[bytes | None] = [None] * 4000

    async def call(number: int) -> None:
        kept[number] = bytes(1000)

    result = await memcurve.acheck(call, budget=600)
    assert isinstance(result.verdict, memcurve.Growing)
    # 1,033 bytes and malloc's own 8, in blocks of 16
    assert result.verdict.low <= 1056 <= result.verdict.high
    assert result.verdict.per_call == pytest.approx(1056, rel=0.02)
    assert {"in_process"} <= {caveat.kind for caveat in result.judgement.caveats}


@pytest.mark.asyncio
async def test_the_result_of_a_call_is_not_alive_when_the_call_is_sampled() -> None:
    async def call(number: int) -> bytes:
        return bytes(100_000 + 997 * number)

    result = await memcurve.acheck(call)
    assert isinstance(result.verdict, memcurve.Flat | memcurve.Plateaued)


@pytest.mark.asyncio
async def test_a_task_for_each_call_is_growing_in_tasks() -> None:
    tasks: list[asyncio.Task[None]] = []

    async def call() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(1000)))

    result = await memcurve.acheck(call, calls=300, grace=0.02)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    found = result.judgement.verdicts["tasks"]
    assert isinstance(found, memcurve.Growing)
    assert found.per_call == pytest.approx(1.0)


@pytest.mark.asyncio
async def test_a_background_task_that_ends_within_the_grace_is_no_growth() -> None:
    running: set[asyncio.Task[None]] = set()

    async def call() -> None:
        task = asyncio.create_task(asyncio.sleep(0.02))
        running.add(task)
        task.add_done_callback(running.discard)

    result = await memcurve.acheck(call)
    assert not isinstance(result.verdict, memcurve.Growing)


@pytest.mark.asyncio
async def test_what_the_fixtures_run_beside_the_calls_is_not_waited_for() -> None:
    loop = asyncio.get_running_loop()
    timers: list[asyncio.TimerHandle] = []

    def beat() -> None:
        timers[:] = [loop.call_later(0.01, beat)]

    beat()
    heart = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)

    async def call() -> None:
        await asyncio.sleep(0)

    result = await memcurve.acheck(call, grace=120.0)
    heart.cancel()
    timers[0].cancel()
    assert not isinstance(result.verdict, memcurve.Growing)
    assert result.elapsed_s < 120


@pytest.mark.asyncio
async def test_a_call_that_raises_is_an_error_with_its_number_and_cause() -> None:
    async def call(number: int) -> None:
        if number == 56:
            raise ValueError("no more")

    with pytest.raises(CheckFailedError, match="call 57 raised ValueError: no more") as caught:
        await memcurve.acheck(call)
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.failure.call == 57


def test_a_synchronous_callable_is_measured_here_on_request() -> None:
    kept: list[bytes] = []
    result = memcurve.check(lambda: grows_by_1000(kept), isolation="none", budget=600)
    assert isinstance(result.verdict, memcurve.Growing)
    assert len(kept) > 1000


def test_a_clean_synchronous_callable_is_flat_here() -> None:
    result = memcurve.check(lambda: bytes(1000), isolation="none")
    assert isinstance(result.verdict, memcurve.Flat | memcurve.Plateaued)


def test_an_interrupt_passes_through() -> None:
    def call() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        memcurve.check(call, isolation="none")
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_the_collectors_state_is_put_back(collector: None, enabled: bool, fails: bool) -> None:
    (gc.enable if enabled else gc.disable)()
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.garbage.append("mine")

    def call(number: int) -> None:
        if fails and number == 30:
            raise ValueError

    try:
        memcurve.check(call, isolation="none")
    except CheckFailedError:
        assert fails
    assert gc.isenabled() is enabled
    assert gc.get_debug() == gc.DEBUG_SAVEALL
    assert gc.get_freeze_count() == 0
    assert "mine" in gc.garbage
    gc.garbage.clear()


def test_what_was_frozen_before_is_frozen_afterwards(collector: None) -> None:
    gc.freeze()
    frozen = gc.get_freeze_count()
    memcurve.check(lambda: None, isolation="none")
    assert gc.get_freeze_count() >= frozen * 0.9


def test_checks_in_process_leave_no_descriptor_behind() -> None:
    memcurve.check(lambda: None, isolation="none")
    before = len(list(Path("/proc/self/fd").iterdir()))
    memcurve.check(lambda: None, isolation="none")
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_there_is_no_awaiting_without_a_loop() -> None:
    with pytest.raises(MeasureError, match="no asyncio event loop runs here"):
        memcurve.acheck(asyncio.sleep).send(None)


@pytest.mark.parametrize("isolation", ["none", "fork"])
def test_a_generator_function_is_refused_since_a_call_runs_none_of_it(isolation: str) -> None:
    def target(number: int) -> Iterator[int]:
        yield number

    with pytest.raises(memcurve.MemcurveError, match="generator function: a call makes"):
        memcurve.check(target, isolation=isolation)


def test_a_call_that_only_makes_a_generator_is_an_error_in_this_very_process() -> None:
    with pytest.raises(memcurve.MemcurveError, match="none of its lines ran"):
        memcurve.check(lambda: (number for number in range(3)), isolation="none")


def test_two_arguments_are_too_many_in_process() -> None:
    with pytest.raises(TargetError, match="takes 2 arguments"):
        memcurve.check(lambda a, b: None, isolation="none")


def test_every_second_row_is_kept_in_place() -> None:
    with LocalTable(("call", "fds"), 9) as table:
        for call in range(9):
            start = table.next_row()
            table.cells[start], table.cells[start + 1] = call, 10 * call
            table.end_row()
        assert table.is_full
        table.keep_every_second()
        assert not table.is_full
        curve = table.samples().curve("fds")
    assert (curve.calls, curve.values) == ((0, 2, 4, 6, 8), (0, 20, 40, 60, 80))


@given(st.lists(st.integers(0, 50), min_size=20, max_size=400), st.integers(9, 31))
def test_thinned_rows_keep_the_extremes_the_ends_and_the_sums(heap: list[int], rows: int) -> None:
    with LocalTable(COLUMNS, rows) as table:
        for call, size in enumerate(heap):
            start = table.next_row()
            row = {"call": call, "python_bytes": size, "malloc_bytes": 7, "deferred_bytes": 3}
            for name, value in row.items():
                table.cells[start + INDEX[name]] = value
            table.end_row()
            if table.is_full:
                table.keep_every_second()
                assert table.rows <= rows // 2 + 3
        samples = table.samples()
    live = samples.curve("live_bytes")
    assert (min(live.values), max(live.values)) == (min(heap) + 7, max(heap) + 7)
    assert (live.calls[0], live.last_call) == (0, len(heap) - 1)
    assert list(live.calls) == sorted(set(live.calls))
    assert [v - 7 for v in live.values] == [heap[call] for call in live.calls]
    assert sum(v or 0 for v in samples.counters["deferred_bytes"]) == 3 * len(heap)


def test_public_functions_stay_in_sight_of_submodules_with_their_name() -> None:
    import memcurve.model.scenario
    import memcurve.run.passes
    import memcurve.run.watch

    for name in ("check", "scenario", "watch"):
        assert callable(getattr(memcurve, name)), name
