"""Inject each fault into a copy of ragpool, run the gate on it, and hold what it says to the truth.

    python -m bench.proof.mutation.run [-k PART] [--everywhere] [--write] [--jobs N]
    python -m bench.proof.mutation.run --clean N [-k PART] [--jobs N]

`--everywhere` runs every design that must not grow against each fault, not only the one that must
see it. `--write` puts what was measured into `docs/gate-mutation.md`. `--clean N` injects nothing,
and runs every design N times: none of those runs may turn red. Exit 1 when a fault passes, is named
wrongly, or a clean run turns red.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from bench.proof.mutation.document import write
from bench.proof.mutation.faults import FAULTS
from bench.proof.mutation.finding import Finding
from memcurve.run import scenarios as running
from memcurve.run.discovery import discover, only, select
from memcurve.run.gate import gated
from memcurve.run.options import Options, RunOptions
from memcurve.store.files import DEFAULT_BASELINES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.proof.mutation.fault import Fault
    from memcurve.model.outcome import Outcome
    from memcurve.model.scenario import Scenario

ROOT = Path(__file__).parents[3]
BASELINES = ROOT / DEFAULT_BASELINES


def main(arguments: list[str] | None = None) -> int:
    """Run the faults that were chosen, or the clean runs; return the exit code."""
    chosen = _parser().parse_args(arguments)
    if chosen.clean:
        return _clean_runs(chosen.clean, select(_scenarios(), chosen.part), chosen.jobs)
    faults = [fault for fault in FAULTS if chosen.part in fault.name]
    began = time.monotonic()
    findings = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for finding in pool.map(lambda fault: _tried(fault, everywhere=chosen.everywhere), faults):
            findings.append(finding)
            if chosen.write:
                write(findings)
    named = sum(finding.named for finding in findings)
    missed = sum(bool(finding.problem) for finding in findings)
    print(f"{named} of {len(faults)} faults named, {missed} missed", end=" ")
    print(f"in {time.monotonic() - began:.0f} s")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.proof.mutation.run", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-k", dest="part", default="", help="faults, or designs, with this part")
    parser.add_argument("--everywhere", action="store_true", help="all designs that must not grow")
    parser.add_argument("--write", action="store_true", help="write the table of the documentation")
    parser.add_argument("--clean", type=int, default=0, metavar="N", help="only unmodified runs")
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="faults or passes at a time"
    )
    return parser


def _tried(fault: Fault, *, everywhere: bool) -> Finding:
    """Run the gate on a copy of ragpool that has the fault, and print what it said."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="memcurve-mutation-") as folder:
        copy = Path(folder) / "ragpool"
        shutil.copytree(ROOT / "src" / "ragpool", copy)
        fault.apply(copy)
        outcomes = _gated("" if everywhere else fault.seen_in, folder)
    finding = Finding.of(fault, outcomes, time.monotonic() - began)
    print("\n    ".join(finding.lines()), flush=True)
    return finding


def _gated(design: str, cwd: str) -> list[Outcome]:
    """Run one design, or all that must not grow, in the folder that holds the copy.

    That folder comes first on the path of the workers.
    """
    scenarios = [chosen for one in _scenarios() if (chosen := _gating(one, design)).designs]
    options = RunOptions(
        jobs=1,
        natural=False,
        explain="crossings",
        baselines=BASELINES,
        each=Options(cwd=cwd),
    )
    return gated(
        scenarios, running.run_scenarios(scenarios, options, among=_scenarios()), BASELINES
    )


def _gating(one: Scenario, design: str) -> Scenario:
    gating = [name for name in one.designs if name not in one.may_grow]
    return only(one, [name for name in gating if design in ("", f"{one.name}/{name}")])


def _scenarios() -> list[Scenario]:
    return discover([ROOT / "bench" / "scenarios"])


def _clean_runs(count: int, scenarios: Sequence[Scenario], jobs: int) -> int:
    """Run everything unmodified `count` times, exact passes only; return the exit code."""
    began, red = time.monotonic(), 0
    for number in range(1, count + 1):
        started = time.monotonic()
        crossed = _clean_run(scenarios, jobs)
        red += bool(crossed)
        took = f"({time.monotonic() - started:.0f} s)"
        print(f"clean run {number} of {count} {took}: {'; '.join(crossed) or 'green'}", flush=True)
    print(f"{count - red} of {count} clean runs green in {time.monotonic() - began:.0f} s")
    return 1 if red else 0


def _clean_run(scenarios: Sequence[Scenario], jobs: int) -> list[str]:
    """Return what turned red: crossed thresholds, and designs that could not be measured."""
    options = RunOptions(
        jobs=jobs, natural=False, explain="never", judge_all=False, baselines=BASELINES
    )
    outcomes = gated(
        scenarios, running.run_scenarios(scenarios, options, among=_scenarios()), BASELINES
    )
    run = running.run_of(scenarios, outcomes, "", 0.0)
    failures = [failed.recording.failure for failed in run.failures]
    return [
        *(crossing.message for crossing in run.crossings),
        *(failure.message for failure in failures if failure is not None),
    ]


if __name__ == "__main__":
    sys.exit(main())
