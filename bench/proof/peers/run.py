"""Run the other tools on the same suite, each at its documented defaults and at its best setting.

They live in a virtual environment of their own, pinned in `constraints.txt`. Each trial is
one process (`trial.py`). What cannot be installed, crashes or still runs after two minutes
counts as no result. "Best" is the best setting that we found with the labels known.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.proof.accuracy.document import table, write_section
from bench.proof.accuracy.registry import WORKLOADS
from bench.proof.accuracy.run import check
from bench.proof.accuracy.truth import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.proof.accuracy.workload import Workload

TIMEOUT_S: Final = 120.0

SETTINGS: Final = {
    ("psleak", "default"): "200 calls, up to 10 runs of 1.5 x, PYTHONMALLOC=malloc",
    ("psleak", "best"): "600 calls beforehand, 4 KiB tolerance, no garbage checker",
    ("pytest-memray", "default"): 'limit_leaks("1 MB"), 100 calls',
    ("pytest-memray", "best"): 'limit_leaks("16 KB"), 600 calls of warm-up, 400 tracked',
    ("python-leak-hunter", "default"): "two windows of 20 calls, 0.5 objects a call",
    ("python-leak-hunter", "best"): "400 calls of warm-up, windows of 200, 0.005 objects a call",
    ("leak-assert", "default"): "1,000 calls, at most 1 KB a call",
    ("leak-assert", "best"): "1,000 calls of warm-up, 1,000 measured, at most 32 B a call",
    ("pytest-benchmem", "default"): "peak of one call, run twice, --fail-on peak:10%",
    ("pytest-benchmem", "best"): "peak of 300 and of 1,200 calls, --fail-on peak:10%",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one tool said of one workload: leak, clean or error; 0 calls where none is known."""

    workload: Workload
    said: str
    calls: int
    elapsed_s: float


def installed(python: Path) -> dict[str, str]:
    """Return the versions of the tools in that interpreter; a missing one is left out."""
    listing = subprocess.run(
        [str(python), "-m", "pip", "list", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {item["name"].lower(): item["version"] for item in json.loads(listing.stdout)}


def ask(python: Path, tool: str, setting: str, workload: Workload) -> Trial:
    """Run one trial in a process of its own."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if tool == "psleak":
        environment["PYTHONMALLOC"] = "malloc"
    script, setup = str(Path(__file__).parent / "trial.py"), workload.setup or "-"
    try:
        ran = subprocess.run(
            [str(python), script, tool, setting, workload.target, setup],
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired:
        return Trial(workload=workload, said="error", calls=0, elapsed_s=TIMEOUT_S)
    lines = ran.stdout.strip().splitlines()
    if ran.returncode or not lines or not lines[-1].startswith("{"):
        print(f"{tool} {setting} {workload.name}: {ran.stderr.strip()[-200:]}", file=sys.stderr)
        return Trial(workload=workload, said="error", calls=0, elapsed_s=0.0)
    answer = json.loads(lines[-1])
    return Trial(
        workload=workload,
        said=answer["said"],
        calls=answer["calls"],
        elapsed_s=answer["elapsed_s"],
    )


def ask_memcurve(workload: Workload) -> Trial:
    """Let `memcurve check` judge the workload as it comes, with no option at all."""
    outcome = check(workload)
    said = {0: "clean", 1: "leak"}.get(outcome.exit_code, "error")
    return Trial(workload=workload, said=said, calls=outcome.calls, elapsed_s=outcome.elapsed_s)


def median_calls(trials: Sequence[Trial], leaks: bool) -> str:
    """Return the median number of calls to a right verdict, "-" where there was none."""
    right = [
        trial.calls
        for trial in trials
        if trial.workload.leaks is leaks and trial.said == ("leak" if leaks else "clean")
    ]
    return f"{statistics.median(right):,.0f}" if right else "-"


def row(tool: str, version: str, setting: str, trials: Sequence[Trial]) -> list[str]:
    """Count one tool at one setting."""
    leaks = [trial for trial in trials if trial.workload.leaks]
    clean = [trial for trial in trials if not trial.workload.leaks]
    return [
        f"{tool} {version}",
        setting,
        f"{sum(trial.said == 'leak' for trial in leaks)} of {len(leaks)}",
        f"{sum(trial.said == 'leak' for trial in clean)} of {len(clean)}",
        str(sum(trial.said == "error" for trial in trials)),
        median_calls(trials, leaks=False),
        median_calls(trials, leaks=True),
        f"{sum(trial.elapsed_s for trial in trials):.0f}",
    ]


HEADER: Final = [
    "tool",
    "setting",
    "leaks found",
    "false alarms",
    "no result",
    "calls, clean",
    "calls, leak",
    "s in all",
]


def mistakes(trials: Sequence[Trial]) -> str:
    """Name the workloads that were judged wrongly."""
    wrong = [
        trial.workload.name
        for trial in trials
        if trial.said != ("leak" if trial.workload.leaks else "clean")
    ]
    return ", ".join(wrong) or "none"


def measure(
    judges: dict[tuple[str, str], Callable[[Workload], Trial]],
    versions: dict[str, str],
    chosen: Sequence[Workload],
    jobs: int,
) -> tuple[list[list[str]], list[str]]:
    """Ask every judge about every workload; returns the table's rows and the mistakes by name."""
    rows, wrong = [], []
    with ThreadPoolExecutor(jobs) as pool:
        for (tool, setting), judge in judges.items():
            if tool not in versions:
                rows.append([tool, "could not be installed here", *["-"] * (len(HEADER) - 2)])
                continue
            trials = list(pool.map(judge, chosen))
            said = SETTINGS.get((tool, setting), "no option at all")
            rows.append(row(tool, versions[tool], f"{setting}: {said}", trials))
            wrong.append(f"- {tool}, {setting}: {mistakes(trials)}")
            print("  ".join(rows[-1]), flush=True)
    return rows, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-peers" / "bin" / "python")
    parser.add_argument("-k", default="", help="only workloads with this in their name or kind")
    parser.add_argument("--tool", default="", help="only tools with this in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", action="store_true", help="write docs/accuracy.md")
    options = parser.parse_args()
    chosen = [each for each in WORKLOADS if options.k in each.name or options.k in each.kind]
    judges: dict[tuple[str, str], Callable[[Workload], Trial]] = {
        key: functools.partial(ask, options.python, *key) for key in SETTINGS
    }
    judges["memcurve", "default"] = ask_memcurve
    judges = {key: judge for key, judge in judges.items() if options.tool in key[0]}
    versions = installed(options.python) | installed(Path(sys.executable))
    rows, wrong = measure(judges, versions, chosen, options.jobs)
    python = ".".join(map(str, sys.version_info[:3]))
    text = [
        f"{len(chosen)} workloads, once each, {options.jobs} at a time, Python {python}.",
        table(HEADER, rows),
        "What each of them got wrong:",
        "\n".join(wrong),
    ]
    print("\n\n".join(text))
    if options.write:
        write_section("peers", "\n\n".join(text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
