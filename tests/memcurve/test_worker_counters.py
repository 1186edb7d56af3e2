"""The counters of the worker are exact: known things have known sizes."""

import asyncio
import ctypes
import gc
import os
import re
import resource
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from memcurve.measure.table import LocalTable
from memcurve.measure.worker import heap
from memcurve.measure.worker.counters import (
    COLUMNS,
    Clock,
    Counters,
    Gauges,
    count_tasks,
    make_readers,
)
from memcurve.measure.worker.loop import Allowance, CallLoop, drive
from memcurve.measure.worker.other_loops import (
    forget_cancelled_timers,
    forget_timers_elsewhere,
)
from memcurve.measure.worker.settle import Settler
from tests.waiting import settled

MIB = 1 << 20
ROWS, BLOCKS = 400, 40


@pytest.fixture
def counters() -> Iterator[Counters]:
    with LocalTable(COLUMNS, ROWS) as table:
        yield Counters(table, Gauges([]), True, make_readers())


@pytest.fixture
def quiet() -> Iterator[None]:
    """Keep the collector from changing figures in the middle of a test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


class Slotted:
    __slots__ = ("other",)


class Node:
    __slots__ = ("load", "me")

    def __init__(self) -> None:
        self.me = self
        self.load = bytes(4000)


def test_python_bytes_count_blocks_of_known_objects(quiet: None) -> None:
    read = heap.python_source().read
    shelf: list[object] = [None] * 1000
    read()
    before = read()
    for index in range(1000):
        shelf[index] = Slotted()
    held = read() - before
    shelf.clear()
    left = read() - before
    # 16 of the collector, 16 of every object, 8 for the slot: 40, in blocks of 16
    assert held == pytest.approx(48 * 1000, abs=256)
    assert left == pytest.approx(0, abs=256)


@pytest.mark.parametrize("size", [64, 5000, MIB])
def test_malloc_bytes_count_a_native_block(quiet: None, size: int) -> None:
    read, libc = heap.malloc_source().read, ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    blocks = (ctypes.c_void_p * BLOCKS)()
    before = read()
    for index in range(BLOCKS):
        blocks[index] = libc.malloc(ctypes.c_size_t(size))
    grown = read() - before
    for block in blocks:
        libc.free(block)
    # up to 7 may come from the thread's cache, which counts as in use; a header of 8 to 16 bytes;
    # above the mmap threshold a page more
    assert (BLOCKS - 7) * size <= grown <= BLOCKS * (size + 4096 + 16)


def test_the_two_heaps_do_not_overlap(quiet: None) -> None:
    python, malloc = heap.python_source().read, heap.malloc_source().read
    before = python(), malloc()
    large = bytes(MIB)
    assert python() - before[0] < 1000
    assert MIB <= malloc() - before[1] < MIB + 8192
    del large


def test_what_is_freed_is_not_counted(quiet: None) -> None:
    read = heap.malloc_source().read
    before = read()
    for _ in range(50):
        bytes(10 * MIB)
    assert read() - before < 4096


@pytest.mark.parametrize(
    ("make", "fds", "sockets"),
    [
        (lambda: os.dup(0), 1, 0),
        (lambda: socket.socket().detach(), 1, 1),
    ],
    ids=["descriptor", "socket"],
)
def test_descriptors_and_sockets_are_counted(
    counters: Counters, make: Callable[[], int], fds: int, sockets: int
) -> None:
    held: list[int] = []
    for number in range(3):
        counters.write_row(number, (0, 0), None, False)
        held += [make(), make()] if number == 0 else []
        if number == 1:
            for descriptor in held:
                os.close(descriptor)
    samples = counters.table.samples()
    assert samples.curve("fds").grown().values == (0, 2 * fds, 0)
    assert samples.curve("sockets").grown().values == (0, 2 * sockets, 0)


def test_threads_are_counted(counters: Counters) -> None:
    before, stop = counters.resources.threads(), threading.Event()
    threads = [threading.Thread(target=stop.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert counters.resources.threads() - before == 3
    stop.set()
    for thread in threads:
        thread.join()


@pytest.mark.asyncio
async def test_tasks_are_counted() -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    before = count_tasks(loop)
    tasks = [asyncio.create_task(stop.wait()) for _ in range(3)]
    assert count_tasks(loop) - before == 3
    stop.set()
    await asyncio.gather(*tasks)
    assert count_tasks(loop) == before


def test_no_loop_has_no_tasks() -> None:
    assert count_tasks(None) == 0


def test_resident_memory_and_its_peak_follow_touched_pages(counters: Counters) -> None:
    counters.resources.reset_rss_peak()
    before = counters.resources.rss()
    block = bytearray(b"x") * (32 * MIB)
    during = counters.resources.rss()
    del block
    assert during - before > 24 * MIB
    assert counters.resources.rss_peak() >= during - MIB
    assert counters.resources.rss() < during - 16 * MIB


def test_gauges_are_read_from_the_file_of_another_process(tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "gauges")  # noqa: PTH118 - as the worker is given it
    with open(path, "wb") as file:  # noqa: PTH123
        file.write((7).to_bytes(8, "little") + (-3).to_bytes(8, "little", signed=True))
    with LocalTable((*COLUMNS, "connections"), 4) as table:
        counters = Counters(table, Gauges([(path, 1)]), True, make_readers())
        counters.write_row(0, (0, 0), None, False)
        assert table.samples().curve("connections").values == (-3,)


def settled_rows(
    function: Callable[[], object], calls: int, mode: str = "settled", *, capacity: int = ROWS
) -> LocalTable:
    """Run a settled pass of a function here, and return its table."""
    table = LocalTable(COLUMNS, capacity)
    counters = Counters(table, Gauges([]), False, make_readers())
    settler = Settler(None, counters.live_bytes, counters.resources.threads, 0.0)
    allowance = Allowance(counters.clock, 60.0, 1.0)
    loop = CallLoop(function, lambda number: (), counters, settler, allowance, mode)
    try:
        drive(loop.begin(), None)
        drive(loop.run(calls, frozenset()), None)
    finally:
        gc.unfreeze()
        gc.enable()
    return table


def test_deferred_bytes_are_those_of_the_cycle(quiet: None) -> None:
    samples = settled_rows(Node, 40).samples()
    # 16 of the collector and 32 of the object; 33 and 4,000 of its bytes, and malloc's own 8
    node, load = 48, 4048
    assert set(samples.curve("deferred_objects").tail(5).values) == {1}
    for value in samples.curve("deferred_bytes").tail(5).values:
        assert value == pytest.approx(node + load, abs=64)
    live = samples.curve("live_bytes").tail(5).values
    assert max(live) - min(live) < 500


def test_a_full_table_thins_its_rows_and_follows_every_call(quiet: None) -> None:
    """Forty rows for 300 calls that each leave a cycle and keep 4,000 bytes."""
    kept: list[object] = [None] * 300
    free = iter(range(300))

    def leave_and_keep() -> None:
        Node()
        kept[next(free)] = bytes(4000)

    table = settled_rows(leave_and_keep, 300, capacity=40)
    samples, full = table.samples(), settled_rows(Node, 300).samples()
    assert 20 <= len(samples.calls) <= 40
    assert samples.calls[0] == 0
    assert samples.calls[-1] > 280
    assert max(b - a for a, b in pairwise(samples.calls)) <= 40
    live = samples.curve("live_bytes")
    assert live.rate(20, 300) == pytest.approx(4048, rel=0.01)
    # a row stands for all calls since the row before, also for those whose row has gone
    assert samples.left_a_call("deferred_objects", 20, 300) == 1
    assert full.left_a_call("deferred_objects", 20, 300) == 1


def test_a_table_with_room_keeps_every_row(quiet: None) -> None:
    assert len(settled_rows(lambda: None, 30, capacity=40).samples().calls) == 31


def test_a_descriptor_table_that_is_full_reads_as_missing_and_not_as_none_open(
    counters: Counters,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    counters.write_row(0, (0, 0), None, False)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        counters.write_row(1, (0, 0), None, False)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    counters.write_row(2, (0, 0), None, False)
    assert counters.table.samples().curve("fds").calls == (0, 2)


def test_free_lists_read_neither_as_growth_nor_as_deferred(quiet: None) -> None:
    def temporaries() -> None:
        [{"a": index, "b": [index], "c": (index, float(index))} for index in range(200)]

    samples = settled_rows(temporaries, 60).samples()
    assert set(samples.curve("deferred_bytes").tail(5).values) == {0}
    assert set(samples.curve("deferred_objects").tail(5).values) == {0}
    live = samples.curve("live_bytes").tail(5).values
    assert max(live) - min(live) < 500


@pytest.mark.skipif(sys.version_info[:2] == (3, 10), reason="not safe there: see settle.py")
def test_names_that_the_interpreter_caches_do_not_read_as_growth(quiet: None) -> None:
    """`finditer` looks up "search" by a new string each time; CPython keeps up to 4,096 of them."""
    pattern = re.compile("x")

    def look_up() -> None:
        for found in [pattern.finditer("x" * 50) for _ in range(20)]:
            list(found)

    live = settled_rows(look_up, 100).samples().curve("live_bytes")
    assert live.at(100) - live.at(20) < 128


def test_the_number_of_a_call_does_not_read_as_growth(quiet: None) -> None:
    live = settled_rows(lambda: None, 300).samples().curve("live_bytes")
    assert live.at(300) - live.at(250) <= 32  # from 257 on an integer is an object: only the row's


def test_rows_stand_at_fixed_calls_whatever_they_cost() -> None:
    allowance = Allowance(Clock(), 0.0, 0.0, every=7)
    allowance.spent_ns = 10**12
    covered = [call for call in range(1, 130) if allowance.covers_a_row(call)]
    assert covered == [*range(1, 101), 105, 112, 119, 126]


@pytest.mark.asyncio
async def test_cancelled_timers_are_dropped_and_waiting_ones_stay() -> None:
    loop = asyncio.get_running_loop()
    fired: list[int] = []
    both = asyncio.Event()
    waiting = [loop.call_later(delay, fired.append, 1) for delay in (0.01, 600)]
    loop.call_later(0.02, both.set)
    dropped = [weakref.ref(loop.call_later(300, fired.append, 2)) for _ in range(50)]
    for timer in alive(dropped):
        timer.cancel()
    del timer
    assert len(alive(dropped)) == 50, "asyncio keeps a few of those that were cancelled"
    forget_cancelled_timers(loop)
    assert alive(dropped) == []
    await both.wait()
    waiting[1].cancel()
    assert fired == [1]


def test_a_loop_of_another_thread_drops_its_cancelled_timers_and_keeps_the_others() -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    fired = threading.Event()
    dropped: list[weakref.ref[asyncio.TimerHandle]] = []

    def cancel_some() -> None:
        loop.call_later(0.05, fired.set)
        timers = [loop.call_later(300, print) for _ in range(50)]
        dropped.extend(weakref.ref(timer) for timer in timers)
        for timer in timers:
            timer.cancel()

    try:
        loop.call_soon_threadsafe(cancel_some)
        assert settled(lambda: len(dropped), 50) == 50
        assert len(alive(dropped)) == 50, "asyncio keeps a few of those that were cancelled"
        forget_timers_elsewhere()
        assert settled(lambda: alive(dropped), []) == []
        assert fired.wait(5)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_thread_that_is_no_loop_is_left_alone() -> None:
    end = threading.Event()

    def run_forever(self: str) -> None:
        end.wait()

    thread = threading.Thread(target=run_forever, args=("no loop",))
    thread.start()
    forget_timers_elsewhere()
    end.set()
    thread.join()


def alive(
    timers: list[weakref.ref[asyncio.TimerHandle]],
) -> list[asyncio.TimerHandle]:
    return [timer for one in timers if (timer := one()) is not None]


def test_kept_objects_are_counted_one_by_one(quiet: None) -> None:
    kept: list[object] = [None] * 100
    free = iter(range(100))

    def keep() -> None:
        kept[next(free)] = [1]

    samples = settled_rows(keep, 60).samples()
    objects = samples.curve("objects").tail(10)
    assert objects.values[-1] - objects.values[0] == objects.last_call - objects.calls[0]


def test_a_settle_waits_for_a_background_task_of_50_ms() -> None:
    loop = asyncio.new_event_loop()
    ended: list[bool] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        ended.append(True)

    try:
        settler = Settler(loop, lambda: 0, lambda: 1, 10.0)
        task = loop.create_task(work())
        left = drive(settler.patient(), loop.run_until_complete)
        assert left == (0, 0, 0)
        assert ended == [True]
        assert task.done()
    finally:
        loop.close()


def test_a_settle_gives_up_after_its_grace_and_says_what_is_left() -> None:
    loop = asyncio.new_event_loop()
    try:
        settler = Settler(loop, lambda: 0, lambda: 1, 0.01)
        task = loop.create_task(asyncio.sleep(600))
        left = drive(settler.patient(), loop.run_until_complete)
        assert left == (1, 0, 0)
        task.cancel()
        loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    finally:
        loop.close()
