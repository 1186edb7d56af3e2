"""Measure what each workload truly keeps a call, with a counter that is not memcurve's.

A preloaded C library counts live blocks by requested size; `blocks` turns sizes into allocator
blocks. The window is call 500 to 1,500, or 1,000 calls from where a bounded neighbour is full. A
container that grows in steps has no single slope: `low` and `high` are the least and the greatest
over all windows of at least 500 calls between call 200 and 2,000, so whoever measures some
other 500 calls must still land between them.
Clean workloads are followed for 8,000 calls. What leaks grows in every window; what is clean has at
least one window of 500 calls in which it grows by less than `STILL_BYTES_PER_CALL`.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.proof.accuracy.blocks import block
from bench.proof.accuracy.registry import WORKLOADS

if TYPE_CHECKING:
    from bench.proof.accuracy.workload import Workload

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
TRUTH: Final = HERE / "truth.json"
STEP: Final = 100
EARLIEST: Final = 200
WINDOW_FROM: Final = 500
WINDOW: Final = 1000
SHORTEST: Final = 500
FOLLOWED: Final = 8000
STILL_BYTES_PER_CALL: Final = 1.0
TIMEOUT_S: Final = 300


class TruthError(Exception):
    """The independent count could not be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was alive after so many calls: bytes in allocator blocks, and the other counters."""

    calls: int
    objects_bytes: int
    native_bytes: int
    fds: int
    threads: int
    tasks: int

    @property
    def bytes(self) -> int:
        return self.objects_bytes + self.native_bytes


def compile_counter(folder: Path) -> Path:
    """Build the preloaded counter with the C compiler of this machine; raises `TruthError`."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise TruthError("no C compiler found; on Debian: apt-get install gcc libc6-dev")
    library = folder / "malloc_counter.so"
    source = HERE / "malloc_counter.c"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        raise TruthError(f"{compiler} could not compile {source.name}: {built.stderr.strip()}")
    return library


def marks_of(workload: Workload) -> list[int]:
    """Return the call numbers at which to count, past whatever is bounded in the workload."""
    first = workload.still_after + STEP if workload.still_after else EARLIEST
    if not workload.leaks:
        return list(range(first, first + FOLLOWED + 1, SHORTEST))
    return list(range(first, max(first, WINDOW_FROM) + WINDOW + SHORTEST + 1, STEP))


def count(workload: Workload, library: Path) -> list[Mark]:
    """Run the workload under the counter in a process of its own; raises `TruthError`."""
    reader, writer = os.pipe()
    script = str(HERE / "counted.py")
    setup = workload.setup or "-"
    marks = [str(calls) for calls in marks_of(workload)]
    environment = {
        **os.environ,
        "LD_PRELOAD": str(library),
        "PYTHONMALLOC": "malloc",
        "PYTHONHASHSEED": "0",
    }
    child = subprocess.Popen(
        [sys.executable, script, str(library), workload.target, setup, str(writer), *marks],
        env=environment,
        pass_fds=[writer],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writer)
    with open(reader) as lines:  # noqa: PTH123 - a descriptor, not a path
        written = lines.read()
    _, errors = child.communicate(timeout=TIMEOUT_S)
    if child.returncode:
        raise TruthError(f"{workload.name}: exit {child.returncode} under the counter: {errors}")
    return parse_marks(written)


def parse_marks(written: str) -> list[Mark]:
    """Read the counter's lines; raises `TruthError` where a block was too large to be classed."""
    marks: list[Mark] = []
    calls, alive = 0, [0, 0]
    for line in written.splitlines():
        match line.split():
            case ["mark", label]:
                calls, alive = int(label), [0, 0]
            case ["end", too_large]:
                if int(too_large):
                    raise TruthError(f"{too_large} blocks of more than 16 MiB alive at {calls}")
            case ["resources", fds, threads, tasks]:
                marks.append(
                    Mark(
                        calls=calls,
                        native_bytes=alive[0],
                        objects_bytes=alive[1],
                        fds=int(fds),
                        threads=int(threads),
                        tasks=int(tasks),
                    )
                )
            case [domain, size, number]:
                in_objects = int(domain) == 1
                alive[in_objects] += block(int(size), in_object_domain=in_objects) * int(number)
    return marks


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
        "native_per_call": round(slope(start, end, "native_bytes"), 3),
        "fds_per_call": slope(start, end, "fds"),
        "threads_per_call": slope(start, end, "threads"),
        "tasks_per_call": slope(start, end, "tasks"),
    }


def load_truth() -> dict[str, dict[str, float]]:
    """Return the committed truth by workload name."""
    truth: dict[str, dict[str, float]] = json.loads(TRUTH.read_text())["workloads"]
    return truth


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
                chosen, pool.map(lambda each: count(each, library), chosen), strict=True
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
