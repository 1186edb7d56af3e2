"""Processes that descend from the measured one, against what the kernel says of them."""

import sys
from collections.abc import Iterator

import pytest

from memcurve.measure.worker import roles
from tests.memcurve.other_process import OtherProcess, rollup
from tests.waiting import settled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

MIB = 1 << 20
PROGRAM = """
import array, asyncio, concurrent.futures, multiprocessing, os, subprocess, sys, time
from memcurve.measure.worker import children
reader = children.Children()
kept = []

def keep(size):
    kept.append(b"x" * size)

def drop(size):
    return len(b"x" * size)

def work(pool, job, times):
    for _ in range(times):
        pool.apply(job, (20_000,))

def here(): return list(reader.read())
def said(): return reader.describe()
"""


@pytest.fixture
def process() -> Iterator[OtherProcess]:
    with OtherProcess(PROGRAM) as one:
        yield one


def told(process: OtherProcess) -> list[dict[str, object]]:
    found: list[dict[str, object]] = eval(process.ask("said()"))
    return found


def test_without_children_a_reading_is_one_system_call(process: OtherProcess) -> None:
    assert process.ask("here()") == "[0, 0, 0, False]"
    process.ask("began = time.perf_counter()")
    process.ask("[reader.read() for _ in range(500)]")
    spent = float(process.ask("(time.perf_counter() - began) / 500"))
    print(f"a reading without children: {spent * 1e6:.1f} µs")
    assert spent < 0.0005


def test_what_a_forked_worker_keeps_is_its_own_to_the_page(process: OtherProcess) -> None:
    process.ask("pool = multiprocessing.get_context('fork').Pool(1)")
    process.ask("work(pool, keep, 20)")
    before, worker = process.number("here()[0]"), told(process)[0]
    pid = int(str(worker["pid"]))
    outside = rollup(pid, "Anonymous:")
    process.ask("work(pool, keep, 200)")
    grown = process.number("here()[0]") - before
    assert grown == rollup(pid, "Anonymous:") - outside
    assert 200 * 20_000 <= grown <= 1.1 * 200 * 20_000
    assert worker["role"] == "multiprocessing pool worker"
    assert told(process)[0]["gained"] >= grown


def test_a_worker_that_keeps_nothing_stands_still(process: OtherProcess) -> None:
    process.ask("pool = multiprocessing.get_context('fork').Pool(1)")
    process.ask("work(pool, drop, 50)")
    before = process.number("here()[0]")
    process.ask("work(pool, drop, 200)")
    assert process.number("here()[0]") - before <= 16 * 4096


def test_pages_that_the_parent_copies_on_writing_are_no_growth(process: OtherProcess) -> None:
    process.ask("ballast = bytearray(b'x') * (32 << 20)")
    process.ask("pool = multiprocessing.get_context('fork').Pool(1)")
    process.ask("work(pool, drop, 20)")
    before, pid = process.number("here()[0]"), int(str(told(process)[0]["pid"]))
    assert before < 8 * MIB  # what it inherited is not its own
    alone = rollup(pid, "Private_Dirty:")
    process.ask("ballast[:] = b'y' * (32 << 20)")
    process.ask("work(pool, drop, 20)")
    assert rollup(pid, "Private_Dirty:") - alone > 30 * MIB  # now the child holds the old pages
    assert process.number("here()[0]") - before <= 16 * 4096


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_workers_of_other_start_methods_are_found_with_their_helpers(
    process: OtherProcess, method: str
) -> None:
    process.ask("sys.modules['__main__'].__spec__ = None")
    process.ask(f"pool = multiprocessing.get_context({method!r}).Pool(2)")
    process.ask("pool.apply(os.getpid)")
    found = sorted(str(one["role"]) for one in told(process))
    workers = ["multiprocessing pool worker"] * 2
    helpers = ["forkserver"] if method == "forkserver" else []
    assert found == sorted([*helpers, *workers, "resource tracker"])
    assert process.number("here()[0]") > 3 * MIB
    process.ask("pool.terminate()")
    process.ask("pool.join()")
    assert int(process.ask("here()[1]")) == len(found) - 2


def test_roles_of_executors_and_of_commands(process: OtherProcess) -> None:
    process.ask("context = multiprocessing.get_context('fork')")
    process.ask("pool = concurrent.futures.ProcessPoolExecutor(1, mp_context=context)")
    process.ask("pool.submit(os.getpid).result()")
    process.ask("sleeper = subprocess.Popen(['sleep', '60'])")
    found = {str(one["role"]): str(one["command"]) for one in told(process)}
    assert set(found) == {"concurrent.futures worker", "subprocess"}
    assert found["subprocess"] == "sleep 60"
    process.ask("sleeper.kill()")
    process.ask("sleeper.wait()")
    process.ask("pool.shutdown()")
    assert process.ask("here()") == "[0, 0, 0, False]"


def test_a_subprocess_of_asyncio_counts_while_it_runs(process: OtherProcess) -> None:
    process.ask("loop = asyncio.new_event_loop()")
    line = "loop.run_until_complete(asyncio.create_subprocess_exec('sleep', '60'))"
    process.ask(f"sleeper = {line}")
    assert process.number("here()[1]") == 1
    process.ask("sleeper.kill()")
    process.ask("loop.run_until_complete(sleeper.wait())")
    assert process.number("here()[1]") == 0


def test_zombies_are_counted_apart_and_not_reaped(process: OtherProcess) -> None:
    process.ask("dead = [subprocess.Popen(['true']) for _ in range(3)]")
    assert settled(lambda: process.ask("here()"), "[0, 0, 3, False]") == "[0, 0, 3, False]"
    assert process.ask("[one.wait() for one in dead]") == "[0, 0, 0]"
    assert process.ask("here()") == "[0, 0, 0, False]"


def test_a_grandchild_counts_also_when_its_parent_has_ended(process: OtherProcess) -> None:
    process.ask("shell = subprocess.Popen(['sh', '-c', 'sleep 60 & sleep 60; true'])")
    assert settled(lambda: process.number("here()[1]"), 3) == 3
    process.ask("orphans = [one['pid'] for one in said() if 'sleep 60' == one['command']]")
    process.ask("shell.kill()")
    process.ask("shell.wait()")
    assert process.number("here()[1]") == 2
    process.ask("[os.kill(pid, 9) for pid in orphans]")
    assert settled(lambda: process.number("here()[1]"), 0) == 0


def test_a_child_that_cannot_be_looked_up_is_said_to_be_hidden(process: OtherProcess) -> None:
    process.ask("sleeper = subprocess.Popen(['sleep', '60'])")
    process.ask("from memcurve.measure.worker import family")
    process.ask("family.Listing.newcomers = lambda listing: []")
    assert process.ask("here()") == "[0, 0, 0, True]"
    process.ask("sleeper.kill()")


def test_readings_leave_nothing_behind(process: OtherProcess) -> None:
    process.ask("from memcurve.measure.worker import heap")
    process.ask("malloc = heap.malloc_source()")
    process.ask("python = heap.python_source(malloc)")
    process.ask("sleeper = subprocess.Popen(['sleep', '60'])")
    process.ask("def level(): return python.read() + malloc.read() + reader.read()[1] * 0")
    process.ask("levels = array.array('q', [0] * 50)")
    process.ask("for n in range(50): levels[n] = level()")
    assert process.ask("max(levels[5:]) - min(levels[5:]) <= 64") == "True"
    process.ask("sleeper.kill()")


def test_a_long_command_is_cut() -> None:
    assert len(roles.command_of(1)) <= roles.LONGEST_COMMAND
