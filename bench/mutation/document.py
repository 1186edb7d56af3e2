"""Keep the generated table of docs/gate-mutation.md."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.accuracy.document import table, write_section
from bench.mutation.fault import THE_CALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.mutation.finding import Finding

PAGE: Final = Path(__file__).parents[2] / "docs" / "gate-mutation.md"
HEADER = ["fault", "in", "design that turned red", "counter", "first culprit", "calls"]
LONGEST = 90


def write(findings: Sequence[Finding], elapsed_s: float, page: Path = PAGE) -> None:
    """Replace the table on the page."""
    write_section("faults", markdown(findings, elapsed_s), page)


def markdown(findings: Sequence[Finding], elapsed_s: float) -> str:
    """Return the table, worded as it was measured."""
    named = sum(not finding.problem for finding in findings)
    rows = [_row(finding) for finding in findings]
    end = f"{named} of {len(findings)} faults named, in {elapsed_s / 60:.0f} minutes."
    return f"{table(HEADER, rows)}\n\n{end}"


def _row(finding: Finding) -> list[str]:
    fault = finding.fault
    counters = ", ".join(
        counter if counter == THE_CALL else counter.replace("_", " ")
        for counter in finding.counters
    )
    cells = [
        fault.name,
        f"`{fault.file}`",
        fault.seen_in,
        counters or "none",
        _code(finding.culprit),
        str(finding.calls) if finding.calls else "",
    ]
    cells[3] += f" (missed: {finding.problem})" if finding.problem else ""
    return [cell.replace("|", "/").replace("\n", " ") for cell in cells]


def _code(culprit: str) -> str:
    short = culprit if len(culprit) <= LONGEST else f"{culprit[: LONGEST - 1]}…"
    return f"`{short}`" if short else ""
