"""The table of `docs/explain-accuracy.md`: a part for each interpreter, written by its own run."""

from __future__ import annotations

import platform
import re
from pathlib import Path
from typing import Final

import msgspec

PAGE: Final = Path(__file__).parents[3] / "docs" / "explain-accuracy.md"
COLUMNS: Final = ("type", "holder", "line", "bytes", "advice", "verdict")


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """One leak as it was explained: by column what is told wrongly; `missing` where it cannot run.

    `judged` are the columns that its label states a truth for.
    """

    name: str
    judged: tuple[str, ...] = COLUMNS
    wrong: tuple[tuple[str, str], ...] = ()
    missing: str = ""

    @property
    def right(self) -> bool:
        return not self.wrong and not self.missing


def totals(rows: list[Explained]) -> dict[str, tuple[int, int]]:
    """Return for each column (right, judged), of the leaks that could be run."""
    ran = [row for row in rows if not row.missing]
    found: dict[str, tuple[int, int]] = {}
    for column in COLUMNS:
        judged = [row for row in ran if column in row.judged]
        wrong = [row for row in judged if any(name == column for name, _ in row.wrong)]
        found[column] = len(judged) - len(wrong), len(judged)
    return found


def part_of(version: str, rows: list[Explained]) -> str:
    """Return what the page says of one interpreter."""
    ran = [row for row in rows if not row.missing]
    right = sum(row.right for row in ran)
    lines = [
        f"## CPython {version}",
        "",
        f"{right} of {len(ran)} explained rightly. Measured on {platform.machine()}, Linux.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "--:|" * len(COLUMNS),
        "| " + " | ".join(f"{one} of {of}" for one, of in totals(rows).values()) + " |",
    ]
    if wrong := [row for row in ran if row.wrong]:
        lines += ["", "Told wrongly:", ""]
        lines += [f"- `{row.name}`: {_in_words(row)}" for row in wrong]
    if missing := [row for row in rows if row.missing]:
        names = ", ".join(f"`{row.name}`" for row in missing)
        lines += ["", f"Not run, since that interpreter has not what they import: {names}."]
    return "\n".join(lines) + "\n"


def _in_words(row: Explained) -> str:
    return "; ".join(f"{column}: {_shortened(text)}" for column, text in row.wrong)


def _shortened(text: str) -> str:
    text = re.sub(r"\s+", " ", text).replace("|", "/")
    return f"`{text[:157]}…`" if len(text) > 160 else f"`{text}`"


def with_part(page: str, version: str, part: str) -> str:
    """Return a page in which the part of that interpreter is this one; others stay as they are."""
    marks = f"<!-- {version} begins -->\n", f"<!-- {version} ends -->\n"
    written = marks[0] + part + marks[1]
    if marks[0] in page:
        before, rest = page.split(marks[0])
        return before + written + rest.split(marks[1])[1]
    return page.rstrip("\n") + "\n\n" + written
