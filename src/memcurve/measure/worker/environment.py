"""Describe the interpreter that measures: what decides whether two recordings compare."""

from __future__ import annotations

import functools
import os
import platform
import re
import sys
import sysconfig
from typing import Any, Dict, Iterable, Optional

from . import children, heap, mapped

# a library that took malloc's place, as its file is called
REPLACED = re.compile(r"lib(jemalloc|tcmalloc|mimalloc|snmalloc|rpmalloc|hoard)[^/]*\.so")


def describe(packages: Iterable[str]) -> Dict[str, Any]:
    """Return the environment of this process; `packages` are the distributions to look up."""
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "machine": platform.machine(),
        "libc": _libc(),
        "allocator": allocator(),
        "free_threaded": free_threaded(),
        "sources": _sources(),
        "packages": _versions(packages),
        "executable": sys.executable,
        # as concurrent.futures counts them, by which asyncio sizes its own pool
        "cpus": getattr(os, "process_cpu_count", os.cpu_count)() or 0,
    }


def _libc() -> str:
    host = sysconfig.get_config_var("HOST_GNU_TYPE") or ""
    return " ".join(platform.libc_ver()).strip() or ("musl" if "musl" in host else "unknown")


def free_threaded() -> bool:
    """Return whether this interpreter is built without the global lock."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def allocator() -> str:
    """Return what objects are allocated by, and, after a plus, what took malloc's place."""
    own = "mimalloc" if free_threaded() else "pymalloc"
    chosen = os.environ.get("PYTHONMALLOC") or ("debug" if sys.flags.dev_mode else own)
    if chosen == "default":
        chosen = own
    replaced = malloc_replacement()
    return "%s+%s" % (chosen, replaced) if replaced else chosen


def malloc_replacement() -> str:
    """Return the name of a library that stands in for the libc's malloc, "" without one."""
    try:
        with open("/proc/self/maps") as file:
            found = REPLACED.search(file.read())
    except OSError:
        return ""
    return found.group(1) if found else ""


@functools.lru_cache(maxsize=None)  # a source that was made holds its stream for good
def _sources() -> Dict[str, Dict[str, Any]]:
    malloc = heap.malloc_source()
    python = heap.python_source(malloc)
    sources = {
        "python_bytes": python,
        "malloc_bytes": malloc,
        "mapped_bytes": mapped.source(python, malloc),
        "children_bytes": children.source(),
    }
    return {
        name: {"name": source.name, "exact": source.exact, "note": source.note}
        for name, source in sources.items()
    }


def _versions(packages: Iterable[str]) -> Dict[str, str]:
    found = {name: _version(name) for name in packages}
    return {name: version for name, version in found.items() if version is not None}


@functools.lru_cache(maxsize=None)  # a look-up leaves cycles behind each time
def _version(package: str) -> Optional[str]:
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
