"""Keep the generated table of docs/gate-mutation.md: a row for each fault, as it was last run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.proof.accuracy.document import table, write_section
from bench.proof.mutation.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.proof.mutation.finding import Finding

PAGE: Final = Path(__file__).parents[3] / "docs" / "gate-mutation.md"
HEADER = ["fault", "in", "design that must turn red", "counters", "named", "as", "calls", "s"]
MISSED = "missed: "
LONGEST = 90


def write(findings: Sequence[Finding], page: Path = PAGE) -> None:
    """Replace the rows of these faults on the page; those of others stay, in the faults' order."""
    rows = rows_of(page.read_text()) | {one.fault.name: _row(one) for one in findings}
    known = [rows[fault.name] for fault in FAULTS if fault.name in rows]
    write_section("faults", f"{table(HEADER, known)}\n\n{_end(known)}", page)


def rows_of(text: str) -> dict[str, list[str]]:
    """Return the cells of the table's rows by the name of their fault."""
    lines = text.partition("<!-- faults -->")[2].partition("<!-- /faults -->")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][2:]
    return {cells[0]: cells for cells in rows}


def _end(rows: Sequence[Sequence[str]]) -> str:
    missed = sum(cells[3].startswith(MISSED) for cells in rows)
    minutes = sum(int(cells[7]) for cells in rows) / 60
    return (
        f"{len(rows) - missed} of {len(rows)} named, {missed} missed. "
        f"Together they took {minutes:.0f} minutes."
    )


def _row(finding: Finding) -> list[str]:
    counters = ", ".join(finding.counters).replace("_", " ")
    cells = [
        finding.fault.name,
        f"`{finding.fault.file}`",
        finding.fault.seen_in,
        f"{MISSED}{finding.problem}" if finding.problem else counters,
        f"`{finding.fault.culprit}`" if finding.named else "-",
        _code(finding.culprit) if finding.named else "-",
        str(finding.calls or "-"),
        f"{finding.elapsed_s:.0f}",
    ]
    return [cell.replace("|", "/").replace("\n", " ") for cell in cells]


def _code(culprit: str) -> str:
    short = culprit if len(culprit) <= LONGEST else f"{culprit[: LONGEST - 1]}…"
    return f"`{short}`" if short else "-"
