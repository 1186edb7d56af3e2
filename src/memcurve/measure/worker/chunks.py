"""List the large blocks that malloc has given out, for objects too large for Python's allocator.

glibc's main heap is a row of chunks: each begins with its size, and the lowest bit of the next one
says whether it is in use (malloc/malloc.c). What is larger than some 128 KiB has a mapping of its
own, which begins the same way. Heaps of other threads are not read: calls run in the first.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Dict, Iterator, List, Tuple

from .pools import WORD, WRITABLE, Memory

Large = Dict[int, int]
"""Bytes of each block by its address, without the last four bits, which are 0: a table of addresses
as they are would be found by who searches memory for one."""
SHIFT = 4

LEAST_BYTES = 512  # below, Python's own allocator serves
CHUNK_HEADER = 16
IN_USE, MAPPED, FLAGS = 1, 2, 7
PAGE = 4096
LEAST_MAPPED = 128 << 10
MOST_CHUNKS = 2_000_000
"""Chunks of a heap that are read, a second of them; where there are more, none is."""
MOST_HEAP_BYTES = 256 << 20
"""Of a heap that is read: the reading is a copy of it, in the process that is looked at."""
HEAP = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ \d+ *\[heap\]$", re.M)


def large_blocks(memory: Memory) -> Large:
    """Return the large blocks that are in use; none where the heap does not read as glibc's."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        text = file.read()
    found: Large = {}
    low, high = _main_heap(text)
    for at, size, in_use in _chunks(memory.read(low, high - low)):
        if in_use and size > LEAST_BYTES:
            found[(low + at + CHUNK_HEADER) >> SHIFT] = size - CHUNK_HEADER // 2
    for low, high in _spans(WRITABLE, text):
        _of_mapping(memory, low, high, found)
    return found


class MainHeap:
    """Which parts of glibc's main heap hold small chunks, read once.

    Who asks has listed the large ones before: another one was free then, and what is in it is old,
    even if the search itself uses it by now.
    """

    def __init__(self, memory: Memory) -> None:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
            self._low, self._high = _main_heap(file.read())
        self._starts: List[int] = []
        self._in_use: List[bool] = []
        data, end = memory.read(self._low, self._high - self._low), 0
        for at, size, in_use in _chunks(data):
            self._starts.append(at)
            self._in_use.append(in_use and size <= LEAST_BYTES)
            end = at + size
        if self._starts and _is_top(data, end):
            self._starts.append(end)
            self._in_use.append(False)

    def is_free(self, address: int) -> bool:
        """Say whether an address, of no large chunk in use, is in one of this heap that is free."""
        if not self._low <= address < self._high or not self._starts:
            return False
        return not self._in_use[bisect_right(self._starts, address - self._low) - 1]


def _main_heap(maps: str) -> Tuple[int, int]:
    """Return where the main heap begins and ends; an empty one where there is none to read.

    After a fork one heap may be listed in parts; a chunk goes on from one to the next.
    """
    heaps = _spans(HEAP, maps)
    if not heaps or heaps[-1][1] - heaps[0][0] > MOST_HEAP_BYTES:
        return 0, 0
    return heaps[0][0], heaps[-1][1]


def _spans(pattern: "re.Pattern[str]", text: str) -> List[Tuple[int, int]]:
    return [(int(m.group(1), 16), int(m.group(2), 16)) for m in pattern.finditer(text)]


def _chunks(data: bytes) -> Iterator[Tuple[int, int, bool]]:
    """Yield (offset, size, whether it is in use) of the chunks of a heap, as far as it reads so."""
    words = memoryview(data)[: len(data) // 8 * 8].cast("Q")
    at, count, end = 0, 0, len(words) - 4
    while at < end and count < MOST_CHUNKS:
        size = words[at + 1] & ~FLAGS
        follows = at + size // 8
        if size < 32 or size % 16 or follows >= end:
            return
        yield at * 8, size, bool(words[follows + 1] & IN_USE)
        at, count = follows, count + 1


def _is_top(data: bytes, at: int) -> bool:
    """Say whether the chunk at an offset is the last: free, up to the end of the heap, and dirty.

    What was freed just before it is a part of it, with all that stood there.
    """
    size = int(WORD.unpack_from(data, at + 8)[0]) & ~FLAGS if at + 16 <= len(data) else 0
    return size > 0 and at + size == len(data)


def _of_mapping(memory: Memory, low: int, high: int, found: Large) -> None:
    while high - low >= LEAST_MAPPED:
        head = memory.read(low, CHUNK_HEADER)
        if len(head) < CHUNK_HEADER:
            return
        before, word = WORD.unpack(head[:8])[0], WORD.unpack(head[8:])[0]
        size = word & ~FLAGS
        if before or word & FLAGS != MAPPED or size % PAGE or not 0 < size <= high - low:
            return
        found[(low + CHUNK_HEADER) >> SHIFT] = size - CHUNK_HEADER
        low += size
