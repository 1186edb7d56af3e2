"""Run a workload under the preloaded counters, and read what it holds at each mark."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.proof.accuracy.blocks import block
from bench.proof.accuracy.outside import anonymous, below

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.proof.accuracy.workload import Workload

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
SOURCES: Final = ("malloc_counter.c", "map_counter.c")
TIMEOUT_S: Final = 600


class TruthError(Exception):
    """The independent count could not be taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What was alive after so many calls.

    Bytes of the two heaps are in allocator blocks, mapped bytes in pages; the other counters are
    numbers. `anonymous_bytes` are the pages that the process itself touched, seen from outside.
    """

    calls: int
    objects_bytes: int
    native_bytes: int
    fds: int
    threads: int
    tasks: int
    mapped_bytes: int = 0
    anonymous_bytes: int = 0
    children_bytes: int = 0
    processes: int = 0
    zombies: int = 0

    @property
    def bytes(self) -> int:
        """All that memcurve calls live."""
        return self.objects_bytes + self.native_bytes + self.mapped_bytes + self.children_bytes


def compile_counter(folder: Path) -> Path:
    """Build the preloaded counters with the C compiler of this machine; raises `TruthError`."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise TruthError("no C compiler found; on Debian: apt-get install gcc libc6-dev")
    library = folder / "counter.so"
    sources = [str(HERE / name) for name in SOURCES]
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), *sources]
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        raise TruthError(f"{compiler} could not compile the counters: {built.stderr.strip()}")
    return library


def count(workload: Workload, library: Path, marks: Iterable[int]) -> list[Mark]:
    """Run the workload under the counters, in processes of its own; raises `TruthError`.

    At each mark it stands still until what descends from it is read from here.
    """
    reader, writer = os.pipe()
    waits, goes_on = os.pipe()
    script, setup = str(HERE / "counted.py"), workload.setup or "-"
    command = [sys.executable, script, str(library), workload.target, setup, str(writer)]
    child = subprocess.Popen(
        [*command, str(waits), *map(str, marks)],
        env={
            **os.environ,
            "LD_PRELOAD": str(library),
            "PYTHONMALLOC": "malloc",
            "PYTHONHASHSEED": "0",
        },
        pass_fds=[writer, waits],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    os.close(writer)
    os.close(waits)
    ends = threading.Timer(TIMEOUT_S, _end, [child.pid])
    ends.start()
    try:
        with open(reader) as lines:  # noqa: PTH123 - a descriptor, not a path
            found = list(_marks(lines, child.pid, goes_on))
        code = child.wait()
    finally:
        ends.cancel()
        _end(child.pid)  # workers of pools outlive who started them
        os.close(goes_on)
    _, errors = child.communicate()
    if code:
        raise TruthError(f"{workload.name}: exit {code} under the counters: {errors}")
    return found


def _marks(lines: Iterable[str], pid: int, goes_on: int) -> Iterator[Mark]:
    """Yield each mark with what was read from outside while the process stood still."""
    written: list[str] = []
    for line in lines:
        written.append(line)
        if line.startswith("resources"):
            under = below(pid)
            outside = f"outside {anonymous(pid)} {' '.join(map(str, under))}"
            os.write(goes_on, b".")
            yield from parse_marks("".join([*written, outside]))
            written.clear()
        elif line.startswith("last"):
            return


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def parse_marks(written: str) -> list[Mark]:
    """Read the lines of both counters; raises `TruthError` where one could not count all.

    A mark ends with the line of what was read from outside.
    """
    marks: list[Mark] = []
    here: dict[str, int] = {}
    alive = [0, 0]
    for line in written.splitlines():
        match line.split():
            case ["mark", label]:
                here, alive = {"calls": int(label)}, [0, 0]
            case ["end", too_large]:
                if int(too_large):
                    raise TruthError(f"{too_large} blocks of more than 16 MiB alive: {here}")
            case ["mapped", size]:
                if int(size) < 0:
                    raise TruthError(f"more mappings than the counter has places for: {here}")
                here["mapped_bytes"] = int(size)
            case ["resources", *figures]:
                here |= _named(("fds", "threads", "tasks"), figures)
            case ["outside", *figures]:
                names = ("anonymous_bytes", "children_bytes", "processes", "zombies")
                here |= _named(names, figures)
                marks.append(Mark(native_bytes=alive[0], objects_bytes=alive[1], **here))
            case [domain, size, number]:
                in_objects = int(domain) == 1
                alive[in_objects] += block(int(size), in_object_domain=in_objects) * int(number)
    return marks


def _named(names: tuple[str, ...], figures: list[str]) -> dict[str, int]:
    return dict(zip(names, map(int, figures), strict=True))
