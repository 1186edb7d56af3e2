"""Measure what measuring costs: the pooled node bare, under memcurve, and under other tools.

    python -m bench.proof.overhead.run --repeat 5 --write

All ways run interleaved, again and again, in forks of processes that have imported the target. A
figure is the CPU time of the whole process from call 20 to the last call, for one call, divided by
that of the bare run of the same round: what else the machine does cancels out.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec

from bench.backend import stub_backend
from bench.proof.overhead.notes import CALLS, NOTES, WARM_UP, Cost, read_cost
from memcurve.measure.isolation import SpawnedWorker
from memcurve.measure.runner import Session
from memcurve.model.effort import Effort
from memcurve.model.scenario import Target
from memcurve.model.steps import Calls, Finish
from memcurve.run.options import Options
from memcurve.run.passes import natural_request, settled_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from memcurve.model.recording import PassRecord
    from memcurve.model.steps import Step

TABLE = Path(__file__).parents[3] / "docs" / "overhead.md"
PROBE = "bench.proof.overhead.probe"
TARGET = Target(call=f"{PROBE}:vectordb_node", setup=f"{PROBE}:pools")
BARE = "bare"
MODES = {
    BARE: "nothing around the calls",
    "natural": "memcurve, natural pass",
    "settled": "memcurve, settled pass",
    "memray": "memray",
    "memray-python": "memray, Python allocators traced",
    "tracemalloc-1": "tracemalloc, 1 frame",
    "tracemalloc-25": "tracemalloc, 25 frames",
}
SLOW = {"tracemalloc-1": 2, "tracemalloc-25": 26}  # a fraction of the calls is enough for these
ONCE = frozenset(
    {"tracemalloc-25"}
)  # runs in the first round alone: its warm-up takes half a minute


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way of measuring over all rounds: ratios to bare, and memory above bare."""

    mode: str
    ratios: tuple[float, ...]
    cpu_s_per_call: float
    more_bytes: float


def rows_of(rounds: list[dict[str, Cost]]) -> list[Row]:
    """Return one row for each mode: medians over rounds, ratios within each round."""
    rows = []
    for mode in rounds[0]:
        costs = [one[mode] for one in rounds if mode in one]
        bare = [one[BARE] for one in rounds if mode in one]
        pairs = list(zip(costs, bare, strict=True))
        ratios = tuple(cost.cpu_s_per_call / base.cpu_s_per_call for cost, base in pairs)
        more = median(cost.anonymous_bytes - base.anonymous_bytes for cost, base in pairs)
        own = median(cost.cpu_s_per_call for cost in costs)
        rows.append(Row(mode=mode, ratios=ratios, cpu_s_per_call=own, more_bytes=more))
    return rows


def table_of(rows: list[Row]) -> str:
    """Render the rows as a Markdown table."""
    lines = [
        "| how | CPU a call | to bare (median) | to bare (range) | memory above bare |",
        "|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        low, middle, high = min(row.ratios), median(row.ratios), max(row.ratios)
        memory = "" if row.mode == BARE else f"{row.more_bytes / 2**20:+.1f} MiB"
        lines.append(
            f"| {MODES[row.mode]} | {row.cpu_s_per_call * 1e3:.2f} ms | {middle:.2f} | "
            f"{low:.2f} to {high:.2f} | {memory} |"
        )
    return "\n".join(lines)


def document_of(rows: list[Row], calls: int, parent_bytes: int) -> str:
    """Return the page of the docs: how it was measured, the table, and what it means."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("memray", "memcurve"))
    rounds = len(rows[0].ratios)
    return f"""# What measuring costs

`make overhead` writes this page. The workload is one call of the pooled vector database node: two
searches, two judgements and one answer, over real sockets to a stub server in a process of its
own. Figures are of the whole measured process from call {WARM_UP} to call {calls}: the calls, and
everything that measuring adds, samples and collections included. {rounds} rounds ran interleaved,
and each ratio is taken within its round. On a busy machine
CPU times rise for all alike; the ratios hold, within the ranges shown.

{table_of(rows)}

Machine: {os.cpu_count()} processors, {platform.system()} {platform.machine()}; CPython
{platform.python_version()}, {" ".join(platform.libc_ver())}, {versions}. The tracemalloc rows run
fewer calls, and the last of them once, since their calls are long.

- The natural pass leaves the collector as it is and reads counters between calls; the settled pass
  turns the collector off during a call, collects after it, and freezes what was there before. So
  the settled pass can be cheaper than bare: its collections never walk what the imports built.
- Both run with malloc's thread cache off, which is in the figures.
- memcurve's parent process, which judges, held {parent_bytes / 2**20:.0f} MiB resident in addition.
"""


class PlainRunner:
    """The program of `probe`: nothing around the calls, or a tracer."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", PROBE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def run(self, mode: str, calls: int, folder: Path) -> None:
        """Run one mode in a fork; raises RuntimeError if it fails."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(mode, calls, folder, file=self._process.stdin, flush=True)
        status = self._process.stdout.readline().strip()
        if status != "0":
            raise RuntimeError(f"{mode}: the run ended with status {status or 'unknown'}")

    def close(self) -> None:
        """End the program."""
        self._process.communicate()


def run_memcurve(session: Session, mode: str, calls: int) -> PassRecord:
    """Run one pass of memcurve over that many calls, as `memcurve check` would."""
    if mode == "natural":
        request = natural_request(TARGET, Options(), calls)
    else:
        request = settled_request(TARGET, Options(), Effort(shown=calls), "settled")

    def decide(record: PassRecord) -> Step:
        return Calls(to=calls) if record.calls < calls else Finish()

    record = session.run(request.plan, decide)
    if record.failure is not None:
        raise RuntimeError(f"{mode}: {record.failure.message}")
    return record


@contextlib.contextmanager
def opened(calls: int, folder: Path) -> Iterator[tuple[PlainRunner, Session]]:
    """Give both runners, with their target imported and a backend of their own."""
    with stub_backend() as backend:
        environment = {**backend.environment, NOTES: str(folder), CALLS: str(calls)}
        plain = PlainRunner(environment)
        try:
            with SpawnedWorker(sys.executable, environment) as worker:
                session = Session(worker, timeout_s=60.0)
                failure = session.load(TARGET, ())
                if failure is not None:
                    raise RuntimeError(f"the target cannot be loaded: {failure.message}")
                yield plain, session
        finally:
            plain.close()


def measure(repeat: int, calls: int, report: Callable[[str], None]) -> list[dict[str, Cost]]:
    """Run every mode once a round; rounds run the modes in turning order."""
    rounds: list[dict[str, Cost]] = []
    modes = list(MODES)
    with tempfile.TemporaryDirectory(prefix="overhead-") as name:
        folder = Path(name)
        with opened(calls, folder) as (plain, session):
            for number in range(repeat):
                costs: dict[str, Cost] = {}
                for mode in modes[number % len(modes) :] + modes[: number % len(modes)]:
                    if number and mode in ONCE:
                        continue
                    costs[mode] = _one(mode, calls, folder, plain, session)
                    report(f"round {number + 1}: {mode} {costs[mode].cpu_s_per_call * 1e3:.2f} ms")
                rounds.append({mode: costs[mode] for mode in modes if mode in costs})
    return rounds


def _one(mode: str, calls: int, folder: Path, plain: PlainRunner, session: Session) -> Cost:
    for stale in folder.iterdir():
        stale.unlink()
    if mode in ("natural", "settled"):
        run_memcurve(session, mode, calls)
        return read_cost(folder, calls)
    fewer = WARM_UP + (calls - WARM_UP) // SLOW.get(mode, 1)
    plain.run(mode, fewer, folder)
    return read_cost(folder, fewer)


def _resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def main() -> None:
    """Measure, print the table, and write it to the docs on request."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--calls", type=int, default=150)
    parser.add_argument("--write", action="store_true", help="write docs/overhead.md")
    given = parser.parse_args()
    rounds = measure(given.repeat, given.calls, lambda line: print(line, file=sys.stderr))
    rows = rows_of(rounds)
    print(table_of(rows))
    if given.write:
        TABLE.write_text(document_of(rows, given.calls, _resident_bytes()))


if __name__ == "__main__":
    main()
