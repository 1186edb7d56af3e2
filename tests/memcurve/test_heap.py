"""The sources of live bytes, each against blocks that the test makes itself."""

import re
import subprocess
import sys

import pytest

from memcurve.measure.worker import environment, heap, resident

MIB = 1 << 20
STATISTICS = b"""Small block threshold = 512, in 32 size classes.
# arenas allocated current           =                   15
15 arenas * 1048576 bytes/arena      =           15,728,640
# bytes in allocated blocks          =           14,000,000
# bytes in available blocks          =              400,000
50 unused pools * 16384 bytes        =              819,200
# bytes lost to pool headers         =               40,000
# bytes lost to quantization         =               60,000
# bytes lost to arena alignment      =                    0
Total                                =           15,319,200
"""


def in_a_child(program: str, **variables: str) -> str:
    """Return what a fresh interpreter prints; it has `heap` and `kept`."""
    prelude = "from memcurve.measure.worker import heap\nkept = []\n"
    done = subprocess.run(
        [sys.executable, "-c", prelude + program],
        capture_output=True,
        text=True,
        check=True,
        env={"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0", **variables},
    )
    return done.stdout.strip()


def test_malloc_sees_a_block_of_its_own_and_python_does_not() -> None:
    python, malloc = heap.python_source(), heap.malloc_source()
    before = python.read(), malloc.read()
    block = bytearray(MIB)
    grown = python.read() - before[0], malloc.read() - before[1]
    assert MIB <= grown[1] < MIB + 8192
    assert grown[0] < 8192
    del block


def test_python_sees_small_objects_and_malloc_does_not() -> None:
    python, malloc = heap.python_source(), heap.malloc_source()
    kept: list[object] = [None] * 10_000
    before = python.read(), malloc.read()
    for place in range(len(kept)):
        kept[place] = object()
    grown = python.read() - before[0], malloc.read() - before[1]
    assert 160_000 <= grown[0] < 168_000
    assert abs(grown[1]) < 8192


GIB = 1 << 30


@pytest.mark.parametrize(
    "levels",
    [
        [3 * GIB, 5 * GIB - 1, 6 * GIB, 5 * GIB, 4 * GIB - 1, 3 * GIB],
        [0, 3 * GIB, 2 * GIB, GIB, 0, 100, 99],
        [100 * MIB, 3 * GIB + 100 * MIB, 3 * GIB],
    ],
    ids=["over 4 GiB and back", "from nothing", "from little"],
)
def test_a_figure_that_wraps_at_4_gib_is_followed_over_it(levels: list[int]) -> None:
    number = heap.Unwrapped()
    told = [level % (1 << 32) for level in levels]
    signed = [one - (1 << 32) if one >= 1 << 31 else one for one in told]  # as C's int has it
    assert [number.follow(one) for one in signed] == levels


def test_mallinfo_counts_a_block_as_mallinfo2_does() -> None:
    program = """
import ctypes
libc = ctypes.CDLL(None)
old, new = heap.mallinfo(libc), heap.mallinfo2(libc)
at = old.read(), new.read()
kept.append(bytes(5_000_000))
print(old.read() - at[0], new.read() - at[1], old.system() == new.system())
"""
    counted, truly, same = in_a_child(program).split()
    assert int(counted) == pytest.approx(int(truly), abs=1000)
    assert int(truly) >= 5_000_000
    assert same == "True"


def test_the_figure_of_allocated_blocks_is_found_in_the_text_of_the_interpreter() -> None:
    assert heap.parse_blocks(STATISTICS) == 14_000_000


def test_a_text_without_that_figure_is_not_read_as_zero() -> None:
    assert heap.parse_blocks(b"Allocated Blocks: 12\n") is None


def test_pools_that_hold_objects_are_counted_and_unused_ones_are_not() -> None:
    assert heap.pool_bytes(STATISTICS) == 14_500_000


def test_objects_in_malloc_need_no_second_source() -> None:
    program = """
malloc = heap.malloc_source()
python = heap.python_source(malloc)
print(python.name, python.exact, python.read(), malloc.exact)
"""
    assert in_a_child(program, PYTHONMALLOC="malloc") == "none True 0 True"


def test_a_python_heap_that_nobody_can_read_stands_in_resident_memory_less_mallocs() -> None:
    program = """
python = heap.resident_rest("pages", lambda: heap.system_bytes()[0], "")
before = python.read()
kept[:] = [object() for _ in range(500_000)]
print(python.exact, python.read() - before)
"""
    exact, grown = in_a_child(program).split()
    assert exact == "False"
    assert 7 * MIB < int(grown) < 10 * MIB


def test_resident_memory_for_malloc_counts_python_objects_only_once() -> None:
    program = """
python, malloc = heap.python_source(), heap.resident_malloc()
before = python.read(), malloc.read()
kept.extend(object() for _ in range(500_000))
print(python.read() - before[0], malloc.read() - before[1])
"""
    python, malloc = map(int, in_a_child(program).split())
    assert 7_990_000 <= python < 8_200_000  # some take blocks that were free before
    assert malloc < 6 * MIB  # the list's own 4 MiB, not the objects' 8


def test_resident_memory_for_malloc_sees_a_large_block() -> None:
    program = """
malloc = heap.resident_malloc()
before = malloc.read()
kept.append(bytearray(b"x") * (16 << 20))
print(malloc.read() - before)
"""
    assert abs(int(in_a_child(program)) - 16 * MIB) < MIB // 2


def test_the_thread_cache_is_seen_where_it_is_on_and_missed_where_it_is_off() -> None:
    program = "print(heap.has_thread_cache(heap.malloc_source()))"
    assert in_a_child(program) == "False"
    assert in_a_child(program, GLIBC_TUNABLES="glibc.malloc.tcache_count=7") == "True"


def test_the_stream_of_errors_gives_the_same_figure_as_the_memory_stream() -> None:
    program = "print(heap.stderr_file().read(), heap.memory_stream().read())"
    one, other = map(int, in_a_child(program).split())
    assert abs(one - other) < 8192


def test_the_memory_stream_keeps_alive_what_it_writes_to() -> None:
    """A pointer that ctypes made by reference keeps nothing: freed memory would be written to."""
    text = heap.dumper()
    assert {"buffer", "size"} <= {*text.__code__.co_freevars}


def test_resident_memory_is_read_where_there_is_proc() -> None:
    read = resident.reader()
    assert read is not None
    assert read() > MIB


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/lib/x86_64-linux-gnu/libjemalloc.so.2", "jemalloc"),
        ("/opt/lib/libtcmalloc_minimal.so.4.5.10", "tcmalloc"),
        ("/usr/lib/libmimalloc.so.2.1", "mimalloc"),
    ],
)
def test_a_library_that_took_mallocs_place_is_named(path: str, name: str) -> None:
    found = environment.REPLACED.search(f"7f00-7f01 r-xp 00000000 08:01 12 {path}\n")
    assert found is not None
    assert found.group(1) == name


def test_no_other_library_passes_for_an_allocator() -> None:
    maps = "7f00-7f01 r-xp 0 08:01 1 /usr/lib/libc.so.6\n7f02-7f03 r-xp 0 0 1 /lib/malloc_stats.so"
    assert re.search(environment.REPLACED, maps) is None
