"""Inject each fault into a copy of ragpool, run the gate on it, and hold what it says to the truth.

    python -m bench.mutation.run [-k PART] [--clean N]

`--clean N` also runs the unmodified designs N times: none of those runs may turn red. Exit 1 when a
fault passes, is named wrongly, or a clean run turns red.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.mutation.faults import FAULTS, Fault
from memcurve import bench
from memcurve.discovery import discover, select
from memcurve.store import DEFAULT_BASELINES

if TYPE_CHECKING:
    from memcurve.judge.comparison import Outcome

ROOT = Path(__file__).parents[2]
CULPRITS_READ = 3


def main(arguments: list[str] | None = None) -> int:
    """Run the faults that were chosen, then the clean runs; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutation.run", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-k", dest="part", default="", help="only faults whose name has this part")
    parser.add_argument("--clean", type=int, default=0, metavar="N", help="unmodified runs")
    chosen = parser.parse_args(arguments)
    began = time.monotonic()
    chosen_faults = [fault for fault in FAULTS if chosen.part in fault.name]
    missed = [fault for fault in chosen_faults if not _caught(fault)]
    print(f"{len(chosen_faults) - len(missed)} of {len(chosen_faults)} faults named", end=" ")
    print(f"in {time.monotonic() - began:.0f} s")
    red = _clean_runs(chosen.clean)
    return 1 if missed or red else 0


def _caught(fault: Fault) -> bool:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="memcurve-mutation-") as folder:
        copy = Path(folder) / "ragpool"
        shutil.copytree(ROOT / "src" / "ragpool", copy)
        fault.apply(copy)
        outcome = _gated(fault.seen_in, folder)
    problem = _problem(fault, outcome)
    print(f"{'✓' if not problem else '✕'} {fault.name} ({time.monotonic() - began:.0f} s)")
    print(f"    {problem or _said(outcome)}", flush=True)
    return not problem


def _gated(design: str, cwd: str | None) -> Outcome:
    """Run one design in the folder that holds the copy, which comes first on its path."""
    scenarios = select(discover([ROOT / "bench" / "scenarios"]), design)
    options = bench.RunOptions(jobs=1, natural=False, cwd=cwd)
    outcomes = bench.run_scenarios(scenarios, options)
    return bench.gated(scenarios, outcomes, ROOT / DEFAULT_BASELINES)[0]


def _problem(fault: Fault, outcome: Outcome) -> str:
    """Return what is wrong with what the gate said, empty if nothing is."""
    failure = outcome.recording.failure
    if failure is not None:
        return f"could not be measured: {failure.message}"
    crossings = outcome.comparison.crossings if outcome.comparison else ()
    if not crossings:
        return "the gate stayed green"
    named = {crossing.counter for crossing in crossings}
    if not named & set(fault.counters):
        return f"named {', '.join(sorted(named))} instead of {' or '.join(fault.counters)}"
    if fault.culprit and fault.culprit not in _culprits(outcome):
        return f"the culprit is not {fault.culprit!r} but {_culprits(outcome) or 'nobody'}"
    return ""


def _culprits(outcome: Outcome) -> str:
    first = outcome.culprits[:CULPRITS_READ]
    return "; ".join(f"{one.type} {' '.join(one.path)} {one.site}".strip() for one in first)


def _said(outcome: Outcome) -> str:
    assert outcome.comparison is not None
    return outcome.comparison.crossings[0].message


def _clean_runs(count: int) -> int:
    """Run everything unmodified `count` times, exact passes only; return how many turned red."""
    if not count:
        return 0
    began, red = time.monotonic(), 0
    scenarios = discover([ROOT / "bench" / "scenarios"])
    for number in range(1, count + 1):
        options = bench.RunOptions(natural=False, explain="never", judge_all=False)
        outcomes = bench.run_scenarios(scenarios, options)
        gated = bench.gated(scenarios, outcomes, ROOT / DEFAULT_BASELINES)
        crossed = [c.message for o in gated if o.comparison for c in o.comparison.crossings]
        red += bool(crossed)
        print(f"clean run {number} of {count}: {'; '.join(crossed) or 'green'}", flush=True)
    print(f"{count - red} of {count} clean runs green in {time.monotonic() - began:.0f} s")
    return red


if __name__ == "__main__":
    sys.exit(main())
