"""Read the live bytes of the two heaps of a process: Python's own and malloc's.

The two do not overlap, because pymalloc maps its arenas directly; their sum is exact to allocator
blocks. Every source is chosen by trying it: it must see a block that we allocate ourselves, which
is how a preloaded jemalloc or a libc without ``mallinfo2`` is noticed.
"""

import ctypes
import os
import sys

PROBE_BYTES = 1 << 20
PROBE_OBJECTS = 1 << 14


class _MallInfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks "
        "keepcost".split()
    ]


class _MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name, _ in _MallInfo2._fields_]


class _ZoneStatistics(ctypes.Structure):
    _fields_ = [
        ("blocks_in_use", ctypes.c_uint),
        ("size_in_use", ctypes.c_size_t),
        ("max_size_in_use", ctypes.c_size_t),
        ("size_allocated", ctypes.c_size_t),
    ]


class Source:
    """One way to read a number of bytes: ``read()`` in bytes, and how good it is."""

    __slots__ = ("name", "read", "exact", "note")

    def __init__(self, name, read, exact=True, note=""):
        self.name, self.read, self.exact, self.note = name, read, exact, note


def _libc():
    return ctypes.CDLL(None)


def _mallinfo2(libc):
    function = libc.mallinfo2
    function.restype = _MallInfo2

    def read():
        info = function()
        return info.uordblks + info.hblkhd

    return Source("mallinfo2", read)


def _mallinfo(libc):
    function = libc.mallinfo
    function.restype = _MallInfo
    wrap = (1 << 32) - 1

    def read():
        info = function()
        return (info.uordblks & wrap) + (info.hblkhd & wrap)

    return Source("mallinfo", read, note="glibc before 2.33 counts modulo 4 GiB")


def _jemalloc(libc):
    mallctl = libc.mallctl
    epoch, size = ctypes.c_uint64(1), ctypes.c_size_t(8)
    value = ctypes.c_size_t()

    def read():
        mallctl(b"epoch", ctypes.byref(epoch), ctypes.byref(size), ctypes.byref(epoch), size)
        mallctl(b"stats.allocated", ctypes.byref(value), ctypes.byref(size), None, 0)
        return value.value

    note = "jemalloc counts what its per-thread caches hold as in use"
    return Source("jemalloc stats.allocated", read, note=note)


def _malloc_zones(libc):
    function = libc.malloc_zone_statistics
    statistics = _ZoneStatistics()

    def read():
        function(None, ctypes.byref(statistics))
        return statistics.size_in_use

    return Source("malloc_zone_statistics", read)


def _psutil(libc):
    import psutil

    def read():
        info = psutil.heap_info()
        return info.heap_used + info.mmap_used

    return Source("psutil.heap_info", read)


def resident_source():
    """Resident memory, where no heap can be read: pages, not bytes, and shared by everything."""
    note = "no allocator statistics here: resident memory stands in, in pages of 4 KiB"
    if os.path.exists("/proc/self/statm"):
        statm = os.open("/proc/self/statm", os.O_RDONLY)
        page = os.sysconf("SC_PAGE_SIZE")

        def read():
            return int(os.pread(statm, 128, 0).split()[1]) * page

        return Source("resident set", read, exact=False, note=note)
    try:
        import psutil
    except ImportError:
        return Source("none", lambda: 0, exact=False, note="nothing can be read: install psutil")
    process = psutil.Process()
    return Source("resident set", lambda: process.memory_info().rss, exact=False, note=note)


def _sees_blocks(libc, source):
    libc.malloc.restype = ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    before = source.read()
    block = libc.malloc(ctypes.c_size_t(PROBE_BYTES))
    seen = source.read() - before
    libc.free(block)
    return PROBE_BYTES <= seen < 2 * PROBE_BYTES


def malloc_source():
    """The first source of malloc's live bytes that sees a block of ours; else resident memory."""
    try:
        libc = _libc()
    except (OSError, TypeError):
        return resident_source()
    for make in (_mallinfo2, _mallinfo, _jemalloc, _malloc_zones, _psutil):
        try:
            source = make(libc)
            if _sees_blocks(libc, source):
                return source
        except (AttributeError, ImportError, OSError):
            continue
    return resident_source()


def _parse_blocks(text):
    """The figure of the line "# bytes in allocated blocks = 1,234,567", or None."""
    start = text.find(b"bytes in allocated blocks")
    if start < 0:
        return None
    start = text.index(b"=", start) + 1
    return int(text[start : text.index(b"\n", start)].replace(b",", b""))


def malloc_statistics():
    """Return the text in which CPython describes its arenas, pools and blocks."""
    return _dumper()()


def _dumper():
    libc = _libc()
    dump = ctypes.pythonapi._PyObject_DebugMallocStats
    dump.argtypes = [ctypes.c_void_p]
    # the stream writes to both for as long as it lives, so `read` must hold them
    buffer, size = ctypes.c_void_p(), ctypes.c_size_t()
    libc.open_memstream.restype = ctypes.c_void_p
    libc.rewind.argtypes = libc.fflush.argtypes = [ctypes.c_void_p]
    stream = libc.open_memstream(ctypes.byref(buffer), ctypes.byref(size))

    def text():
        libc.rewind(stream)
        dump(stream)
        libc.fflush(stream)
        return ctypes.string_at(buffer.value, size.value)

    return text


def _memory_stream():
    text = _dumper()

    def read():
        return _parse_blocks(text())

    return Source("_PyObject_DebugMallocStats", read)


def _stderr_file():
    import tempfile

    sink = tempfile.TemporaryFile()
    target, saved = sink.fileno(), os.dup(2)

    def read():
        os.lseek(target, 0, os.SEEK_SET)
        os.dup2(target, 2)
        try:
            sys._debugmallocstats()
        finally:
            os.dup2(saved, 2)
        return _parse_blocks(os.pread(target, 1 << 16, 0))

    read.sink = sink  # keeps the file open as long as the source
    note = "read through the standard error stream: about 0.1 ms a reading"
    return Source("sys._debugmallocstats", read, note=note)


def python_source():
    """The first source of pymalloc's live bytes that sees objects of ours; else a zero source."""
    for make in (_memory_stream, _stderr_file):
        try:
            source = make()
            before = source.read()
            objects = [object() for _ in range(PROBE_OBJECTS)]
            after = source.read()
            # a collection in between may free something: half of what we made must be seen
            if before is not None and after - before >= 8 * len(objects):
                return source
        except (AttributeError, OSError, ValueError):
            continue
    note = "Python's small objects are not told apart from the rest of the process"
    return Source("none", lambda: 0, exact=False, note=note)


def fix_mmap_threshold(libc_bytes=128 * 1024):
    """Hold glibc's mmap threshold still, so that a large block has the same size every time."""
    try:
        _libc().mallopt(ctypes.c_int(-3), ctypes.c_int(libc_bytes))
    except (OSError, AttributeError, TypeError):
        return
