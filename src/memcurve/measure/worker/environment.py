"""Describe the interpreter that measures: what decides whether two recordings compare."""

import functools
import os
import platform
import sys
import sysconfig

from . import heap


def describe(packages):
    """Return the environment of this process; `packages` are the distributions to look up."""
    libc = " ".join(platform.libc_ver()) or "unknown"
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "machine": platform.machine(),
        "libc": libc,
        "allocator": os.environ.get("PYTHONMALLOC", "pymalloc"),
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "sources": _sources(),
        "packages": _versions(packages),
        "executable": sys.executable,
    }


@functools.lru_cache(maxsize=None)  # a source that was made holds its stream for good
def _sources():
    sources = {"python_bytes": heap.python_source(), "malloc_bytes": heap.malloc_source()}
    return {
        name: {"name": source.name, "exact": source.exact, "note": source.note}
        for name, source in sources.items()
    }


def _versions(packages):
    if not packages:
        return {}
    from importlib import metadata

    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions
