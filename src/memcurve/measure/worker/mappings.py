"""Tell what resident memory consists of: allocators, stacks, files, the rest.

Read at both ends of the natural pass, for the ledger. Costs about a millisecond (smaps).
"""

from __future__ import annotations

import gc
import os
import re
from typing import Dict, Match, Optional, Tuple

from . import heap
from .counters import Counters

ARENA = re.compile(rb"(\d+) arenas \* (\d+) bytes/arena")
HEADER = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ (\S+) \S+\s*(.*)$")
GUARD_BYTES = 1 << 16


def _arena_bytes() -> int:
    """Return the bytes of pymalloc's arenas, 0 where that cannot be read."""
    try:
        text = heap.malloc_statistics()
    except (AttributeError, OSError, ValueError):
        return 0
    found = ARENA.search(text.replace(b",", b""))
    return int(found.group(1)) * int(found.group(2)) if found else 0


def regions() -> Dict[str, int]:
    """Return resident and writable bytes by kind of mapping; {} where there is no smaps.

    Kinds: "heap" (brk and anonymous memory that may be an allocator's), "stack" (of threads), and
    "other" (files, shared memory).
    """
    if not os.path.exists("/proc/self/smaps"):
        return {}
    with open("/proc/self/smaps") as file:
        text = file.read()
    totals = {"heap": 0, "stack": 0, "other": 0, "heap_size": 0}
    guard_end: Optional[int] = None
    kind, writable = "other", False
    for line in text.splitlines():
        if line[0] in "0123456789abcdef" and "-" in line[:20]:
            header = HEADER.match(line)
            if header is not None:
                kind, guard_end, writable = _kind(header, guard_end)
        elif line.startswith("Size:") and kind == "heap" and writable:
            totals["heap_size"] += int(line.split()[1]) * 1024
        elif line.startswith("Rss:"):
            totals[kind] += int(line.split()[1]) * 1024
    return totals


def _kind(header: Match[str], guard_end: Optional[int]) -> Tuple[str, Optional[int], bool]:
    start, end = int(header.group(1), 16), int(header.group(2), 16)
    access, name = header.group(3), header.group(5)
    if access.startswith("---") and not name and end - start <= GUARD_BYTES:
        return "heap", end, False
    anonymous = name in ("", "[heap]") or name.startswith("[anon")
    writable = access.startswith("rw")
    if name == "[stack]" or (anonymous and name == "" and start == guard_end):
        return "stack", None, writable
    return ("heap" if anonymous and access[3] == "p" else "other"), None, writable


def state(counters: Counters) -> Dict[str, int]:
    """Return what the ledger needs of this moment, in bytes; the heaps are read first."""
    python, malloc = counters.python.read(), counters.malloc.read()
    rss = counters.resources.rss()
    arenas, (system, free) = _arena_bytes(), heap.system_bytes()
    found = regions()
    space = counters.address_space()
    found.update(
        stacks_mapped_bytes=space.stacks,
        reserved_bytes=space.reserved,
        python_bytes=python,
        malloc_bytes=malloc,
        rss_bytes=rss,
        arena_bytes=arenas,
        malloc_system_bytes=system,
        malloc_free_bytes=free,
    )
    return found


def deferred(counters: Counters) -> Tuple[int, int, int]:
    """Return (Python bytes, malloc bytes, objects) that only the collector frees, and free them."""
    gc.freeze()
    gc.collect()  # walks nothing: it empties the free lists, which are not deferred bytes
    gc.unfreeze()
    before = counters.python.read(), counters.malloc.read()
    found = gc.collect()
    after = counters.python.read(), counters.malloc.read()
    if not found:
        return 0, 0, 0
    return max(before[0] - after[0], 0), max(before[1] - after[1], 0), found
