"""Tell which descriptors are open, and which were opened since."""

from __future__ import annotations

import os
from typing import Dict, List


def open_ones() -> Dict[int, str]:
    """Return {number: what it is} of the open descriptors, where /proc tells."""
    found: Dict[int, str] = {}
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:
        return found
    for name in names:
        try:
            found[int(name)] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
    return found


def opened_since(before: Dict[int, str]) -> List[List[object]]:
    """Return [[kind, count]] of those that are open now and were not, or were others."""
    new: Dict[str, int] = {}
    for number, text in open_ones().items():
        if before.get(number) != text:
            kind = text.partition(":")[0] if ":[" in text or text.startswith("anon") else text
            new[kind] = new.get(kind, 0) + 1
    return [[kind, count] for kind, count in sorted(new.items())]
