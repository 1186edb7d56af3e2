"""Run a soak in a process of its own, and naive searches beside it, in turn.

The soak's process has no children: what the stub and the naive searches keep is not in its memory.
"""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys
from dataclasses import dataclass, field
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Self

from bench.proof.soak_ragpool.soak import THREADS, Soaked, soak

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from types import TracebackType

NAIVE_TURNS, NAIVE_AT_MOST = 10, 1000


@dataclass(kw_only=True)
class Times:
    """How long clean searches of both designs took, in seconds, and how many naive ones failed."""

    pooled_s: list[float] = field(default_factory=list)
    naive_s: list[float] = field(default_factory=list)
    naive_failed: int = 0

    def add_naive(self, times: list[float | None]) -> None:
        done = [one for one in times if one is not None]
        self.naive_s += done
        self.naive_failed += len(times) - len(done)

    def ratio(self, percent: int) -> float:
        """Return a percentile of the pooled times, divided by that of the naive ones."""
        return percentile(self.pooled_s, percent) / percentile(self.naive_s, percent)


def percentile(values: list[float], percent: int) -> float:
    """Return one percentile, interpolated; nan of fewer than two values."""
    if len(values) < 2:
        return float("nan")
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def run_beside(
    executions: int, keep_bytes: int, told: Callable[[int], None]
) -> tuple[Soaked, Times]:
    """Run so many executions, and a tenth as many naive searches between them, ten times."""
    spawning = multiprocessing.get_context("spawn")
    here, there = spawning.Pipe()
    process = spawning.Process(target=_soak, args=(there, executions, keep_bytes), daemon=True)
    times, naive_share = Times(), max(THREADS, min(executions // 10, NAIVE_AT_MOST) // NAIVE_TURNS)
    process.start()
    there.close()  # so that the end of the process is the end of the pipe
    with Naive() as naive:
        before, message = 0, here.recv()
        while not isinstance(message, Soaked):
            told(message)
            if message * NAIVE_TURNS // executions > before * NAIVE_TURNS // executions:
                times.add_naive(naive.run(naive_share))
            before = message
            here.send(None)
            message = here.recv()
    process.join()
    times.pooled_s = message.clean_s
    return message, times


def _soak(parent: Connection, executions: int, keep_bytes: int) -> None:
    def told(done: int) -> None:
        parent.send(done)
        parent.recv()

    parent.send(soak(executions, keep_bytes=keep_bytes, told=told))


class Naive:
    """The process that runs naive searches when it is asked."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "bench.proof.soak_ragpool.naive"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.run(THREADS)  # what is built once is built now
        return self

    def run(self, number: int) -> list[float | None]:
        """Run so many; return how long each took, in seconds, and None for one that failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        answer: Any = json.loads(self._process.stdout.readline())
        return list(answer)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
