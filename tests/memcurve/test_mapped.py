"""Memory mapped past both heaps, against the pages that a process maps itself."""

import sys
from collections.abc import Iterator

import pytest

from memcurve.measure.worker import layout
from tests.memcurve.other_process import OtherProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

PAGE, MIB = 4096, 1 << 20
PROGRAM = """
import array, ctypes, mmap, tempfile, threading, time
from memcurve.measure.worker import heap, mapped
malloc = heap.malloc_source()
python = heap.python_source(malloc)
reader = mapped.reader(python, malloc)
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
kept, addresses = [], []

def read():
    python.read(), malloc.read()
    return reader.read()

def touched():
    read()
    return reader.touched

def pages(size, touch, access=3):
    address = libc.mmap(None, size, access, 0x22, -1, 0)
    ctypes.memset(address, 1, touch)
    addresses.append(address)

def in_threads(count, work):
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(0.05)

def churn():
    blocks = [bytes(3000) for _ in range(3000)]

read(), read()
"""


@pytest.fixture
def process() -> Iterator[OtherProcess]:
    with OtherProcess(PROGRAM) as one:
        yield one


def grown(process: OtherProcess, line: str) -> int:
    """Return by how much the mapped bytes grow when a line runs; its first reading is dropped."""
    before = process.number("read()")
    process.ask(line)
    return process.number("read()") - before


def test_mapped_pages_count_whole_and_touched_ones_apart(process: OtherProcess) -> None:
    before = process.number("read()"), process.number("touched()")
    outside = process.anonymous_bytes()
    process.ask("[pages(4 * 4096, 4096) for _ in range(100)]")
    assert process.number("read()") - before[0] == 100 * 4 * PAGE
    touched = process.number("touched()") - before[1]
    assert touched == pytest.approx(100 * PAGE, abs=10 * PAGE)
    assert touched == pytest.approx(process.anonymous_bytes() - outside, abs=10 * PAGE)


def test_pages_that_are_given_back_are_gone(process: OtherProcess) -> None:
    before = process.number("read()")
    process.ask("pages(1 << 20, 1 << 20)")
    assert process.number("read()") - before == MIB
    process.ask("libc.munmap(addresses.pop(), 1 << 20)")
    assert process.number("read()") == before


@pytest.mark.parametrize(
    "line",
    [
        "kept.extend(bytearray(700) for _ in range(20_000))",  # malloc's heap
        "kept.extend(bytearray(1 << 20) for _ in range(20))",  # blocks of their own
        "kept.extend(object() for _ in range(300_000))",  # pymalloc's arenas
    ],
)
def test_what_a_heap_maps_is_counted_there_alone(process: OtherProcess, line: str) -> None:
    outside = process.anonymous_bytes()
    assert grown(process, line) == 0
    assert process.anonymous_bytes() - outside > 4 * MIB


def test_stacks_of_threads_and_arenas_that_shrank_are_no_growth(process: OtherProcess) -> None:
    process.ask("in_threads(4, churn)")
    before = process.number("read()")
    for _ in range(3):
        process.ask("in_threads(4, churn)")
        assert process.number("read()") == before
    assert process.number("reader.layout.stacks") > 8 * MIB  # glibc keeps some


def test_stacks_of_running_threads_are_told_apart(process: OtherProcess) -> None:
    process.ask("stop = threading.Event()")
    before = process.number("read()")
    process.ask("[threading.Thread(target=stop.wait, daemon=True).start() for _ in range(8)]")
    process.ask("time.sleep(0.1)")
    # each thread of CPython maps 16 KiB for its frames, which are not its stack
    assert process.number("read()") - before <= 8 * 16384
    assert process.number("reader.layout.stacks") > 8 * 8 * MIB - MIB
    marked = process.ask("mapped.read_layout(9, 8 << 20, marked=True).layout.stacks")
    assert int(marked) == process.number("reader.layout.stacks")
    process.ask("stop.set()")


def test_reserved_memory_is_told_apart_and_is_not_mapped(process: OtherProcess) -> None:
    before = process.number("reader.layout.reserved")
    assert grown(process, "pages(1 << 30, 0, access=0)") == 0
    assert process.number("reader.layout.reserved") - before == 1 << 30


def test_of_a_reserve_the_touched_pages_count(process: OtherProcess) -> None:
    assert grown(process, "pages(1 << 30, 16 * 4096)") == 16 * PAGE
    assert grown(process, "ctypes.memset(addresses[-1] + (1 << 28), 1, 2 * 4096)") == 2 * PAGE
    assert grown(process, "libc.munmap(addresses.pop(), 1 << 30)") == -18 * PAGE


def test_a_large_block_of_malloc_is_no_reserve(process: OtherProcess) -> None:
    process.ask("libc.malloc.restype = ctypes.c_void_p")
    process.ask("libc.malloc.argtypes = libc.free.argtypes = [ctypes.c_void_p]")
    assert grown(process, "kept.append(libc.malloc(1 << 27))") == 0
    assert grown(process, "pages(1 << 20, 1 << 20)") == MIB
    assert grown(process, "libc.free(kept.pop())") == 0
    # one of both kinds between two readings: nobody can tell them apart, so both count whole
    line = "[pages(1 << 26, 4096), kept.append(libc.malloc(1 << 27))]"
    assert grown(process, line) == 64 * MIB


def test_what_grows_step_by_step_is_no_reserve(process: OtherProcess) -> None:
    before = process.number("read()")
    process.ask("for step in range(20): pages(4 << 20, 4096), read()")
    assert process.number("read()") - before == 80 * MIB


@pytest.mark.parametrize("swaps", [False, True])
def test_a_reserve_is_read_page_by_page(process: OtherProcess, swaps: bool) -> None:
    process.ask("from memcurve.measure.worker import reserves")
    process.ask(f"own = reserves.Reserves(4096, swaps={swaps})")
    process.ask("pages(1 << 30, 16 * 4096)")
    process.ask("own.relist([(addresses[-1], addresses[-1] + (1 << 30))], 1 << 30, risen=1 << 30)")
    assert process.number("own.untouched()") == (1 << 30) - 16 * PAGE


def test_of_more_large_mappings_than_can_be_remembered_none_is_taken_for_new(
    process: OtherProcess,
) -> None:
    process.ask("from memcurve.measure.worker import reserves")
    process.ask("own = reserves.Reserves(4096, swaps=False)")
    process.ask("pages(1 << 30, 16 * 4096)")
    process.ask("mapped_one = (addresses[-1], addresses[-1] + (1 << 30))")
    process.ask("many = [(n << 40, (n << 40) + (1 << 26)) for n in range(20)]")
    process.ask("own.relist(many, 1 << 40, risen=0)")
    process.ask("own.relist([*many, mapped_one], 1 << 40, risen=1 << 40)")
    assert process.number("own.untouched()") == 0  # which of them rose nobody can tell
    process.ask("own.relist([], 1 << 40, risen=0)")
    process.ask("own.relist([mapped_one], 1 << 40, risen=1 << 30)")
    assert process.number("own.untouched()") == (1 << 30) - 16 * PAGE


def test_pages_of_a_file_never_count(process: OtherProcess) -> None:
    process.ask("file = tempfile.TemporaryFile()")
    process.ask("file.truncate(1 << 26)")
    assert grown(process, "shared = mmap.mmap(file.fileno(), 1 << 26)") == 0
    assert grown(process, "sum(shared[place] for place in range(0, 1 << 26, 4096))") == 0
    line = "private = mmap.mmap(file.fileno(), 1 << 26, access=mmap.ACCESS_COPY)"
    assert grown(process, line) == 0


def test_shared_memory_without_a_file_counts(process: OtherProcess) -> None:
    assert grown(process, "kept.append(mmap.mmap(-1, 1 << 20))") == MIB
    assert grown(process, "kept.pop().close()") == 0 or process.number("read()") >= 0


def test_code_that_is_made_writable_and_then_not_still_counts(process: OtherProcess) -> None:
    process.ask("libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]")
    before = process.number("read()")
    process.ask("pages(1 << 20, 1 << 20)")
    process.ask("libc.mprotect(addresses[-1], 1 << 20, 5)")
    assert process.number("read()") - before == MIB


def test_a_leak_behind_guards_is_no_stack_for_long() -> None:
    line = b"7f0000000000-7f0000001000 ---p 00000000 00:00 0 \n"
    line += b"7f0000001000-7f0000801000 rw-p 00000000 00:00 0 "
    few = layout.layout_of([line] * 2, threads=3, stack_bytes=8 * MIB)
    many = layout.layout_of([line] * 50, threads=3, stack_bytes=8 * MIB)
    assert few.layout.stacks == 16 * MIB
    assert many.layout.stacks == 2 * 8 * MIB + layout.CACHED_STACKS
    assert many.layout.writable == 50 * 8 * MIB


def test_a_steady_process_pays_no_walk(process: OtherProcess) -> None:
    line = "[libc.mmap(None, 4096, 1 + 2 * (n % 2), 0x22, -1, 0) for n in range(2000)][0] * 0"
    process.ask(line)
    assert process.number("(read(), reader.layout.mappings)[1]") > 2000
    process.ask("began = time.perf_counter()")
    process.ask("[reader.read() for _ in range(200)]")
    spent = float(process.ask("(time.perf_counter() - began) / 200"))
    print(f"a reading on 2,000 mappings: {spent * 1e6:.1f} µs")
    assert spent < 0.001  # it is 5 µs; a walk would be 3 ms or more


def test_where_a_heap_stands_in_by_resident_memory_nothing_is_counted_twice() -> None:
    with OtherProcess(PROGRAM.replace("read(), read()", ""), PYTHONMALLOC="malloc") as process:
        assert process.ask("reader is not None") == "True"  # malloc counts Python's objects
        assert grown(process, "pages(1 << 20, 0)") == MIB
        process.ask("python.system = None")
        assert process.ask("mapped.reader(python, malloc) is None") == "True"


def test_readings_leave_nothing_behind(process: OtherProcess) -> None:
    process.ask("levels = array.array('q', [0] * 50)")
    process.ask("def level(): return python.read() + malloc.read() + reader.read() * 0")

    process.ask("for n in range(50): levels[n] = level()")
    assert process.ask("max(levels[5:]) - min(levels[5:]) <= 64") == "True"
