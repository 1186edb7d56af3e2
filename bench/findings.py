"""Measure what the article's claims rest on, and print the figures as Markdown.

    python -m bench.findings > figures.md

`docs/findings.md` says what they mean. Every design runs 100 calls settled, which counts bytes, and
100 calls as in production, which counts time.
"""

from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

from memcurve import bench
from memcurve.commands.progress import shown
from memcurve.discovery import discover, select
from memcurve.judge.compare import spent
from memcurve.judge.gates import gated_curve
from memcurve.units import format_bytes, format_count

if TYPE_CHECKING:
    from memcurve.judge.comparison import Outcome
    from memcurve.recording import Recording

SCENARIOS = (
    "ablation",
    "executions",
    "llm_client",
    "rag_client",
    "search_cache_unique",
    "vectordb_node",
)
SETTLED_FROM = 0.3  # of the calls: what is built once is behind then
HEAD = "| scenario | design | retained a call | deferred a call | connections | descriptors kept "
HEAD += "| tasks kept | peak RSS growth | CPU a call |\n|---|---|--:|--:|--:|--:|--:|--:|--:|"


def main() -> int:
    """Measure, print the table and the environment; return 0."""
    scenarios = select(discover(), " or ".join(f"{name}" for name in SCENARIOS))
    options = bench.RunOptions(explain="never", judge_all=False)
    with shown(quiet=False) as progress:
        outcomes = bench.run_scenarios(scenarios, options, progress)
    print(HEAD)
    for outcome in outcomes:
        print(row(outcome))
    environment = next(o.recording.environment for o in outcomes if o.recording.environment)
    versions = ", ".join(f"{name} {number}" for name, number in environment.packages.items())
    print(f"\nCPython {environment.python}, {environment.libc}, {platform.machine()}; {versions}.")
    return 0


def row(outcome: Outcome) -> str:
    """Return the figures of one design as a row of the table."""
    recording = outcome.recording
    cells = [recording.scenario, recording.design, format_bytes(round(retained(recording)))]
    deferred, calls = spent(recording, "deferred_bytes"), recording.calls
    cells.append(format_bytes(round((deferred or 0) / calls)))
    cells.append(format_count(spent(recording, "connections_opened") or 0))
    cells.extend(format_count(spent(recording, name) or 0) for name in ("fds", "tasks"))
    cells.append(format_bytes(_peak(recording)))
    cells.append(f"{(spent(recording, 'cpu_ns') or 0) / calls / 1e6:.1f} ms")
    return f"| {' | '.join(cells)} |"


def retained(recording: Recording) -> float:
    """Return the bytes that a call keeps: the rise over the later calls, divided by them."""
    settled = recording.of("settled")
    if settled is None:
        return 0.0
    curve = gated_curve(settled, "live_bytes", recording.calls)
    tail = curve.tail(round(recording.calls * SETTLED_FROM))
    return (tail.values[-1] - tail.values[0]) / max(tail.calls[-1] - tail.calls[0], 1)


def _peak(recording: Recording) -> float:
    natural = recording.of("natural")
    if natural is None:
        return 0.0
    peak, start = (natural.samples.curve(name) for name in ("rss_peak_bytes", "rss_bytes"))
    return float(max(peak.values) - start.values[0])


if __name__ == "__main__":
    sys.exit(main())
