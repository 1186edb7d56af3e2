"""What a fault is: edits of ragpool's source, and what the gate must say about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IMPORTS_END = "\nif TYPE_CHECKING:\n"
THE_CALL = "the call"
"""Stands among the counters for a call that raises: the design cannot be measured at all."""


@dataclass(frozen=True, slots=True)
class Edit:
    """`new` in place of `old`, once, in one file of ragpool."""

    file: str
    old: str
    new: str

    def apply(self, ragpool: Path) -> None:
        """Edit the file; raises LookupError when the place is gone."""
        path = ragpool / self.file
        text = path.read_text()
        if self.old not in text:
            raise LookupError(f"{self.file} has no {self.old.strip()!r}; write the fault again")
        path.write_text(text.replace(self.old, self.new, 1))


@dataclass(frozen=True, slots=True)
class Place:
    """A line of ragpool, by its file and its text; one that is there twice means the first."""

    file: str
    line: str

    def then(self, added: str) -> Edit:
        """Return the edit that adds lines after it, indented as it is."""
        return Edit(self.file, f"{self.line}\n", f"{self.line}\n{self._indented(added)}")

    def first(self, added: str) -> Edit:
        """Return the edit that adds lines before it, indented as it is."""
        return Edit(self.file, f"{self.line}\n", f"{self._indented(added)}{self.line}\n")

    def becomes(self, new: str) -> Edit:
        """Return the edit that puts another text in its place; an empty one removes the line."""
        return Edit(self.file, f"{self.line}\n", f"{new}\n" if new else "")

    def _indented(self, lines: str) -> str:
        indent = self.line[: len(self.line) - len(self.line.lstrip())]
        return "".join(f"{indent if line else ''}{line}\n" for line in lines.split("\n"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    `module` is put after the imports of the first edit's file. `seen_in` is the design that must
    turn red, `counters` are those of which at least one must be named, and `culprit` is what must
    stand in the first culprits, or in the error of a call that raises.
    """

    name: str
    edits: tuple[Edit, ...]
    seen_in: str
    counters: tuple[str, ...]
    culprit: str
    module: str = ""

    @property
    def file(self) -> str:
        return self.edits[0].file

    def apply(self, ragpool: Path) -> None:
        """Put the fault into a copy of ragpool; raises LookupError when its place is gone."""
        for edit in self.edits:
            edit.apply(ragpool)
        if self.module:
            new = f"\n{self.module}\n{IMPORTS_END}"
            Edit(self.file, IMPORTS_END, new).apply(ragpool)
