"""Run executions with injected faults on ten threads; every end, all memory and each time counts.

    make soak-ragpool ARGS="100000"

A third of the executions meets a fault (`fates.py`). Exit 1 when one ends otherwise than it must,
when memcurve's judge does not call memory, descriptors and threads of this process flat or
plateaued, or when a connection is left open. Writes `reports/soak-ragpool.md` and a picture beside
it; `--write` puts the same into `docs/ragpool-in-service.md`.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bench.backend import stub_backend
from bench.proof.accuracy.document import table
from bench.proof.soak_ragpool.beside import Times, percentile, run_beside
from bench.proof.soak_ragpool.fates import FATES, fate_of
from bench.proof.soak_ragpool.picture import draw
from bench.proof.soak_ragpool.soak import THREADS, Soaked
from memcurve.model.verdict import Flat, Plateaued, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from memcurve.model.verdict import Verdict

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "ragpool-in-service.md"
BEGIN, END = "<!-- make soak-ragpool writes from here -->", "<!-- to here -->"
SHOWN = 10
JUDGED = {
    "retained": "live memory, bytes",
    "fds": "descriptors",
    "threads": "threads",
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak-ragpool")
    parser.add_argument("executions", type=int, nargs="?", default=100_000)
    parser.add_argument("--keep", type=int, default=0, metavar="BYTES", help="leak so much of each")
    parser.add_argument("--out", type=Path, default=ROOT / "reports")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name} too")
    options = parser.parse_args(arguments)
    if options.executions < len(FATES):
        parser.error(f"executions is {options.executions}; one turn of the faults is {len(FATES)}")
    with stub_backend() as running:
        os.environ.update(running.environment)
        found, times = run_beside(options.executions, options.keep, _told)
    print()
    problems, text = wrong(found), "\n\n".join(sections(found, times))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "soak-ragpool.md").write_text(f"# Soak of ragpool\n\n{text}\n")
    (options.out / "soak-ragpool.png").write_bytes(draw(found, times))
    print(text)
    for problem in problems:
        print(f"soak-ragpool: {problem}", file=sys.stderr)
    if options.write:
        write(text, PAGE)
    return 1 if problems else 0


def _told(done: int) -> None:
    print(f"\r{done} executions", end="", file=sys.stderr, flush=True)


def wrong(found: Soaked) -> list[str]:
    """Return what is not as it must be, a line each."""
    lines = found.unexpected[:SHOWN]
    if len(found.unexpected) > SHOWN:
        lines.append(
            f"and {len(found.unexpected) - SHOWN} more that ended otherwise than they must"
        )
    for name, verdict in _verdicts(found):
        if not isinstance(verdict, (Flat, Plateaued)):
            lines.append(f"{name}: {name_of(verdict)}")
    if found.clients_open:
        lines.append(f"{found.clients_open} HTTP clients are open after all was closed")
    return lines


def _verdicts(found: Soaked) -> Iterator[tuple[str, Verdict]]:
    """Yield what is judged and how, memory first."""
    if found.checked is not None:
        for name, verdict in found.checked.judgement.verdicts.items():
            if name in JUDGED:
                yield JUDGED[name], verdict


def sections(found: Soaked, times: Times) -> list[str]:
    """Return the report in Markdown, a table or a paragraph each."""
    return [_how(found), _ends(found), _memory(found), _times(times)]


def _how(found: Soaked) -> str:
    names = ("httpx", "langchain-openai", "openai")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return (
        f'`make soak-ragpool ARGS="{found.executions}"`: {found.executions:,} executions on '
        f"{THREADS} threads in {found.elapsed_s:,.0f} s. CPython {platform.python_version()}, "
        f"{platform.machine()}, {os.cpu_count()} processors with a load of "
        f"{os.getloadavg()[2]:.0f} over the last 15 minutes; {versions}."
    )


def _ends(found: Soaked) -> str:
    injected = Counter(fate_of(number) for number in range(found.executions))
    rows = [
        [
            fate.name,
            ", ".join(filter(None, (fate.status.value, fate.error))),
            f"{count:,}",
            f"{found.ends[fate.name]:,}",
        ]
        for fate, count in injected.items()
    ]
    rows.append(["all", "", f"{found.executions:,}", f"{found.ends.total():,}"])
    return table(["injected", "must end", "executions", "ended so"], rows)


def _memory(found: Soaked) -> str:
    rows = []
    for name, verdict in _verdicts(found):
        seen = verdict.evidence
        slope, low, high = (
            f"{value / found.each:+.2f}" for value in (seen.per_call, seen.low, seen.high)
        )
        rows.append([name, name_of(verdict), f"{slope} [{low}, {high}]"])
    return table(["judged", "verdict", "an execution"], rows)


def _times(times: Times) -> str:
    rows = [
        [
            f"p{percent}",
            f"{times.ratio(percent):.2f}",
            f"{percentile(times.pooled_s, percent) * 1000:.0f} ms",
            f"{percentile(times.naive_s, percent) * 1000:.0f} ms",
        ]
        for percent in (50, 99)
    ]
    naive = len(times.naive_s) + times.naive_failed
    rows.append(["failed", "", "0", f"{times.naive_failed:,} of {naive:,}"])
    return table(["clean search", "pooled of naive", "pooled", "naive"], rows)


def write(text: str, page: Path) -> None:
    """Put the report between its marks on a page."""
    before, _, rest = page.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    sys.exit(main())
