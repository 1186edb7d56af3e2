"""Check clean and leaking calls again and again, under load: none false, none missed.

    make soak ARGS="--clean 60 --leaking 24 --side 2"

The numbers are divided among the conditions; `--side` checks run at once. Exit 1 for a clean call
that is called growing or rising (false), a leak that is called flat or plateaued (missed), or a
check that could not be made (failed). What stays undecided is counted, and is neither.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from bench.proof.soak.conditions import Condition, conditions, pythons_here, surrounded
from bench.proof.soak.workloads import CLEAN, LEAKING

PAGE = Path(__file__).parents[3] / "docs" / "soak.md"
BEGIN, END = "<!-- make soak writes from here -->", "<!-- to here -->"
TIMEOUT_S = 600.0
ACQUITTED, CONVICTED = ("flat", "plateaued"), ("growing", "rising")
COLUMNS = ("surroundings", "clean", "false", "leaking", "missed", "undecided", "failed", "time")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One check to make."""

    number: int
    condition: Condition
    function: str
    leaks: bool


class Count(msgspec.Struct, kw_only=True):
    """What came of the checks of one condition."""

    name: str
    clean: int = 0
    false: int = 0
    leaking: int = 0
    missed: int = 0
    undecided: int = 0
    failed: int = 0
    elapsed_s: float = 0.0

    def add(self, case: Case, word: str) -> str:
        """Count one; return what is wrong with it, "" if nothing is."""
        self.leaking += case.leaks
        self.clean += not case.leaks
        wrong = ""
        if word in (ACQUITTED if case.leaks else CONVICTED):
            wrong = "missed" if case.leaks else "false"
        elif word == "inconclusive":
            self.undecided += 1
        elif word not in (*ACQUITTED, *CONVICTED):
            wrong = "failed"
        if wrong:
            setattr(self, wrong, getattr(self, wrong) + 1)
            return f"{wrong}: {case.function} ({case.condition.name}) is {word}"
        return ""

    @property
    def cells(self) -> list[str]:
        """One row of the table."""
        return [
            *(str(getattr(self, c)) for c in ("name", *COLUMNS[1:-1])),
            f"{self.elapsed_s:.0f} s",
        ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("--clean", type=int, default=1000, help="checks of clean calls")
    parser.add_argument("--leaking", type=int, default=300, help="checks of leaks")
    parser.add_argument("--side", type=int, default=4, help="checks at once")
    parser.add_argument("--press", type=int, default=1024, help="MiB that pressure takes")
    parser.add_argument("--python", action="append", help="another interpreter to measure in")
    parser.add_argument("--write", action="store_true", help="write the table into docs/soak.md")
    options = parser.parse_args()
    chosen = conditions(options.python if options.python is not None else pythons_here())
    plan = planned(chosen, options.clean, options.leaking)
    counts = [soaked(one, plan, options.side, options.press) for one in chosen]
    counts.append(total(counts))
    print("\n".join(table(counts)))
    if options.write:
        write(table(counts))
    return 1 if counts[-1].false or counts[-1].missed or counts[-1].failed else 0


def planned(chosen: Sequence[Condition], clean: int, leaking: int) -> list[Case]:
    """Divide so many checks among the conditions and the workloads, each in its turn."""
    cases = []
    for count, functions, leaks in ((clean, CLEAN, False), (leaking, LEAKING, True)):
        for number in range(count):
            # a round of the conditions for each workload, so that every pair comes
            turn = number // len(chosen) + number % len(chosen)
            cases.append(
                Case(
                    number=number,
                    condition=chosen[number % len(chosen)],
                    function=functions[turn % len(functions)].__name__,
                    leaks=leaks,
                )
            )
    return cases


def soaked(condition: Condition, plan: Iterable[Case], side: int, press_mib: int) -> Count:
    """Make all checks of one condition, so many at once."""
    own = [case for case in plan if case.condition.name == condition.name]
    count, began = Count(name=condition.name), time.monotonic()
    with surrounded(condition, press_mib), ThreadPoolExecutor(side) as pool:
        for case, word in zip(own, pool.map(checked, own), strict=True):
            if wrong := count.add(case, word):
                print(f"soak: {wrong}", file=sys.stderr, flush=True)
    count.elapsed_s = time.monotonic() - began
    return count


def checked(case: Case) -> str:
    """Make one check; return the verdict's name, or why there is none."""
    condition = case.condition
    command = [sys.executable, "-m", "bench.proof.soak.one", case.function, *condition.arguments]
    try:
        done = subprocess.run(
            command,
            env=condition.variables(case.number),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"not told within {TIMEOUT_S:.0f} s"
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return lines[-1] if lines else f"ended with {done.returncode}"


def total(counts: Sequence[Count]) -> Count:
    """Return the sum of all rows."""
    whole = Count(name="all")
    for field in (*COLUMNS[1:-1], "elapsed_s"):
        setattr(whole, field, sum(getattr(one, field) for one in counts))
    return whole


def table(counts: Sequence[Count]) -> list[str]:
    """Return the table in Markdown."""
    return list(_lines([list(COLUMNS), *(one.cells for one in counts)]))


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(rows[0]) + " |"
    yield "|---" + "|---:" * (len(rows[0]) - 1) + "|"
    for row in rows[1:]:
        yield "| " + " | ".join(row) + " |"


def write(lines: Sequence[str], page: Path = PAGE) -> None:
    """Put the table into the page."""
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
