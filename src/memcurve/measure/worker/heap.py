"""Read the live bytes of the two heaps of a process: Python's own and malloc's.

The two do not overlap, because pymalloc maps its arenas directly; their sum is exact to allocator
blocks. Every source is chosen by trying it: it must see a block that we allocate ourselves, which
is how a preloaded jemalloc or a libc without ``mallinfo2`` is noticed. Where one heap cannot be
read, resident memory less what the other heap accounts for stands in for it, in pages.
"""

from __future__ import annotations

import array
import ctypes
import os
import re
import sys
from typing import Any, Callable, List, Optional, Tuple

from . import resident, streams

PROBE_BYTES = 1 << 20
PROBE_OBJECTS = 1 << 14
CACHED_SIZES = (504, 520, 536, 552, 568, 584, 600)
MODULO = "mallinfo"  # the source whose figures wrap: glibc before 2.33 has no other
PROBES = 3  # an allocator's own housekeeping may fall into one of them

Read = Callable[[], int]


class _MallInfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


class _MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name, _ in _MallInfo2._fields_]  # type: ignore[misc]


class _ZoneStatistics(ctypes.Structure):
    _fields_ = [
        ("blocks_in_use", ctypes.c_uint),
        ("size_in_use", ctypes.c_size_t),
        ("max_size_in_use", ctypes.c_size_t),
        ("size_allocated", ctypes.c_size_t),
    ]


class Source:
    """One way to read a number of bytes: ``read()`` in bytes, and how good it is.

    ``system()`` are the bytes that the allocator had from the system when it was last read, as far
    as it says that: None where it does not.
    """

    __slots__ = ("exact", "name", "note", "read", "system")

    def __init__(
        self,
        name: str,
        read: Read,
        exact: bool = True,
        note: str = "",
        system: Optional[Read] = None,
    ) -> None:
        self.name, self.read, self.exact, self.note = name, read, exact, note
        self.system = system


def _libc() -> Any:
    return ctypes.CDLL(None)


def mallinfo2(libc: Any) -> Source:
    function, system = libc.mallinfo2, array.array("q", [0])
    function.restype = _MallInfo2

    def read() -> int:
        info = function()
        system[0] = info.arena + info.hblkhd
        return int(info.uordblks + info.hblkhd)

    return Source("mallinfo2", read, system=lambda: system[0])


def mallinfo(libc: Any) -> Source:
    function = libc.mallinfo
    function.restype = _MallInfo
    arena, mapped, used = Unwrapped(), Unwrapped(), Unwrapped()

    def read() -> int:
        info = function()
        arena.follow(info.arena)
        return used.follow(info.uordblks) + mapped.follow(info.hblkhd)

    note = "mallinfo counts modulo 4 GiB: a jump of more than 2 GiB between two rows is misread"
    return Source(MODULO, read, note=note, system=lambda: arena.value + mapped.value)


class Unwrapped:
    """A number that is told modulo 2**32, followed over its wraps from one reading to the next.

    What the first reading left out stays left out: growth is true, the level may be too low.
    """

    __slots__ = ("_number",)

    def __init__(self) -> None:
        self._number = array.array("q", [0])  # not an integer of Python's: those are objects

    @property
    def value(self) -> int:
        return self._number[0]

    def follow(self, told: int) -> int:
        """Return the number, given what is told of it now: the nearest to the last one."""
        number, whole = self._number[0], 1 << 32
        risen = number + (told - number) % whole
        fell = risen - number >= whole // 2 and risen >= whole
        self._number[0] = risen - whole if fell else risen
        return self._number[0]


def _jemalloc(libc: Any) -> Source:
    mallctl = libc.mallctl
    epoch, size = ctypes.c_uint64(1), ctypes.c_size_t(8)
    value = ctypes.c_size_t()

    def statistic(name: bytes) -> int:
        mallctl(name, ctypes.byref(value), ctypes.byref(size), None, 0)
        return value.value

    def read() -> int:
        mallctl(b"thread.tcache.flush", None, None, None, 0)  # what this thread's cache holds
        mallctl(b"epoch", ctypes.byref(epoch), ctypes.byref(size), ctypes.byref(epoch), size)
        return statistic(b"stats.allocated")

    def system() -> int:
        return statistic(b"stats.mapped") + statistic(b"stats.retained")

    note = "jemalloc counts what the caches of other threads hold as in use"
    return Source("jemalloc stats.allocated", read, note=note, system=system)


def _malloc_zones(libc: Any) -> Source:
    function = libc.malloc_zone_statistics
    statistics = _ZoneStatistics()

    def read() -> int:
        function(None, ctypes.byref(statistics))
        return int(statistics.size_in_use)

    return Source("malloc_zone_statistics", read)


def _psutil(libc: Any) -> Source:
    import psutil

    def read() -> int:
        info = psutil.heap_info()
        return int(info.heap_used + info.mmap_used)

    return Source("psutil.heap_info", read)


def _sees_blocks(libc: Any, source: Source) -> bool:
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    for _ in range(PROBES):
        before = source.read()
        block = libc.malloc(ctypes.c_size_t(PROBE_BYTES))
        seen = source.read() - before
        libc.free(block)
        if PROBE_BYTES <= seen < 2 * PROBE_BYTES:
            return True
    return False


def malloc_source() -> Source:
    """Return the first source of malloc's live bytes that sees a block of ours.

    Where there is none: resident memory less the pools that hold Python's objects.
    """
    try:
        libc = _libc()
    except (OSError, TypeError):
        return resident_malloc()
    for make in (mallinfo2, mallinfo, _jemalloc, _malloc_zones, _psutil):
        try:
            source = make(libc)
            if _sees_blocks(libc, source):
                return source
        except (AttributeError, ImportError, OSError):
            continue
    return resident_malloc()


def resident_malloc() -> Source:
    note = "no allocator statistics here: resident memory stands in, in pages of 4 KiB"
    try:
        text = dumper()
    except (AttributeError, OSError, ValueError):
        return resident_rest("resident set", lambda: 0, note)
    return resident_rest("resident set less Python's pools", lambda: pool_bytes(text()), note)


def resident_rest(name: str, others: Read, note: str) -> Source:
    rss = resident.reader()
    if rss is None:
        return Source("none", lambda: 0, exact=False, note="nothing can be read: install psutil")
    read = rss
    return Source(name, lambda: read() - others(), exact=False, note=note)


def system_bytes() -> Tuple[int, int]:
    """Return the bytes that malloc has from the system and those it holds free; (0, 0): unknown."""
    try:
        function = _libc().mallinfo2
    except (OSError, AttributeError, TypeError):
        return 0, 0
    function.restype = _MallInfo2
    info = function()
    return int(info.arena + info.hblkhd), int(info.fordblks)


FIGURE = re.compile(rb"^(.*?\S)\s+=\s+([\d,]+)\s*$", re.M)
IN_POOLS = (
    b"# bytes in allocated blocks",
    b"# bytes in available blocks",
    b"# bytes lost to pool headers",
    b"# bytes lost to quantization",
)


def parse_blocks(text: bytes) -> Optional[int]:
    return _figure(text, b"bytes in allocated blocks")


def _figure(text: bytes, words: bytes) -> Optional[int]:
    """Return the figure of a line such as "# bytes in allocated blocks = 1,234,567", or None."""
    start = text.find(words)
    if start < 0:
        return None
    start = text.index(b"=", start) + 1
    return int(text[start : text.index(b"\n", start)].replace(b",", b""))


def pool_bytes(text: bytes) -> int:
    """Return the bytes of the pools that hold objects, from CPython's own statistics."""
    figures = {name: int(value.replace(b",", b"")) for name, value in FIGURE.findall(text)}
    return sum(figures.get(name, 0) for name in IN_POOLS)


def has_thread_cache(source: Source) -> bool:
    """Return whether malloc keeps small freed blocks where `source` counts them as in use."""
    libc = _libc()
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    # taken first: a block that comes out of the cache is one that the cache has room for
    blocks = [libc.malloc(ctypes.c_size_t(size)) for size in CACHED_SIZES]
    before = source.read()
    for block in blocks:
        libc.free(block)
    return before - source.read() < sum(CACHED_SIZES) // 2


def malloc_statistics() -> bytes:
    """Return the text in which CPython describes its arenas, pools and blocks."""
    return dumper()()


def dumper() -> streams.Text:
    dump = ctypes.pythonapi._PyObject_DebugMallocStats
    dump.argtypes = [ctypes.c_void_p]
    return streams.memory_text(_libc(), dump)


def memory_stream() -> Source:
    text, system = dumper(), array.array("q", [0])

    def read() -> int:
        said = text()
        blocks = parse_blocks(said)
        if blocks is None:
            raise ValueError("no line of allocated blocks")
        system[0] = _figure(said, b" bytes/arena") or 0
        return blocks

    return Source("_PyObject_DebugMallocStats", read, system=lambda: system[0])


def stderr_file() -> Source:
    import tempfile

    sink = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the source
    target, saved, system = sink.fileno(), os.dup(2), array.array("q", [0])

    def read(_keeps_open: Any = sink) -> int:
        os.lseek(target, 0, os.SEEK_SET)
        os.dup2(target, 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(saved, 2)
        said = os.pread(target, 1 << 16, 0)
        blocks = parse_blocks(said)
        if blocks is None:
            raise ValueError("no line of allocated blocks")
        system[0] = _figure(said, b" bytes/arena") or 0
        return blocks

    note = "read through the standard error stream: about 0.1 ms a reading"
    return Source("sys._debugmallocstats", read, note=note, system=lambda: system[0])


def _sees_objects(read: Read) -> bool:
    objects: List[Any] = [None] * PROBE_OBJECTS  # before the first reading: the list is malloc's
    before = read()
    for place in range(PROBE_OBJECTS):
        objects[place] = object()
    # a collection in between may free something: half of what we made must be seen
    return read() - before >= 8 * len(objects)


def python_source(malloc: Optional[Source] = None) -> Source:
    """Return the first source of pymalloc's live bytes that sees objects of ours.

    Where Python's objects are blocks of `malloc` (PYTHONMALLOC=malloc), that counts them already
    and there is nothing to add; where they are in neither, resident memory less malloc's.
    """
    for make in (memory_stream, stderr_file):
        try:
            source = make()
            if _sees_objects(source.read):
                return source
        except (AttributeError, OSError, ValueError):
            continue
    return _elsewhere(malloc or malloc_source())


def _elsewhere(malloc: Source) -> Source:
    """Stand in for Python's heap where its own statistics do not show it."""
    if malloc.exact and _sees_objects(malloc.read):
        note = "Python's objects are in malloc's heap"
        return Source("none", lambda: 0, note=note, system=lambda: 0)
    note = "Python's allocator does not tell its live bytes"
    if not malloc.exact:
        return Source("none", lambda: 0, exact=False, note=note + ": they are in resident memory")
    note += ": resident memory less malloc's stands in, in pages of 4 KiB"
    return resident_rest("resident set less malloc's", lambda: system_bytes()[0], note)


def fix_mmap_threshold(libc_bytes: int = 128 * 1024) -> None:
    """Hold glibc's mmap threshold still, so that a large block has the same size every time."""
    try:
        _libc().mallopt(ctypes.c_int(-3), ctypes.c_int(libc_bytes))
    except (OSError, AttributeError, TypeError):
        return
