"""What the gate said about one fault, held to the truth."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.proof.mutation.fault import THE_CALL
from memcurve.report.crossings import crossing_message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from bench.proof.mutation.fault import Fault
    from memcurve.model.findings import Culprit
    from memcurve.model.outcome import Crossing, Outcome

CULPRITS_READ = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault and what came of it; `problem` is empty when the gate said what it can.

    `named` says whether the right culprit was among the first. `counters` are those that crossed in
    the design that must turn red, `calls` what that design ran, `elsewhere` the other designs that
    turned red.
    """

    fault: Fault
    problem: str
    named: bool
    counters: tuple[str, ...]
    culprit: str
    calls: int
    said: str
    elsewhere: tuple[str, ...]
    elapsed_s: float

    @classmethod
    def of(cls, fault: Fault, outcomes: Sequence[Outcome], elapsed_s: float) -> Self:
        """Judge the outcomes of one run of the gate."""
        by_name = {_name(outcome): outcome for outcome in outcomes}
        outcome = by_name.pop(fault.seen_in)
        counters = tuple(dict.fromkeys(one.counter for one in _crossings(outcome)))
        failure = outcome.recording.failure
        if failure is not None:
            counters = (*counters, THE_CALL)
        named = _named(outcome)
        right = [one for one in named if fault.culprit in one]
        problem = ""
        if not counters:
            problem = "the gate stayed green"
        elif not set(counters) & set(fault.counters):
            problem = f"named {', '.join(counters)} instead of {' or '.join(fault.counters)}"
        elif not right:
            problem = f"the culprit is not {fault.culprit!r} but {'; '.join(named) or 'nobody'}"
        return cls(
            fault=fault,
            problem=problem,
            named=bool(counters and right),
            counters=counters,
            culprit=next(iter([*right, *named]), ""),
            calls=outcome.judgement.calls if outcome.judgement is not None else 0,
            said=next(iter([*(crossing_message(one) for one in _crossings(outcome)), *named]), ""),
            elsewhere=tuple(name for name, other in by_name.items() if _red(other)),
            elapsed_s=elapsed_s,
        )

    def lines(self) -> list[str]:
        """Return what a terminal shows."""
        mark = "✕" if self.problem else "✓"
        lines = [f"{mark} {self.fault.name} ({self.elapsed_s:.0f} s)", self.problem or self.said]
        return [*lines, *([f"red too: {', '.join(self.elsewhere)}"] if self.elsewhere else [])]


def _name(outcome: Outcome) -> str:
    return f"{outcome.recording.scenario}/{outcome.recording.design}"


def _crossings(outcome: Outcome) -> tuple[Crossing, ...]:
    return outcome.comparison.crossings if outcome.comparison is not None else ()


def _red(outcome: Outcome) -> bool:
    return bool(_crossings(outcome)) or outcome.recording.failure is not None


def _named(outcome: Outcome) -> list[str]:
    """Return the first culprits: what survives and who holds it, then what the garbage is made of.

    For a call that raised it is the error.
    """
    failure, explanation = outcome.recording.failure, outcome.explanation
    if failure is not None:
        return [failure.message]
    cycles = explanation.cycles if explanation is not None else ()
    return [
        *(_described(one) for one in outcome.culprits[:CULPRITS_READ]),
        *(f"garbage: {cycle.words}" for cycle in cycles[:CULPRITS_READ]),
    ]


def _described(one: Culprit) -> str:
    return " ".join(filter(None, (one.type, *one.path, _relative(one.site))))


def _relative(site: str) -> str:
    """Return a place without the folder that holds the copy, the repository or the libraries."""
    return re.sub(r"^/.*/(?:site-packages/|(?=(?:ragpool|bench)/))", "", site)
