"""Eight patterns that close a cycle, labelled with the references that close it, and their fixes.

The patterns are our own choice. Chen, Yu and Hu (2023, doi 10.1007/s11219-023-09641-5) found eight
that explain 91.64 % of the cyclic garbage of 671 projects; their list is not public, and only the
abstract was read. These are the ways that people are warned of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.proof.accuracy.workload import FOLDER

FIXED: Final = "_fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One way to close a cycle.

    `references` go once round, in any rotation: who refers, and by what, without places in code.
    Their names are those of CPython 3.11 and later. `made` stands in the line that makes it.
    """

    name: str
    references: tuple[str, ...]
    made: str
    fix: str

    @property
    def target(self) -> str:
        return f"{FOLDER / 'cycles'}.py:{self.name}"

    @property
    def fixed(self) -> str:
        return self.target + FIXED


PATTERNS: Final = (
    Pattern(
        name="back_reference",
        references=("cycles._Job.part", "cycles._Part.owner"),
        made="job = _Job()",
        fix="the part refers to its owner weakly",
    ),
    Pattern(
        name="bound_method_on_self",
        references=("cycles._Worker.handlers", "dict['done']", "method.__self__"),
        made="worker = _Worker()",
        fix="a WeakMethod is kept",
    ),
    Pattern(
        name="closure_over_owner",
        references=(
            "cycles._Job.size",
            "function closure_over_owner.<locals>.<lambda>.__closure__",
            "tuple[*]",
            "cell.cell_contents",
        ),
        made="job = _Job()",
        fix="the closure holds what it needs, and not its owner",
    ),
    Pattern(
        name="exception_in_a_local",
        references=(
            "IndexError.__traceback__",
            "traceback.tb_frame",
            "frame of exception_in_a_local local 'failed'",
        ),
        made="buffer[len(buffer)]",
        fix="the local is deleted at the end",
    ),
    Pattern(
        name="frame_in_a_local",
        references=("frame of frame_in_a_local local 'frame'",),
        made="sys._getframe()",
        fix="the local is deleted at the end",
    ),
    Pattern(
        name="inner_function_that_recurs",
        references=(
            "function inner_function_that_recurs.<locals>.halved.__closure__",
            "tuple[*]",
            "cell.cell_contents",
        ),
        made="def halved(",
        fix="the function stands in the module",
    ),
    Pattern(
        name="class_at_each_call",
        references=("class cycles.class_at_each_call.<locals>.Row.__mro__", "tuple[*]"),
        made="class Row:",
        fix="the class stands in the module",
    ),
    Pattern(
        name="observer_of_what_it_holds",
        references=("cycles._Observer.subject", "cycles._Subject.observers", "list[*]"),
        made="_Observer(_Subject())",
        fix="the observer is taken out when it is done",
    ),
)
