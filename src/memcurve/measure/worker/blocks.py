"""The live blocks of both heaps that can hold an object of Python's, at one moment."""

from __future__ import annotations

from bisect import bisect_right
from typing import Iterator, NamedTuple, Optional

from . import chunks, pools
from .pools import Block, Memory


class Blocks(NamedTuple):
    """Blocks: small ones in pools of Python's allocator, large ones that malloc gave."""

    small: pools.Live = {}
    large: chunks.Large = {}

    def new_since(self, before: "Blocks") -> "Blocks":
        """Return those that are not in `before`."""
        large = {at: size for at, size in self.large.items() if before.large.get(at) != size}
        return Blocks(pools.only_new(self.small, before.small), large)

    def also_in(self, other: "Blocks") -> "Blocks":
        """Return those that are in `other` too."""
        large = {at: size for at, size in self.large.items() if other.large.get(at) == size}
        return Blocks(pools.only_both(other.small, self.small), large)

    def each(self, memory: Memory) -> Iterator[Block]:
        """Yield them one by one."""
        yield from pools.blocks_of(memory, self.small)
        for at, size in self.large.items():
            yield Block(at << chunks.SHIFT, size)

    def has(self, block: Block) -> bool:
        """Say whether a block is among them."""
        return self.large.get(block.address >> chunks.SHIFT) == block.size or pools.is_live(
            self.small, block
        )


class Places:
    """Finds the live block that an address is in."""

    def __init__(self, memory: Memory, live: Blocks) -> None:
        self._memory, self._live = memory, live
        self._starts = sorted(live.large)
        self._heap: Optional[chunks.MainHeap] = None

    def in_pool(self, address: int) -> bool:
        """Say whether an address is in a pool."""
        return address // pools.POOL_BYTES * pools.POOL_BYTES in self._live.small

    def is_free(self, address: int) -> bool:
        """Say whether an address, of no live block that is listed, is in memory that is free."""
        if self.in_pool(address) or pools.is_free_pool(self._memory, address):
            return True
        if self._heap is None:
            self._heap = chunks.MainHeap(self._memory)
        return self._heap.is_free(address)

    def block_at(self, address: int) -> Optional[Block]:
        """Return the live block that an address is in, None where it is in none that is listed."""
        if self.in_pool(address):
            pool = address // pools.POOL_BYTES * pools.POOL_BYTES
            block = pools.block_at(self._memory, pool, address)
            return block if block is not None and self._live.has(block) else None
        number = bisect_right(self._starts, address >> chunks.SHIFT) - 1
        if number < 0:
            return None
        start = self._starts[number] << chunks.SHIFT
        size = self._live.large[self._starts[number]]
        return Block(start, size) if address < start + size else None


def live_blocks(memory: Memory) -> Blocks:
    """Return all live blocks; costs some 0.1 s for a heap of 100 MB."""
    return Blocks(pools.live_blocks(memory), chunks.large_blocks(memory))
