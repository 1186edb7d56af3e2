"""Say which heap the memory of an object is in, from its size and its type.

Python's own allocator serves requests of up to 512 bytes, malloc what is larger. An object is one
block, or a head and what the head points at: the entries of a list, the table of a dictionary.
"""

from __future__ import annotations

import sys
import types
from typing import Any, List, Tuple

from . import labels

LARGEST_SMALL = 512  # SMALL_REQUEST_THRESHOLD of CPython's obmalloc.c, the same since 3.4
ALIGNMENT = 16  # of a block in either heap, on 64 bits
CHUNK_HEADER = 8  # what malloc needs besides the block itself


def heaps_of(thing: Any) -> Tuple[int, int]:
    """Return the (Python, malloc) bytes of an object alone, in blocks of the allocators."""
    kind = type(thing)
    size, header = _size(thing, kind)
    if kind.__itemsize__ or labels.is_a(thing, str):
        return _block(size + header)
    head = min(kind.__basicsize__, size)
    python, malloc = _block(head + header)
    by_python = any(ancestor.__module__ in _BY_PYTHON for ancestor in kind.__mro__[:-1])
    rest = _block(size - head) if by_python else (0, _malloced(size - head))
    return python + rest[0], malloc + rest[1]


_BY_PYTHON = ("builtins", "collections", "array", "_io", "_asyncio")
"""Modules whose types take what they point at from Python's allocators; those of an extension
(arrays of NumPy, frames of pandas) take it from malloc, however small it is."""


def _size(thing: Any, kind: type) -> Tuple[int, int]:
    """Return the size of an object alone, and of what stands before it: the collector's header.

    A `__sizeof__` that is written in Python counts what the object leads to as well, and is code of
    the program: such an object is as large as its head.
    """
    defined = next(vars(one)["__sizeof__"] for one in kind.__mro__ if "__sizeof__" in vars(one))
    if labels.is_a(defined, types.FunctionType):
        return kind.__basicsize__, sys.getsizeof(_TRACKED) - _TRACKED.__sizeof__()
    try:
        size = defined(thing)
        return size, max(sys.getsizeof(thing) - size, 0)
    except Exception:  # an object that is half made
        return kind.__basicsize__, 0


_TRACKED: List[Any] = []


def _block(size: int) -> Tuple[int, int]:
    if size > LARGEST_SMALL:
        return 0, _malloced(size)
    return (max(size, 0) + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT, 0


def _malloced(size: int) -> int:
    if size <= 0:
        return 0
    return (size + CHUNK_HEADER + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
