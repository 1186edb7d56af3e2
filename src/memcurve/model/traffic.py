"""What one call asks the allocators for, whether or not it keeps it."""

import msgspec


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes of one call, by a tracer that sees malloc, mmap and Python's own allocator.

    `allocated_bytes` is all that a call asks for, the median of `calls`; `peak_bytes` the most that
    one of them held at once beyond what was there before it.
    """

    allocated_bytes: int
    peak_bytes: int
    calls: int
