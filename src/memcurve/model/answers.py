"""What the answers of every pass are made of: their cost, paths, frames and counts by type.

A row of which there may be thousands is a list whose places are the fields of its struct, in that
order.
"""

from collections.abc import Iterable

import msgspec


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer of an explaining pass carries: its cost so far, CPU seconds and calls."""

    pass_cpu_s: float = 0.0
    pass_calls: int = 0


class PathStep(msgspec.Struct, frozen=True, array_like=True):
    """One reference of a retention path: how it is written, and what it leads to.

    The first step of a path is the root: its name, with the reference that leaves it, where it has
    one. `label` is empty where a reference has no name, inside an object of an extension.
    """

    label: str
    thing: str

    @property
    def text(self) -> str:
        """The step as one text, as a path is printed and as marks are made of it."""
        return f"{self.label}: {self.thing}" if self.label else self.thing


def texts_of(steps: Iterable[PathStep]) -> tuple[str, ...]:
    """Return a path as texts."""
    return tuple(step.text for step in steps)


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """A line of code that was running when something was allocated."""

    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


class TypeTotal(msgspec.Struct, frozen=True, array_like=True):
    """Objects of one type, and their own bytes in all."""

    type: str
    count: int
    bytes: int


class TypeNumber(msgspec.Struct, frozen=True, array_like=True):
    """How many objects of one type there were."""

    type: str
    count: int
