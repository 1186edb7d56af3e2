"""Tell what this interpreter lets us count, by trying it."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from typing import Any, Dict

from . import counters, environment, heap, resources

OPTIONAL = ("memray", "objgraph", "psutil")


def facts() -> Dict[str, Any]:
    """Return what the parent turns into a diagnosis: plain values, nothing judged.

    Makes readers of its own, so it is for a process that measures nothing afterwards.
    """
    python, malloc, found, _, _ = counters.make_readers()
    return {
        "environment": environment.describe(()),
        "thread_cache": _thread_cache(malloc),
        "freezes": hasattr(gc, "freeze"),
        "fork": hasattr(os, "fork"),
        "proc": isinstance(found, resources.ProcFiles),
        "resets_peak": os.access("/proc/self/clear_refs", os.W_OK),
        "dev_fd": os.path.isdir("/dev/fd"),
        "row_ns": _row_ns(python, malloc),
        "modules": {name: _found(name) for name in OPTIONAL},
        "debug": environment.allocator().partition("+")[0].endswith("debug"),
        "gil": bool(getattr(sys, "_is_gil_enabled", lambda: True)()),
    }


def _thread_cache(malloc: heap.Source) -> bool:
    try:
        return malloc.exact and heap.has_thread_cache(malloc)
    except (OSError, AttributeError, TypeError):
        return False


def _row_ns(python: heap.Source, malloc: heap.Source) -> int:
    clock = counters.Clock()
    rounds = 20
    clock.start()
    for _ in range(rounds):
        python.read()
        malloc.read()
    clock.stop()
    return clock.cpu_ns // rounds


def _found(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
