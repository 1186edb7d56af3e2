"""Measure what explaining costs: CPU seconds of each pass against the same calls run bare.

    python -m bench.proof.explain_accuracy.cost vectordb_node/naive executions/naive

Exit 1 where a pass without native frames costs more than five times the bare calls.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from memcurve.run.discovery import discover
from memcurve.run.explain import ExplainOptions
from memcurve.run.scenarios import explain_design

if TYPE_CHECKING:
    from memcurve.model.findings import PassCost

MOST = 5.0
DEFAULT = ("vectordb_node/naive",)


def costs(name: str, chosen: ExplainOptions) -> tuple[float, tuple[PassCost, ...]]:
    """Return the CPU seconds of one bare call of a design, and what each pass cost."""
    wanted, _, design = name.partition("/")
    scenario = next(one for one in discover(()) if one.name == wanted)
    outcome = explain_design(scenario, design, scenario.calls, chosen)
    natural, explanation = outcome.recording.of("natural"), outcome.explanation
    if natural is None or explanation is None:
        raise SystemExit(f"{name}: {outcome.recording.failure}")
    return natural.cpu_s / natural.calls, explanation.passes


def main() -> int:
    """Print a line for each pass."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=DEFAULT, metavar="SCENARIO/DESIGN")
    parser.add_argument("--brief", action="store_true", help="as a run does where nothing grows")
    parser.add_argument("--native", action="store_true", help="with native frames")
    parser.add_argument("--tracer", choices=("any", "memray", "tracemalloc"), default="any")
    given = parser.parse_args()
    chosen = ExplainOptions(thorough=not given.brief, native=given.native, tracer=given.tracer)
    worst = 0.0
    for name in given.names:
        call_s, passes = costs(name, chosen)
        print(f"{name}: {call_s * 1000:.1f} ms of CPU a call")
        for cost in passes:
            times = cost.cpu_s / (call_s * max(cost.calls, 1))
            worst = max(worst, times)
            print(
                f"  {cost.kind:<12} {cost.calls:>4} calls  {cost.cpu_s:6.2f} s of CPU  "
                f"{times:.1f} times the same calls"
            )
    return 0 if given.native or worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
