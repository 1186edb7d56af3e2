"""Count the memory that a process maps past both heaps, in whole pages.

The kernel keeps the bytes of all private writable mappings as plain numbers: exact, and cheap to
read. What the two allocators have from the system goes off, so do stacks and the data of files;
memory that is shared without a file on disk, and compiled code, come on:

    mapped = private writable - stacks - of files + shared + read only - pymalloc's - malloc's
             - what nobody touched of a library's own reserve (see `reserves`)

The last two are what the allocators say of themselves. What lies between is read from the list of
mappings, only when the totals moved by something that no allocator explains: a steady process pays
some 5 microseconds a reading, however many mappings it has. The touched part is what is resident or
swapped of all private memory without a file, less the same last two: pages that stacks touched are
in it, and what an allocator has and never touched is missing, so it is told by its growth.
"""

from __future__ import annotations

import array
import ctypes
import os
import platform
import re
from typing import Any, Callable, Iterator, List, Optional, Tuple

from . import heap, streams
from .layout import Layout, read_layout, stack_bytes_of_a_thread
from .reserves import Reserves

PROBE_BYTES = 16384
PROBES = 3  # another thread may map something during one of them
BLOCKS = (100_000, 48 << 20)  # one from the top of the heap, one that malloc maps on its own
READ_WRITE, PRIVATE_ANONYMOUS = 3, 0x22
GUARDS_UNSEEN = (2, 42)  # the first glibc whose guards are no mappings of their own
LAST_ARENAS = re.compile(rb'<aspace type="mprotect" size="(\d+)"/>\s*</malloc>')
BLOCKS_OF_THEIR_OWN = re.compile(rb'<total type="mmap" count="\d+" size="(\d+)"/>')

Bytes = Callable[[], int]


class Totals:
    """What the kernel keeps as plain numbers, through descriptors that stay open."""

    def __init__(self) -> None:
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._statm = os.open("/proc/self/statm", os.O_RDONLY)
        self._status = os.open("/proc/self/status", os.O_RDONLY) if _has_swap() else None

    def read(self) -> Tuple[int, int, int]:
        """Return the bytes of private writable mappings, of others, and of touched pages."""
        size, resident, shared, _, _, data, _ = os.pread(self._statm, 128, 0).split()
        writable, touched = int(data), int(resident) - int(shared)
        others = int(size) - writable
        return writable * self._page, others * self._page, touched * self._page + self._swapped()

    def _swapped(self) -> int:
        if self._status is None:
            return 0
        text = os.pread(self._status, 4096, 0)
        start = text.find(b"VmSwap:")
        return int(text[start + 7 : text.index(b"kB", start)]) * 1024 if start >= 0 else 0


def _has_swap() -> bool:
    try:
        with open("/proc/swaps", "rb") as file:
            return file.read().count(b"\n") > 1
    except OSError:
        return False


class Mapped:
    """What is mapped past both heaps. Read it right after both heaps were read.

    `arenas` and `system` are what pymalloc and malloc had from the system at that reading;
    `committed` is the same of malloc, asked again, with what arenas of threads gave up: glibc hands
    its pages back and leaves them writable. The state is kept as machine integers: the next reading
    must not find new objects of ours.
    """

    def __init__(self, arenas: Bytes, system: Bytes, committed: Bytes) -> None:
        self._arenas, self._system, self._committed = arenas, system, committed
        self._totals = Totals()
        self._marked = glibc_version() >= GUARDS_UNSEEN
        self._seen = array.array("q", [-1, -1])  # totals less what is known to explain them
        self._walked = array.array("q", [-1, -1])  # the same when the mappings were listed
        self._layout = array.array("q", [0] * len(Layout._fields))
        self._found = array.array("q", [0, 0, 0])  # mapped, touched, of reserves not touched
        self._reserves = Reserves(os.sysconf("SC_PAGE_SIZE"), _has_swap())

    def read(self) -> int:
        """Return the mapped bytes; sets `touched`."""
        arenas, system = self._arenas(), self._system()
        writable, others, anonymous = self._totals.read()
        if self._seen[0] != writable - arenas - system or self._seen[1] != others:
            writable, others, anonymous = self._recount(arenas, system)
            self._seen[0], self._seen[1] = writable - arenas - system, others
        touched = anonymous - arenas - system
        if self._reserves and self._found[1] != touched:
            self._found[2] = self._reserves.untouched()
        self._found[1] = touched
        return self._found[0] - self._found[2]

    def _recount(self, arenas: int, system: int) -> Tuple[int, int, int]:
        committed = self._committed()
        totals = self._totals.read()
        unexplained, others = totals[0] - arenas - committed, totals[1]
        if self._walked[0] != unexplained or self._walked[1] != others:
            self._walk(unexplained)
            self._walked[0], self._walked[1] = unexplained, others
        layout = self.layout
        self._found[0] = (
            unexplained - layout.stacks - layout.of_files + layout.shared + layout.read_only
        )
        return totals

    def _walk(self, unexplained: int) -> None:
        threads = len(os.listdir("/proc/self/task"))
        layout, large = read_layout(threads, stack_bytes_of_a_thread(), self._marked)
        for place, size in enumerate(layout):
            self._layout[place] = size
        self._reserves.relist(large, unexplained, risen=unexplained - max(self._walked[0], 0))
        self._found[2] = self._reserves.untouched()

    @property
    def touched(self) -> int:
        """The touched bytes that go with the last reading; see the module for what they are."""
        return self._found[1]

    @property
    def layout(self) -> Layout:
        """The mappings by kind when they were last listed."""
        return Layout(*self._layout)


def glibc_version() -> Tuple[int, ...]:
    """Return the version of glibc, () for another libc."""
    name, version = platform.libc_ver()
    return tuple(int(part) for part in version.split(".")[:2]) if name == "glibc" else ()


def _malloc_info(libc: Any) -> Bytes:
    """Return what reads the bytes that glibc has made writable, in its arenas and outside them."""
    libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
    text = streams.memory_text(libc, lambda stream: libc.malloc_info(0, stream))

    def committed() -> int:
        said = text()
        arenas = LAST_ARENAS.search(said, said.rindex(b"<aspace"))
        own = BLOCKS_OF_THEIR_OWN.search(said, said.rindex(b'<total type="mmap"'))
        if arenas is None or own is None:
            raise ValueError("malloc_info says nothing of its arenas")
        return int(arenas.group(1)) + int(own.group(1))

    return committed


def reader(python: heap.Source, malloc: heap.Source) -> Optional[Mapped]:
    """Return what counts mapped memory outside these two heaps, None where it cannot be told apart.

    Chosen by trying, as the sources of the heaps are: a block of malloc must change nothing, pages
    of our own all that they are.
    """
    if python.system is None or malloc.system is None or not os.path.exists("/proc/self/statm"):
        return None
    libc = ctypes.CDLL(None)
    for committed in _ways(libc, malloc.system):
        try:
            mapped = Mapped(python.system, malloc.system, committed)
            if _sees_pages(libc, mapped, lambda: (python.read(), malloc.read())):
                return mapped
        except (AttributeError, OSError, ValueError):
            continue
    return None


def source(python: heap.Source, malloc: heap.Source) -> heap.Source:
    """Return how it is read, for a reader; the value itself goes with a reading of the heaps."""
    found = reader(python, malloc)
    if found is not None:
        return heap.Source("/proc/self/statm less both heaps", found.read, note="in whole pages")
    if not os.path.exists("/proc/self/statm"):
        note = "no /proc here: memory mapped past the heaps is not counted"
    elif python.exact and malloc.exact:
        note = "the allocator does not tell what it has mapped: what others map is not counted"
    else:
        note = "it is in the resident memory that stands in for a heap"
    return heap.Source("none", lambda: 0, exact=False, note=note)


def _ways(libc: Any, system: Bytes) -> Iterator[Bytes]:
    if hasattr(libc, "malloc_info"):
        yield _malloc_info(libc)
    yield system


def _sees_pages(libc: Any, mapped: Mapped, read_heaps: Callable[[], Any]) -> bool:
    libc.malloc.restype = libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]

    def read() -> int:
        read_heaps()
        return mapped.read()

    return any(_probe(libc, read) for _ in range(PROBES))


def _probe(libc: Any, read: Bytes) -> bool:
    before = read()
    blocks: List[int] = [libc.malloc(ctypes.c_size_t(size)) for size in BLOCKS]
    with_blocks = read()
    for block in blocks:
        libc.free(block)
    pages = libc.mmap(None, PROBE_BYTES, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0)
    with_pages = read()
    libc.munmap(pages, PROBE_BYTES)
    return (with_blocks, with_pages, read()) == (before, before + PROBE_BYTES, before)
