"""Read the text that a C function writes to a stream, without a file."""

from __future__ import annotations

import ctypes
from typing import Any, Callable

Text = Callable[[], bytes]


def memory_text(libc: Any, write: Callable[[ctypes.c_void_p], Any]) -> Text:
    """Return what has `write(stream)` write, and returns the bytes.

    The stream lives as long as this process. Raises AttributeError where libc has no such streams.
    """
    # the stream writes to both for as long as it lives, so `text` must hold them
    buffer, size = ctypes.c_void_p(), ctypes.c_size_t()
    opening, rewind, flush = libc.open_memstream, libc.rewind, libc.fflush
    opening.restype = ctypes.c_void_p
    rewind.argtypes = flush.argtypes = [ctypes.c_void_p]
    stream = ctypes.c_void_p(opening(ctypes.byref(buffer), ctypes.byref(size)))

    def text() -> bytes:
        rewind(stream)
        write(stream)
        flush(stream)
        return ctypes.string_at(buffer.value or 0, size.value)

    return text
