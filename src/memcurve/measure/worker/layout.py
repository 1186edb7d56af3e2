"""Read what a process's address space consists of, by kind: the lines of /proc/self/maps.

Read only when the cheap totals moved (see `mapped`): it costs about 0.1 ms in a small process and
3 ms in one of 2,000 mappings.
"""

from __future__ import annotations

import os
import re
import threading
from typing import FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Tuple

# but for what is private, of a file and not writable: most lines, and none of our business
MAPPING = re.compile(
    rb"^([0-9a-f]+)-([0-9a-f]+) (?!r-.p \S+ (?!00:00 ))(\S+) \S+ \S+ \S+ *([^\n]*)$", re.M
)
ANONYMOUS = re.compile(rb"$|\[heap\]|\[anon|/dev/zero|/anon_hugepage")
IN_MEMORY = re.compile(rb"/dev/zero|\[anon_shmem|/memfd:|/SYSV|/dev/shm/")
# the start of a mapping of smaps with the flag that MAP_STACK leaves since Linux 6.7
MARKED = re.compile(rb"^([0-9a-f]+)-[0-9a-f]+ [^\n]*\n(?:[A-Z][^\n]*\n)*?VmFlags:[^\n]* nh", re.M)
Marks = FrozenSet[bytes]
DEFAULT_STACK = 8 << 20
LARGEST_GUARD = 1 << 16
CACHED_STACKS = 40 << 20  # glibc keeps so many bytes of stacks that no thread uses
CHUNK = 1 << 16
LARGE = 32 << 20
"""mimalloc maps 32 MiB or 1 GiB at once, OpenBLAS 32 MiB, Go 64 MiB (see `reserves`); what calls
map for themselves is smaller."""


class Layout(NamedTuple):
    """Bytes of the address space by kind, as far as no file can give them back."""

    stacks: int = 0  # of threads and of the process, also those that glibc keeps for later threads
    of_files: int = 0  # private and writable: data of libraries, copies that are made on writing
    shared: int = 0  # memory without a file on disk, which other processes may map too
    read_only: int = 0  # private, no file, readable or executable: compiled code
    reserved: int = 0  # private, no file, no access: nothing stands in it
    writable: int = 0  # private, no file, with the stacks of threads
    mappings: int = 0


class Listing(NamedTuple):
    """What one listing of the mappings shows."""

    layout: Layout
    large: List[Tuple[int, int]]  # start and end of what is writable, has no file and is large


def _whole_lines(path: str) -> Iterator[bytes]:
    """Yield the text of a file of /proc in blocks that end with a line: none is large.

    A block that malloc maps on its own would move glibc's threshold for that when it is freed.
    """
    descriptor, rest = os.open(path, os.O_RDONLY), b""
    try:
        while True:
            chunk = os.read(descriptor, CHUNK)
            if not chunk:
                return
            lines, _, rest = (rest + chunk).rpartition(b"\n")
            yield lines
    finally:
        os.close(descriptor)


def read_layout(threads: int, stack_bytes: int, marked: bool = False) -> Listing:
    """Return the layout of this process, and its large mappings.

    The stack of a thread is told by the guard below it. No more bytes count as stacks than
    `threads` of `stack_bytes` and glibc's cache explain: an allocator may have guards too. With
    `marked`, where a guard is no mapping of its own (glibc 2.42), stacks are told by the flag that
    the kernel gives them, which costs a walk of the page tables.
    """
    if marked:
        marks = frozenset(MARKED.findall(b"\n".join(_whole_lines("/proc/self/smaps"))))
        return layout_of(_whole_lines("/proc/self/maps"), threads, stack_bytes, marks)
    return layout_of(_whole_lines("/proc/self/maps"), threads, stack_bytes)


def layout_of(
    blocks: Iterable[bytes], threads: int, stack_bytes: int, marks: Optional[Marks] = None
) -> Listing:
    """Return what the lines of `maps` describe; `marks` are the starts of stacks."""
    sizes, large = dict.fromkeys(Layout._fields, 0), []
    of_threads = guard_end = 0
    for block in blocks:
        sizes["mappings"] += block.count(b"\n") + 1
        for low, high, access, name in MAPPING.findall(block):
            kind = _kind(access, name)
            if not kind:
                continue
            start, end = int(low, 16), int(high, 16)
            sizes[kind] += end - start
            if kind == "reserved" and end - start <= LARGEST_GUARD:
                guard_end = end
            elif kind == "writable" and not name:
                if end - start >= LARGE and start != guard_end and low not in (marks or ()):
                    large.append((start, end))
                if marks is None and start == guard_end:
                    of_threads += min(end - start, stack_bytes)
                elif marks is not None and low in marks:
                    of_threads += end - start
    sizes["stacks"] += min(of_threads, max(threads - 1, 0) * stack_bytes + CACHED_STACKS)
    return Listing(Layout(**sizes), large)


def _kind(access: bytes, name: bytes) -> str:
    if access.endswith(b"s"):
        return "shared" if IN_MEMORY.match(name) else ""
    if name == b"[stack]":
        return "stacks"
    writable = access[1:2] == b"w"
    if ANONYMOUS.match(name):
        if access.startswith(b"---"):
            return "reserved"
        return "writable" if writable else "read_only"
    return "of_files" if writable else ""


def stack_bytes_of_a_thread() -> int:
    """Return how large the stacks of threads are, unless a thread asked for another size."""
    import resource

    soft = resource.getrlimit(resource.RLIMIT_STACK)[0]
    return max(DEFAULT_STACK if soft == resource.RLIM_INFINITY else soft, threading.stack_size())
