"""Hold the forecast of standing garbage to what stood, in every interpreter that is here.

    make debt ARGS="--python 3.11 --python 3.13 young queue"

Each workload is looked at for 100 calls and more, as `memcurve check` does, and what stands at once
is forecast from that. Then it runs as production would, for as many calls as its debt needs, and
the most cycles that stood are counted. Exit 1 where the two differ by more than a factor of 1.5.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from memcurve.judge.churn import seen
from memcurve.judge.forecast import collector_of, forecast
from memcurve.measure import worker
from memcurve.model.surveys import ChurnSurvey
from memcurve.model.verdict import Rate

WORKLOADS = Path(__file__).with_name("workloads.py")
CHURN = Path(worker.__file__).parent
NAMES = (
    *("young", "trio", "many", "flood", "queue", "long_queue", "last", "keeps"),
    *("burst500", "burst1500", "burst5000", "late", "young+", "queue+", "burst1500+"),
)
CALLS = {"flood": 300, "many": 4000, "burst5000": 3000, "burst500": 60_000}
"""Calls after which no more stands, or the run takes long: so many are forecast too."""
MANY_CALLS, BURST_CALLS = 100_000, 8000
MOST_APART = 1.5
"""Convention: ours. Garbage that is forecast twice as large as it stands would be a false alarm
half the time near the limit."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One workload in one interpreter: cycles that stand at once, forecast and counted."""

    name: str
    python: str
    calls: int
    forecast: float
    stood: int

    @property
    def ratio(self) -> float:
        """How many times more was forecast than stood."""
        return self.forecast / max(self.stood, 1)

    @property
    def is_right(self) -> bool:
        """Whether the two agree within the factor."""
        return 1 / MOST_APART <= self.ratio <= MOST_APART


def calls_of(name: str) -> int:
    """Return the calls that a workload runs."""
    plain = name.rstrip("+")
    if plain in CALLS:
        return CALLS[plain]
    return BURST_CALLS if plain.startswith(("burst", "late")) else MANY_CALLS


def row_of(name: str, python: str) -> Row:
    """Look at one workload, forecast, and run it."""
    version = _output(python, "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))")
    looked = json.loads(_output(python, str(WORKLOADS), name, "look", str(CHURN)))
    rate = Rate(bytes_per_call=looked["objects"], objects_per_call=looked["objects"])
    churn = seen(rate, msgspec.convert(looked["found"], ChurnSurvey))
    calls = calls_of(name)
    said = forecast(churn, collector_of(version), calls)
    stood = json.loads(_output(python, str(WORKLOADS), name, "stand", str(calls)))
    return Row(
        name=name,
        python=version.strip(),
        calls=calls,
        forecast=said.calls * looked["cycles"],
        stood=stood,
    )


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def found_pythons(names: Sequence[str]) -> list[str]:
    """Return interpreters by path, or by version where pyenv has them; by default this one."""
    paths = []
    for name in names or [sys.executable]:
        installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{name}.*/bin/python"))
        paths.append(str(installed[-1]) if installed else name)
    return paths


def main() -> int:
    """Print a row a workload and interpreter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", default=[], help="a path, or 3.12")
    parser.add_argument("names", nargs="*", help="workloads; all by default")
    chosen = parser.parse_args()
    print("| workload | CPython | calls | forecast | stood | ratio |")
    print("|---|---|--:|--:|--:|--:|")
    right = True
    for name in chosen.names or NAMES:
        for python in found_pythons(chosen.python):
            row = row_of(name, python)
            right = right and row.is_right
            mark = "" if row.is_right else " off"
            print(
                f"| `{row.name}` | {row.python} | {row.calls:,} | {row.forecast:,.0f} | "
                f"{row.stood:,} | {row.ratio:.2f}{mark} |",
                flush=True,
            )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
