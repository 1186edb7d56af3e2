"""The values that comparing gives: crossings, comparisons, and the outcome of a whole run."""

import msgspec

from memcurve.model.baseline import AcceptedDesign
from memcurve.model.caveat import Caveat
from memcurve.model.findings import Culprit, Explanation, Ledger
from memcurve.model.recording import Recording
from memcurve.model.verdict import Judgement


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A threshold that a run crossed for good: where, by how much, and against what.

    `kind` is "band" (the curve left its baseline), "verdict" (something grows that must not),
    "resources" (descriptors, threads or tasks grow), "lead" (pooled no longer beats naive) or
    "limit" (a test allows less).
    """

    scenario: str
    design: str
    counter: str
    kind: str
    call: int
    value: float
    limit: float
    message: str

    @property
    def over(self) -> float:
        """By how much the value lies above its limit, in the unit of the counter."""
        return self.value - self.limit


class CounterChange(msgspec.Struct, frozen=True, kw_only=True):
    """One counter of one design at its last call: accepted and measured, "~" if inside the band."""

    counter: str
    accepted: float
    measured: float
    inside: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One design held against its baseline; `baseline` is None where there is none."""

    scenario: str
    design: str
    baseline: AcceptedDesign | None
    changes: tuple[CounterChange, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    caveats: tuple[Caveat, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known about one design of one scenario after a run.

    `judgement` is None where the settled pass failed; the recording then holds the failure.
    """

    recording: Recording
    judgement: Judgement | None
    comparison: Comparison | None = None
    culprits: tuple[Culprit, ...] = ()
    ledger: Ledger | None = None
    explanation: Explanation | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All outcomes of one run, in the order of scenarios and designs.

    `may_grow` names the designs of each scenario that are there to be looked at: nothing that
    they do fails the run.
    """

    outcomes: tuple[Outcome, ...]
    descriptions: dict[str, str] = {}
    may_grow: dict[str, tuple[str, ...]] = {}
    command: str = ""
    recorded_at: str = ""
    elapsed_s: float = 0.0

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """All crossed thresholds, in the order of the outcomes."""
        return tuple(c for o in self.outcomes if o.comparison for c in o.comparison.crossings)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The designs that gate and could not be measured."""
        return tuple(o for o in self.outcomes if o.judgement is None and self.gates(o))

    def gates(self, outcome: Outcome) -> bool:
        """Whether a failure of this design fails the run."""
        recording = outcome.recording
        return recording.design not in self.may_grow.get(recording.scenario, ())
