"""Trace where live memory was allocated, over a stretch of calls.

memray where this interpreter has it (malloc and Python's allocators; aggregated file, read back and
removed), else tracemalloc (Python's allocators only). What is still live after settling is given
stack by stack; the parent subtracts a shorter stretch from a longer one, so that what a full cache
holds falls out.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Tuple, Union

from . import labels

Frame = Tuple[str, str, int]  # function, file, line
Merged = Dict[Tuple[Tuple[Frame, ...], bool], List[int]]

MOST_STACKS = 4000
"""Stacks that are told: the largest of some ten thousand that a call of many libraries has."""
DEEPEST = 24
"""Frames that are told of a stack; the user's own stays however deep it is."""
TRACEMALLOC_FRAMES = 3
"""Frames of tracemalloc where memray is missing: each costs as much again as tracing itself."""
LARGEST_SMALL = 512  # what pymalloc serves itself


def make_tracer(
    wanted: str, native: bool = False, folder: Optional[str] = None
) -> Union[MemrayTracer, TracemallocTracer]:
    """Return the tracer that can be had: memray's unless it is missing or another is asked for.

    Its file goes to `folder`, which the parent removes even if this process is killed.
    """
    if wanted != "tracemalloc":
        try:
            return MemrayTracer(native, folder)
        except ImportError:
            if wanted == "memray":
                raise
    return TracemallocTracer()


OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


def trimmed(frames: Iterable[Frame]) -> List[Frame]:
    """Return the frames, innermost first, without those of the worker around the call.

    The innermost of the user's own code stays however deep it is.
    """
    kept: List[Frame] = []
    users = False
    for function, filename, line in frames:
        if filename.startswith(OWN_FOLDER):
            break
        first = not users and labels.is_users(filename)
        users = users or first
        if len(kept) < DEEPEST or first:
            kept.append((function, filename, line))
        if len(kept) >= DEEPEST and users:
            break
    return kept


class MemrayTracer:
    """memray with Python's allocators, into an aggregated file."""

    name = "memray"
    sees_malloc, settles = True, True

    def __init__(self, native: bool, folder: Optional[str]) -> None:
        import memray

        self._memray, self._native = memray, native
        self._tracker: Any = None
        self._path = tempfile.mktemp(prefix="memcurve-", suffix=".memray", dir=folder)

    def start(self) -> None:
        memray = self._memray
        self._tracker = memray.Tracker(
            destination=memray.FileDestination(self._path, overwrite=True, compress_on_exit=False),
            trace_python_allocators=True,
            native_traces=self._native,
            file_format=memray.FileFormat.AGGREGATED_ALLOCATIONS,
        )
        self._tracker.__enter__()

    def stop(self) -> None:
        self._tracker.__exit__(None, None, None)
        self._tracker = None

    def read(self, flame_graph: Optional[str] = None, keep: Optional[str] = None) -> Dict[str, Any]:
        """Return {"stacks", "peak_bytes", "peak", "flame_graph": whether it was drawn}.

        The file is removed unless `keep` names a place for it.
        """
        try:
            with self._memray.FileReader(self._path) as reader:
                stacks = self._stacks(reader.get_leaked_allocation_records(merge_threads=True))
                peak = self._stacks(
                    reader.get_high_watermark_allocation_records(merge_threads=True)
                )
                peak_bytes = reader.metadata.peak_memory
            if flame_graph:
                self._draw(flame_graph)
        finally:
            if keep:
                shutil.move(self._path, keep)
            elif os.path.exists(self._path):
                os.remove(self._path)
        return {
            "stacks": stacks,
            "peak_bytes": peak_bytes,
            "peak": peak[:5],
            "flame_graph": bool(flame_graph),
        }

    def _stacks(self, records: Iterable[Any]) -> List[List[Any]]:
        merged: Merged = {}
        for record in records:
            trace = record.hybrid_stack_trace() if self._native else record.stack_trace()
            python = record.allocator in _python_allocators(self._memray)
            key = (tuple(trimmed(trace)), python)
            entry = merged.setdefault(key, [0, 0])
            entry[0] += in_blocks(record.size, record.n_allocations)
            entry[1] += record.n_allocations
        return as_rows(merged)

    def _draw(self, path: str) -> None:
        import inspect

        from memray.reporters.flamegraph import FlameGraphReporter

        # a page that needs no network, where this memray can write one
        alone = "no_web" in inspect.signature(FlameGraphReporter.render).parameters
        options = {"no_web": True} if alone else {}
        with self._memray.FileReader(self._path) as reader:
            records = list(reader.get_leaked_allocation_records(merge_threads=True))
            reporter = FlameGraphReporter.from_snapshot(
                records, memory_records=(), native_traces=self._native
            )
            with open(path, "w", encoding="utf-8") as file:
                reporter.render(
                    outfile=file,
                    metadata=reader.metadata,
                    show_memory_leaks=True,
                    merge_threads=True,
                    inverted=False,
                    **options,
                )


def _python_allocators(memray: Any) -> FrozenSet[int]:
    kinds = memray.AllocatorType
    names = ("PYMALLOC_MALLOC", "PYMALLOC_CALLOC", "PYMALLOC_REALLOC")
    return frozenset(getattr(kinds, name).value for name in names if hasattr(kinds, name))


class TracemallocTracer:
    """tracemalloc: sees what goes through Python's allocators, not malloc called by libraries."""

    name = "tracemalloc"
    sees_malloc, settles = False, True

    def start(self) -> None:
        import tracemalloc

        tracemalloc.start(TRACEMALLOC_FRAMES)

    def stop(self) -> None:
        import tracemalloc

        self._snapshot = tracemalloc.take_snapshot()
        self._peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

    def read(self, flame_graph: Optional[str] = None, keep: Optional[str] = None) -> Dict[str, Any]:
        """Return {"stacks", "peak_bytes", "peak"}; tracemalloc cannot say what made the peak."""
        merged: Merged = {}
        for trace in self._snapshot.traces:
            frames = [("", frame.filename, frame.lineno) for frame in reversed(trace.traceback)]
            entry = merged.setdefault((tuple(trimmed(frames)), True), [0, 0])
            entry[0] += in_blocks(trace.size, 1)
            entry[1] += 1
        return {"stacks": as_rows(merged), "peak_bytes": self._peak, "peak": []}


def in_blocks(size: int, count: int) -> int:
    """Return what an allocator takes for `count` requests of `size` bytes in all."""
    if count <= 0:
        return size
    each = size // count
    header = 8 if each > LARGEST_SMALL else 0
    return (each + header + 15) // 16 * 16 * count


def as_rows(merged: Merged) -> List[List[Any]]:
    """Return [[frames, python, bytes, blocks]] of the largest stacks, without our own."""
    rows: List[List[Any]] = [
        [[list(frame) for frame in frames], python, size, blocks]
        for (frames, python), (size, blocks) in merged.items()
        if frames
    ]
    rows.sort(key=lambda row: -row[2])
    return rows[:MOST_STACKS]
