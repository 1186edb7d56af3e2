"""One labelled workload of the suite, and the words its labels may use."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Counter = Literal["retained", "fds", "threads", "tasks", "processes", "zombies"]

FOLDER: Final = Path("bench/proof/accuracy/workloads")

CLEAN_KINDS: Final = (
    "declared bound",
    "undeclared bound",
    "time bound",
    "weak references",
    "finite keys",
    "lazy imports",
    "import cache",
    "pool",
    "free list",
    "resizing",
    "random sizes",
    "temporary arrays",
    "native memory",
    "threads",
    "subprocesses",
    "child processes",
    "mapped memory",
    "descriptors",
    "async",
    "gc sawtooth",
    "interning",
    "classes",
    "exceptions",
    "logging",
    "resurrection",
    "pure work",
    "doubling steps",
    "references",
)

LEAK_KINDS: Final = (
    "objects",
    "bytes",
    "str",
    "numbers",
    "dicts",
    "unbounded cache",
    "native memory",
    "cycles",
    "finalizable cycles",
    "resurrection",
    "descriptors",
    "sockets",
    "threads",
    "leak in a thread",
    "tasks",
    "async",
    "tracebacks",
    "closures",
    "context variables",
    "callbacks",
    "atexit",
    "logging",
    "registries",
    "method cache",
    "every k-th call",
    "by chance",
    "accelerating",
    "late onset",
    "beside a bounded cache",
    "under noise",
    "child processes",
    "mapped memory",
    "generators",
    "doubling steps",
    "references",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Name one target, what it truly does, and why somebody might take it for the opposite.

    `bytes_per_call` is plain arithmetic in allocator blocks of 64-bit CPython 3.11, for leaks whose
    blocks can be told by reading the code; every other leak has `None` here and its measured
    value in `truth.json` alone. `still_after` is the call after which what has a bound is sure to
    have stopped growing, or its waves have evened out; 0 where nothing grows but what the
    interpreter itself warms up.
    `period` is the calls between two steps of growth, on average where they come by chance, and
    `begins_after` is the call up to which a leak is none yet. `exact` is false where no one slope
    exists: growth that accelerates, comes by chance, depends on addresses, or stands under noise.
    `loses` names the object that loses a reference at each call, though no byte grows.
    `followed` is the calls of a clean one that the truth is counted for.
    `peers` marks the 16 scenarios that the other tools were first tried on.
    """

    name: str
    target: str
    setup: str | None = None
    leaks: bool
    kind: str
    bytes_per_call: float | None = None
    counter: Counter = "retained"
    note: str
    still_after: int = 0
    period: int = 1
    begins_after: int = 0
    exact: bool = True
    loses: str = ""
    followed: int = 8000
    peers: bool = False

    @property
    def quantified(self) -> bool:
        """Say whether the reported bytes a call are compared with the truth."""
        return self.leaks and self.exact and self.counter == "retained"
