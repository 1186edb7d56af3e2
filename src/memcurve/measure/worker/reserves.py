"""Tell what is touched of the large mappings that a library makes at once and fills over time.

An allocator of a library's own (mimalloc under pyarrow) maps a gigabyte at its first use and hands
it out page by page. Counted whole it is no growth of anybody, and what leaks inside it moves no
mapping. So of such a reserve its touched pages count, as the kernel counts them.

A large mapping is a reserve if it came whole between two listings, and what no allocator explains
rose by as much: a large block of malloc's own moves its account instead. Reading the pages of 1 GiB
takes 0.3 ms, 1.1 ms where something may be swapped; it is read when the touched pages of the
process moved.
"""

from __future__ import annotations

import array
import ctypes
import os
from typing import Any, Iterator, List, Sequence, Tuple

MOST = 16  # more count whole, since nobody knows which of them are new; four were seen at most
WINDOW = 1 << 16
IN_PAGEMAP = 8  # bytes a page; the last one has its flags
ABSENT_FLAGS = bytes(flags for flags in range(256) if not flags & 0xC0)
"""Of a page that is neither present nor swapped."""

Range = Tuple[int, int]


class Reserves:
    """The reserves of this process. Makes nothing that stays once it is built."""

    def __init__(self, page: int, swaps: bool) -> None:
        self._page = page
        self._ranges = array.array("q", [0] * (2 * MOST))  # start, end; unused ones are empty
        self._large = array.array("q", [0] * (2 * MOST))
        self._too_many = array.array("b", [0])  # whether the last listing had more than fit
        self._window = bytearray(WINDOW)
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._window))
        self._mincore = _mincore()
        self._pagemap = os.open("/proc/self/pagemap", os.O_RDONLY) if swaps else None

    def relist(self, large: Sequence[Range], unexplained: int, risen: int) -> None:
        """Take the large mappings of a new listing; `risen`: by how much what no allocator explains
        rose since the last. No reserves are larger than all that is `unexplained`."""
        seen = list(_pairs(self._large))
        new = [one for one in large if one not in seen]
        known = [one for one in _pairs(self._ranges) if any(_holds(other, one) for other in large)]
        if new and _bytes(new) <= risen and not self._too_many[0]:
            known += [one for one in new if not any(_holds(one, other) for other in known)]
        if len(known) > MOST or _bytes(known) > unexplained:
            known = []
        _store(self._ranges, known)
        _store(self._large, list(large)[:MOST])
        self._too_many[0] = len(large) > MOST

    def untouched(self) -> int:
        """Return the bytes of all reserves that are neither in memory nor swapped."""
        count = self._absent if self._pagemap is None else self._absent_of_pagemap
        return sum(count(start, end) for start, end in _pairs(self._ranges)) * self._page

    def __bool__(self) -> bool:
        return self._ranges[1] > 0

    def _absent(self, start: int, end: int) -> int:
        absent = 0
        for low in range(start, end, WINDOW * self._page):
            pages = min((end - low) // self._page, WINDOW)
            if self._mincore(low, pages * self._page, self._address) != 0:
                return 0  # it is gone: the next listing says so
            absent += self._window.count(0, 0, pages)
        return absent

    def _absent_of_pagemap(self, start: int, end: int) -> int:
        absent, step = 0, WINDOW // IN_PAGEMAP
        for low in range(start, end, step * self._page):
            pages = min((end - low) // self._page, step)
            os.preadv(self._pagemap or 0, [self._window], low // self._page * IN_PAGEMAP)
            flags = self._window[IN_PAGEMAP - 1 : pages * IN_PAGEMAP : IN_PAGEMAP]
            absent += pages - len(flags.translate(None, ABSENT_FLAGS))
        return absent


def _mincore() -> Any:
    mincore = ctypes.CDLL(None).mincore
    mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    return mincore


def _pairs(ranges: Sequence[int]) -> Iterator[Range]:
    for place in range(0, len(ranges), 2):
        if ranges[place + 1]:
            yield ranges[place], ranges[place + 1]


def _store(place: Any, ranges: List[Range]) -> None:
    for index in range(MOST):
        start, end = ranges[index] if index < len(ranges) else (0, 0)
        place[2 * index], place[2 * index + 1] = start, end


def _holds(outer: Range, inner: Range) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _bytes(ranges: Sequence[Range]) -> int:
    return sum(end - start for start, end in ranges)
