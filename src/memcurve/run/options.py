"""How calls are run, and how scenarios are: frozen values, each built once at a door."""

import sys
from pathlib import Path
from typing import Literal

import msgspec

from memcurve.model.scenario import Scenario
from memcurve.model.thresholds import Thresholds
from memcurve.model.units import parse_bytes

CPU_BUDGET_S = 4.0
MAY_GROW_CPU_S = 1.0  # its verdict gates nothing
LONGER_LOOK_S = 1.0  # 1 KB every 100 calls shows two steps in 250 calls, and fifteen in 1,500

Explain = Literal["never", "crossings", "suspects", "always"]
"""Which designs to explain: those that cross a threshold, also those that grow anyway, or all."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How the calls of one target are run and judged, wherever that is. Times in seconds.

    `grace_s` is how long to wait for what a call leaves running. The interpreter `python` starts
    in the folder `cwd`. With `samples`, the beginning of a text or of bytes that stay is told.
    """

    call_timeout_s: float = 30.0
    grace_s: float = 1.0
    python: str = sys.executable
    cwd: str | None = None
    samples: bool = True
    thresholds: Thresholds = Thresholds()


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run scenarios: see `memcurve run --help`.

    `calls` replaces what the scenarios say. `cpu_s` is how much CPU time the calls of one settled
    pass may use before an open question stays open, where the scenario states no number of calls.
    `judge_all`: designs that may grow get a verdict too, past the calls shown. What leaves its
    band in the folder `baselines` is measured again, and `explain` looks at those thresholds too;
    it draws what it traces into the folder `flame_graphs`. `each` says how the calls are run.
    """

    calls: int | None = None
    jobs: int = 2
    natural: bool = True
    explain: Explain = "suspects"
    baselines: Path | None = None
    flame_graphs: Path | None = None
    cpu_s: float = CPU_BUDGET_S
    judge_all: bool = True
    each: Options = Options()

    def calls_of(self, scenario: Scenario) -> int:
        """Return how many calls the curves of a scenario show."""
        return self.calls or scenario.calls


def thresholds_of(
    max_bytes: str | int | None = None, max_garbage: str | int | None = None
) -> Thresholds:
    """Return the thresholds with these sizes, such as "16 MiB"; None leaves one as it is.

    Raises MemcurveError for a size that is none.
    """
    given = {"max_bytes": max_bytes, "max_garbage": max_garbage}
    chosen = {name: int(parse_bytes(size)) for name, size in given.items() if size is not None}
    return msgspec.structs.replace(Thresholds(), **chosen)
