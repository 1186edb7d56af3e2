"""How to run scenarios: one frozen value, from the command line to the lanes."""

import sys
from pathlib import Path
from typing import Literal

import msgspec

from memcurve.model.thresholds import Thresholds
from memcurve.run.passes import Options

CPU_BUDGET_S = 4.0

Explain = Literal["never", "crossings", "suspects", "always"]
"""Which designs to explain: those that cross a threshold, also those that grow anyway, or all."""


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to run scenarios: see `memcurve run --help`.

    `calls` replaces what the scenarios say. `cpu_s` is how much CPU time the calls of one settled
    pass may use before an open question stays open, where the scenario states no number of calls.
    `judge_all`: designs that may grow get a verdict too, past the calls shown. What leaves its
    band in the folder `baselines` is measured again, and `explain` looks at those thresholds too;
    it draws what it traces into the folder `flame_graphs`. The workers start in the folder `cwd`.
    """

    calls: int | None = None
    jobs: int = 2
    natural: bool = True
    explain: Explain = "suspects"
    baselines: Path | None = None
    flame_graphs: Path | None = None
    cpu_s: float = CPU_BUDGET_S
    judge_all: bool = True
    call_timeout_s: float = 30.0
    python: str = sys.executable
    cwd: str | None = None
    thresholds: Thresholds = Thresholds()

    def of_a_pass(self) -> Options:
        """Return what each pass of a design is to be told of this."""
        return Options(
            call_timeout_s=self.call_timeout_s, python=self.python, thresholds=self.thresholds
        )
