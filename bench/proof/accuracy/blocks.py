"""Tell the block that an allocator really hands out for a requested size, by arithmetic alone.

Rule, for 64-bit CPython and glibc:
- object domain, n <= 512: pymalloc, the next multiple of 16 (at least 16);
- else malloc: a chunk of (n + 8 + 15) & ~15, at least 32;
- a chunk from 128 KiB on is mapped: chunk + 8, rounded up to whole pages.
Note: glibc raises its mapping threshold when a mapped block is freed, so that later blocks of that
size lose the page rounding: 0.4 % at one megabyte, and less above.
"""

from __future__ import annotations

from typing import Final

PYMALLOC_LARGEST: Final = 512
MAPPED_FROM: Final = 128 * 1024
PAGE: Final = 4096


def pymalloc_block(requested: int) -> int:
    """Return the bytes of the pymalloc block for a request of at most 512 bytes."""
    return max(16, -(-requested // 16) * 16)


def malloc_block(requested: int) -> int:
    """Return the bytes of the glibc chunk, or of the pages, for a request to malloc."""
    chunk = max(32, (requested + 8 + 15) & ~15)
    return chunk if chunk < MAPPED_FROM else -(-(chunk + 8) // PAGE) * PAGE


def block(requested: int, *, in_object_domain: bool) -> int:
    """Return the bytes that a request costs; objects of up to 512 bytes go to pymalloc."""
    if in_object_domain and requested <= PYMALLOC_LARGEST:
        return pymalloc_block(requested)
    return malloc_block(requested)
