"""Measure what the article's claims rest on, and print the figures as Markdown.

    python -m bench.findings > figures.md

`docs/findings.md` says what they mean. Every design runs 100 calls settled, which counts bytes, and
100 calls as in production, which counts time; those of the ablation run 60.
"""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from bench import cases
from memcurve.cli.progress import shown
from memcurve.compare.usage import used
from memcurve.model.units import format_bytes, format_count
from memcurve.run import scenarios as running
from memcurve.run.discovery import discover, select
from memcurve.run.options import RunOptions

if TYPE_CHECKING:
    from memcurve.model.outcome import Outcome
    from memcurve.model.recording import Recording

ABLATION, ABLATION_CALLS = "ablation", 60
OTHERS = (
    "executions",
    "llm_client",
    "rag_client",
    "search_cache_unique",
    "vectordb_node",
)
SETTLED_FROM = 0.3  # of the calls: what is built once has been built by then
PERIOD = cases.CLEAN_UP_EVERY
HEAD = "| scenario | design | retained a call | deferred a call | connections | descriptors kept "
HEAD += "| tasks kept | peak RSS growth | CPU a call |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"


def main() -> int:
    """Measure, print the table and the environment; return 0."""
    outcomes = [*_run(ABLATION, ABLATION_CALLS), *_run(" or ".join(OTHERS), None)]
    print(HEAD)
    for outcome in outcomes:
        print(row(outcome))
    environment = next(o.recording.environment for o in outcomes if o.recording.environment)
    versions = ", ".join(f"{name} {number}" for name, number in environment.packages.items())
    print(f"\nCPython {environment.python}, {environment.libc}, {platform.machine()}; {versions}.")
    return 0


def _run(names: str, calls: int | None) -> list[Outcome]:
    found = discover()
    options = RunOptions(calls=calls, explain="never", judge_all=False)
    with shown(quiet=False) as progress:
        return running.run_scenarios(select(found, names), options, progress, found)


def row(outcome: Outcome) -> str:
    """Return the figures of one design as a row of the table."""
    recording = outcome.recording
    cells = [recording.scenario, recording.design, format_bytes(round(retained(recording)))]
    deferred, calls = used(recording, "deferred_bytes"), recording.calls
    cells.append(format_bytes(round((deferred or 0) / calls)))
    cells.append(format_count(used(recording, "connections_opened") or 0))
    cells.extend(format_count(used(recording, name) or 0) for name in ("fds", "tasks"))
    cells.append(format_bytes(_peak(recording)))
    cells.append(f"{(used(recording, 'cpu_ns') or 0) / calls / 1e6:.1f} ms")
    return f"| {' | '.join(cells)} |"


def retained(recording: Recording) -> float:
    """Return the bytes that a call keeps: the rise over the later calls, divided by them.

    Over whole periods of the clean-up, whose sawtooth would read as a slope.
    """
    settled = recording.of("settled")
    if settled is None:
        return 0.0
    curve, last = settled.samples.curve("live_bytes"), recording.calls
    earliest = round(last * SETTLED_FROM)
    first = earliest + (last - earliest) % PERIOD
    return (curve.at(last) - curve.at(first)) / (last - first)


def _peak(recording: Recording) -> float:
    natural = recording.of("natural")
    if natural is None:
        return 0.0
    peak, start = (natural.samples.curve(name) for name in ("rss_peak_bytes", "rss_bytes"))
    return float(max(peak.values) - start.values[0])


if __name__ == "__main__":
    sys.exit(main())
