"""Search the memory of the process for an object's address: who has it can refer to the object.

An address that stands nowhere was lost: a reference was taken and never given back. One that
stands in memory of malloc, or among the variables of a library, may be held from there. As leak
sanitizers do, every aligned word counts as a reference; so "lost" is proved, up to stale words that
make it look held, and "held" says only where. Stacks of this thread and what is free in Python's
pools are left out, and so is what this search itself writes down.
"""

from __future__ import annotations

import collections
import ctypes
import os
import re
import time
import weakref
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from . import labels, pools
from .blocks import Blocks, Places

SAMPLES = 9
"""Objects whose address is searched for; most of them decide: a stale word is somewhere, such as in
a free list that an object came from. Each costs some 0.3 ms for a MB of memory."""
SEARCHED_BYTES = 2 << 30
"""Of memory that is searched, about a second of it; where there is more, nothing is said."""
CPU_S = 4.0
"""Seconds of CPU for all searches of a pass, as for letting groups go."""
PIECE = 1 << 20
NOTHING = bytes(PIECE)
WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw.. \S+ \S+ \d+ *(.*)$", re.M)

LOST, OBJECT, LIBRARY, MALLOC, UNKNOWN = "lost", "object", "library", "malloc", "unknown"
INTERNED = "interned"

ClassOf = Callable[[pools.Block], Optional[type]]
WEAK = (weakref.ReferenceType, weakref.ProxyType, weakref.CallableProxyType)


class HeldBy(NamedTuple):
    """Who has the addresses: the kind of place, and its name where it has one."""

    kind: str
    where: str = ""


def holder_of(
    memory: pools.Memory,
    live: Blocks,
    chosen: List[Tuple[int, pools.Block]],
    class_of: ClassOf,
    end_s: float,
) -> HeldBy:
    """Say who has the addresses of these objects, each with the block that it is in.

    `live` are all live blocks; `class_of` tells the class of the object that a block is. Nothing is
    said where the search is not done at `end_s` of this process's CPU time.
    """
    needles = [bytes(pools.WORD.pack(address)) for address, _ in chosen]
    regions = _regions()
    if sum(end - start for start, end, _ in regions) > SEARCHED_BYTES:
        return HeldBy(UNKNOWN)
    buffer = bytearray(PIECE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(buffer))
    own = [(start, start + PIECE)]
    own += [(id(needle), id(needle) + needle.__sizeof__()) for needle in needles]
    own += [(block.address, block.address + block.size) for _, block in chosen]
    places, votes = Places(memory, live), [_none() for _ in needles]
    for low, high, file in regions:
        if time.process_time() > end_s:
            return HeldBy(UNKNOWN)
        for number, address in _hits(memory, buffer, low, high, needles):
            if not any(first <= address < last for first, last in own):
                held = _held_by(places, address, file, class_of)
                if held is not None:
                    votes[number].append(held)
    return collections.Counter(map(_nearest, votes)).most_common(1)[0][0]


def _none() -> List[HeldBy]:
    return []


def _held_by(places: Places, address: int, file: str, class_of: ClassOf) -> Optional[HeldBy]:
    """Say who has the word at `address`; None for what is free, and for a weak reference."""
    block = places.block_at(address)
    if block is not None:
        kind = class_of(block)
        if kind is not None:
            return None if issubclass(kind, WEAK) else HeldBy(OBJECT, labels.type_name(kind))
        if places.in_pool(address):
            return HeldBy(OBJECT)
    elif places.is_free(address):
        return None
    return HeldBy(LIBRARY, os.path.basename(file)) if file.startswith("/") else HeldBy(MALLOC)


def _nearest(held: List[HeldBy]) -> HeldBy:
    """Return who is told of those that have one address: an object before a library's variable."""
    return min(held, key=lambda one: _ORDER.index(one.kind), default=HeldBy(LOST))


_ORDER = (OBJECT, LIBRARY, MALLOC)


def _regions() -> List[Tuple[int, int, str]]:
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        text = file.read()
    found = [
        (int(m.group(1), 16), int(m.group(2), 16), m.group(3)) for m in WRITABLE.finditer(text)
    ]
    return [one for one in found if one[2] != "[stack]"]


def _hits(
    memory: pools.Memory, buffer: bytearray, low: int, high: int, needles: List[bytes]
) -> Iterator[Tuple[int, int]]:
    """Yield (number of the needle, address) for each aligned word that is one."""
    for start in range(low, high, PIECE):
        size = memory.read_into(buffer, start, min(PIECE, high - start))
        if memoryview(buffer)[:size] == NOTHING[:size]:
            continue  # never touched: most of what libraries map ahead
        for number, needle in enumerate(needles):
            at = buffer.find(needle, 0, size)
            while at >= 0:
                if at % 8 == 0:
                    yield number, start + at
                at = buffer.find(needle, at + 1, size)
