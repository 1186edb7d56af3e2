"""List the live blocks of Python's own allocator, and say of which type each is.

The collector knows containers only. Text, bytes, numbers, arrays and iterators of NumPy and most
objects of extensions it never lists, and where nothing refers to such an object any more, only its
block is left: 16 to 512 bytes in a pool. Layout of a pool: `pool_header` of CPython's
Objects/obmalloc.c, the same from 3.8 to 3.13. Memory is read through /proc/self/mem: where nothing
is mapped that is an error, not a crash.
"""

from __future__ import annotations

import os
import re
import struct
import sys
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

POOL_BYTES = 16384 if sys.version_info >= (3, 10) else 4096
HEADER = struct.Struct("QQQQIIII")
"""Blocks in use, first free block, next and previous pool, arena, class of sizes, and the offsets
of the first block that was never used and of the last that there is."""
WORD = struct.Struct("Q")
ALIGNMENT = 16
CLASSES = 32  # 16, 32 … 512 bytes
WRITABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) rw.p \S+ 00:00 0 *$", re.M)
PROBES = 20
MOST_BYTES = 1 << 30
"""Of mappings that are looked through for pools: half a second."""
PIECE = 1 << 20

Live = Dict[int, bytes]  # address of a pool: for each of its blocks whether it is live


class Block(NamedTuple):
    """One live block."""

    address: int
    size: int


class Memory:
    """The memory of this process, to read; it is open from the first reading until `close`.

    Whoever looks closes it before calls run: their descriptors are counted.
    """

    def __init__(self) -> None:
        self._opened = -1

    @property
    def _descriptor(self) -> int:
        if self._opened < 0:
            self._opened = os.open("/proc/self/mem", os.O_RDONLY)
        return self._opened

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._opened >= 0:
            os.close(self._opened)
            self._opened = -1

    def read_into(self, buffer: bytearray, address: int, size: int) -> int:
        """Read what stands there into a buffer, and return how many bytes that were."""
        try:
            return os.preadv(self._descriptor, [memoryview(buffer)[:size]], address)
        except (OSError, OverflowError):
            return 0

    def read(self, address: int, size: int) -> bytes:
        """Return what stands there, less where a mapping ends, nothing where none is."""
        try:
            return os.pread(self._descriptor, size, address)
        except (OSError, OverflowError):
            return b""


def _mappings() -> List[Tuple[int, int]]:
    """Return (start, end) of what is private, writable and of no file: there arenas are."""
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        text = file.read()
    return [(int(m.group(1), 16), int(m.group(2), 16)) for m in WRITABLE.finditer(text)]


Headers = Dict[int, bytes]  # address of a pool: what its header was


def headers_of(memory: Memory, pools: Live) -> Headers:
    """Return the headers of these pools, as they are now."""
    return {pool: memory.read(pool, HEADER.size) for pool in pools}


def live_blocks(memory: Memory, unlike: Optional[Headers] = None) -> Live:
    """Return which blocks of all pools are live; costs some 0.2 s for 100 MB of pools.

    With `unlike`, only of pools whose header is another one: then few objects are made, each of
    which is expensive while tracemalloc runs.
    """
    found: Live = {}
    looked = 0
    for start, end in _mappings():
        looked += end - start
        if looked > MOST_BYTES:
            break
        start = -(-start // POOL_BYTES) * POOL_BYTES
        for piece in range(start, end, PIECE):
            data = memory.read(piece, min(PIECE, end - piece))
            for offset in range(0, len(data) - POOL_BYTES + 1, POOL_BYTES):
                if unlike and data[offset : offset + HEADER.size] == unlike.get(piece + offset):
                    continue
                live = _live_in(data, offset, piece + offset)
                if live is not None:
                    found[piece + offset] = live
    return found


def _live_in(data: bytes, offset: int, address: int) -> Optional[bytes]:
    """Return which blocks of a pool are live; None for what is no pool, or is not in use.

    A pool is proved: its header fits its class of sizes, and its list of free blocks ends within
    it and leaves as many as the header says are in use.
    """
    in_use, free, _, _, _, number, unused, last = HEADER.unpack_from(data, offset)
    size = (number + 1) * ALIGNMENT
    if number >= CLASSES or last != POOL_BYTES - size or not in_use:
        return None
    capacity = (POOL_BYTES - HEADER.size) // size
    carved, rest = divmod(unused - HEADER.size, size)
    if rest or not 0 < carved <= capacity or in_use > carved:
        return None
    live = bytearray(b"\x01") * carved
    for _ in range(carved - in_use):
        place, rest = divmod(free - address - HEADER.size, size)
        if rest or not 0 <= place < carved or not live[place]:
            return None
        live[place] = 0
        free = WORD.unpack_from(data, offset + free - address)[0]
    return bytes(live) if free == 0 else None


def only_new(after: Live, before: Live) -> Live:
    """Return which blocks are live and were not before."""
    found: Live = {}
    for pool, live in after.items():
        was = before.get(pool, b"")
        if live != was:
            old = was.ljust(len(live), b"\x00")
            found[pool] = bytes(now and not then for now, then in zip(live, old))
    return found


def only_both(one: Live, other: Live) -> Live:
    """Return which blocks are live in both."""
    return {
        pool: bytes(a and b for a, b in zip(one[pool], live))
        for pool, live in other.items()
        if pool in one
    }


def blocks_of(memory: Memory, blocks: Live) -> Iterator[Block]:
    """Yield the blocks that are live in these pools."""
    for pool, live in blocks.items():
        if any(live):
            size = _size_in(memory, pool)
            for place, lives in enumerate(live):
                if lives:
                    yield Block(pool + HEADER.size + place * size, size)


def block_at(memory: Memory, pool: int, address: int) -> Optional[Block]:
    """Return the block of a pool that an address is in; None for the header."""
    size = _size_in(memory, pool)
    place = (address - pool - HEADER.size) // size
    return Block(pool + HEADER.size + place * size, size) if place >= 0 else None


def is_live(live: Live, block: Block) -> bool:
    """Say whether a block is among the live ones."""
    pool = block.address // POOL_BYTES * POOL_BYTES
    place = (block.address - pool - HEADER.size) // block.size
    return live.get(pool, b"")[place : place + 1] == b"\x01"


def is_free_pool(memory: Memory, address: int) -> bool:
    """Say whether an address is in a pool in which nothing is in use: it keeps its last header."""
    data = memory.read(address // POOL_BYTES * POOL_BYTES, HEADER.size)
    if len(data) < HEADER.size:
        return False
    in_use, _, _, _, _, number, _, last = HEADER.unpack(data)
    return not in_use and number < CLASSES and bool(last == POOL_BYTES - (number + 1) * ALIGNMENT)


def _size_in(memory: Memory, pool: int) -> int:
    return (int(HEADER.unpack(memory.read(pool, HEADER.size))[5]) + 1) * ALIGNMENT


def usable() -> bool:
    """Say whether pools can be read here: blocks of ours are seen while they live, and not after.

    False where another allocator took pymalloc's place, on a system without /proc, and where pools
    have another layout.
    """
    memory = Memory()
    try:
        if not memory.read(id(memory), HEADER.size) or not os.path.exists("/proc/self/maps"):
            return False
        probe = [bytes(200) for _ in range(PROBES)]
        places = [id(one) for one in probe]
        before = live_blocks(memory)
        seen = [_is_start(memory, before, place) for place in places]
        del probe
        after = live_blocks(memory)  # which may take a few of these blocks for itself
        return all(seen) and sum(_is_start(memory, after, p) for p in places) < PROBES // 2
    finally:
        memory.close()


def _is_start(memory: Memory, live: Live, address: int) -> bool:
    pool = address // POOL_BYTES * POOL_BYTES
    block = block_at(memory, pool, address) if pool in live else None
    return block is not None and block.address == address and is_live(live, block)
