"""Measure what each workload truly keeps a call, with counters that are not memcurve's.

A preloaded C library counts live blocks by requested size, which `blocks` turns into allocator
blocks, and the pages that are mapped by hand; what child processes hold is read by this process.
The window is call 500 to 1,500, or 1,000 calls from where a bounded neighbour is full. A container
that grows in steps has no single slope: `low` and `high` are the least and the greatest over all
windows of at least 500 calls between call 200 and 2,000, so whoever measures some other 500 calls
must still land between them.
Clean workloads are followed for 8,000 calls, those that start processes for fewer. What leaks grows
in every window; what is clean has at least one window of 500 calls in which it grows by less than
`STILL_BYTES_PER_CALL`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import resource
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.proof.accuracy.counting import HERE, ROOT, Mark, TruthError, compile_counter, count
from bench.proof.accuracy.registry import WORKLOADS

if TYPE_CHECKING:
    from bench.proof.accuracy.workload import Workload

TRUTH: Final = HERE / "truth.json"
STEP: Final = 100
EARLIEST: Final = 200
WINDOW_FROM: Final = 500
WINDOW: Final = 1000
SHORTEST: Final = 500
STILL_BYTES_PER_CALL: Final = 1.0


def marks_of(workload: Workload) -> list[int]:
    """Return the call numbers at which to count, past whatever is bounded in the workload."""
    first = workload.still_after + STEP if workload.still_after else EARLIEST
    if not workload.leaks:
        return list(range(first, first + workload.followed + 1, SHORTEST))
    return list(range(first, max(first, WINDOW_FROM) + WINDOW + SHORTEST + 1, STEP))


def slope(first: Mark, last: Mark, counter: str) -> float:
    """Return the growth a call of one counter between two marks."""
    return float(getattr(last, counter) - getattr(first, counter)) / (last.calls - first.calls)


def summarise(marks: list[Mark]) -> dict[str, float]:
    """Return growth a call in the window, its native part, and the range over other windows."""
    start = next(mark for mark in marks if mark.calls >= WINDOW_FROM)
    end = next(mark for mark in marks if mark.calls == start.calls + WINDOW)
    slopes = [
        slope(first, last, "bytes")
        for first, last in itertools.combinations(marks, 2)
        if last.calls - first.calls >= SHORTEST
    ]
    return {
        "bytes_per_call": round(slope(start, end, "bytes"), 3),
        "low": round(min(slopes), 3),
        "high": round(max(slopes), 3),
        **{key: round(slope(start, end, counter), 3) for key, counter in _RATES.items()},
    }


_RATES: Final = {
    "native_per_call": "native_bytes",
    "mapped_per_call": "mapped_bytes",
    "anonymous_per_call": "anonymous_bytes",
    "children_per_call": "children_bytes",
    **{f"{one}_per_call": one for one in ("fds", "threads", "tasks", "processes", "zombies")},
}


def load_truth() -> dict[str, dict[str, float]]:
    """Return the committed truth by workload name."""
    truth: dict[str, dict[str, float]] = json.loads(TRUTH.read_text())["workloads"]
    return {name: dict.fromkeys(_RATES, 0.0) | value for name, value in truth.items()}


def _document(values: dict[str, dict[str, float]]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "python": platform.python_version(),
        "libc": " ".join(platform.libc_ver()),
        "machine": platform.machine(),
        "window": [WINDOW_FROM, WINDOW_FROM + WINDOW],
        "workloads": values,
    }


def _row(workload: Workload, value: dict[str, float]) -> str:
    label = "leak" if workload.leaks else "clean"
    figures = "".join(f"{value[key]:>14,.1f}" for key in ("bytes_per_call", "low", "high"))
    counter = "" if workload.counter == "retained" else f"{workload.counter}_per_call"
    extra = f"  {value[counter]:g} {workload.counter} a call" if counter else ""
    return f"{workload.name:<34}{label:<6}{figures}{extra}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-k",
        default="",
        help="only workloads with this in their name or place; others keep their truth",
    )
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = [w for w in WORKLOADS if options.k in w.name or options.k in w.target]
    print(f"{'workload':<34}{'label':<6}{'B a call':>14}{'low':>14}{'high':>14}")
    values: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        try:
            library = compile_counter(Path(folder))
            for workload, marks in zip(
                chosen,
                pool.map(lambda each: count(each, library, marks_of(each)), chosen),
                strict=True,
            ):
                values[workload.name] = summarise(marks)
                print(_row(workload, values[workload.name]), flush=True)
        except TruthError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    known = json.loads(TRUTH.read_text())["workloads"] | values
    ordered = {w.name: known[w.name] for w in WORKLOADS if w.name in known}
    TRUTH.write_text(json.dumps(_document(ordered), indent=1) + "\n")
    print(f"written: {TRUTH.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
