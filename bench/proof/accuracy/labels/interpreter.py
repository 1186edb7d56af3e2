"""What the interpreter keeps for itself, and gives back or does not grow beyond."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("interpreter")

LABELLED: Final = (
    _of.clean("pure_work", "pure work", "nothing stays", peers=True),
    _of.clean(
        "lazy_imports",
        "lazy imports",
        "a module a call for 24 calls",
        still_after=24,
        peers=True,
    ),
    _of.clean(
        "late_import",
        "lazy imports",
        "two packages at call 60, after a flat start",
        still_after=61,
    ),
    _of.clean(
        "missing_import",
        "import cache",
        "sought in vain; the names tried enter CPython's attribute cache by chance of address",
        still_after=1000,
    ),
    _of.clean("free_lists", "free list", "tuples, floats and dicts of many sizes"),
    _of.clean(
        "sliding_dict",
        "resizing",
        "90 live keys: the table is rebuilt every so often",
        still_after=90,
    ),
    _of.clean("resized_list", "resizing", "extended by chance, cleared"),
    _of.clean(
        "interned_names",
        "interning",
        "80 interned attribute names, drawn by chance",
        still_after=900,
    ),
    _of.clean(
        "classes_dropped",
        "classes",
        "a class a call, in the weak registries of an ABC until collected",
    ),
    _of.clean(
        "exceptions_handled",
        "exceptions",
        "error, traceback and frame form a cycle of 21 frames",
    ),
    _of.clean("log_lines", "logging", "formatted lines, stream truncated"),
    _of.clean(
        "log_memory_handler",
        "logging",
        "MemoryHandler keeps 64 records, then flushes them",
        still_after=64,
    ),
    _of.clean(
        "loggers_by_name",
        "logging",
        "loggers live forever, but there are only 40 names",
        still_after=500,
    ),
    _of.clean(
        "finalizer_resurrects",
        "resurrection",
        "each object comes back once and needs two collections to die",
    ),
)
