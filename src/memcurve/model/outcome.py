"""The values that comparing gives: crossings, comparisons, and the outcome of a whole run."""

from typing import ClassVar, Literal

import msgspec

from memcurve.model.baseline import AcceptedDesign
from memcurve.model.caveat import Caveat
from memcurve.model.findings import Culprit, Explanation, Ledger
from memcurve.model.recording import Recording
from memcurve.model.verdict import WORST_FIRST, Judgement, Verdict, VerdictName, name_of

State = VerdictName | Literal["failed"]
STATES: tuple[State, ...] = ("failed", *WORST_FIRST)
CrossingKind = Literal["band", "verdict", "resources", "garbage", "lead", "limit"]


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """What is first to blame for a crossing: a culprit with its site, or a cycle in its words."""

    kind: Literal["culprit", "cycle"]
    name: str
    site: str = ""


class _Crossed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """A threshold that a run crossed for good: where, by how much, and who is first to blame.

    `value` and `limit` are in the unit of the counter. `test` is the node of pytest that crossed
    it, "" where a design of a scenario did.
    """

    scenario: str
    design: str
    counter: str
    call: int
    value: float
    limit: float
    cause: Cause | None = None
    test: str = ""

    @property
    def over(self) -> float:
        """By how much the value lies above its limit, in the unit of the counter."""
        return self.value - self.limit


class LeftBand(_Crossed, frozen=True, kw_only=True, tag="band"):
    """A curve left its accepted band for good at `call`; the value is that of `last_call`."""

    kind: ClassVar[CrossingKind] = "band"
    last_call: int


class MemoryGrew(_Crossed, frozen=True, kw_only=True, tag="verdict"):
    """Memory grows in a design that must not grow; the value is a call's."""

    kind: ClassVar[CrossingKind] = "verdict"
    no_bound_up_to: int


class ResourceGrew(_Crossed, frozen=True, kw_only=True, tag="resources"):
    """Descriptors, threads or tasks grow in a design that must not grow; the value is a call's."""

    kind: ClassVar[CrossingKind] = "resources"
    no_bound_up_to: int


class GarbageStood(_Crossed, frozen=True, kw_only=True, tag="garbage"):
    """More garbage stood at once at `call` than a design may leave to the collector; in bytes."""

    kind: ClassVar[CrossingKind] = "garbage"


class LostLead(_Crossed, frozen=True, kw_only=True, tag="lead"):
    """A design uses more than the share `most` of what the design `over_design` uses: `theirs`."""

    kind: ClassVar[CrossingKind] = "lead"
    over_design: str
    theirs: float
    most: float


class PassedLimit(_Crossed, frozen=True, kw_only=True, tag="limit"):
    """A test of pytest, by its node, uses more a call than it allows.

    `verdict` is that of the counter; None for deferred bytes, which need not grow.
    """

    kind: ClassVar[CrossingKind] = "limit"
    verdict: Verdict | None = None


Crossing = LeftBand | MemoryGrew | ResourceGrew | GarbageStood | LostLead | PassedLimit


class CounterChange(msgspec.Struct, frozen=True, kw_only=True):
    """One counter of one design at its last call: accepted and measured, "~" if inside the band."""

    counter: str
    accepted: float
    measured: float
    inside: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One design compared with its baseline; `baseline` is None where there is none."""

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

    @property
    def state(self) -> State:
        """The verdict as one word; "failed" where it could not be measured."""
        return "failed" if self.judgement is None else name_of(self.judgement.overall)

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """The thresholds that this design crossed."""
        return self.comparison.crossings if self.comparison is not None else ()


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All outcomes of one run, in the order of scenarios and designs.

    `may_grow` names the designs of each scenario that are there to be looked at: nothing that
    they do fails the run. `missing` are the designs that a run which was ended did not come to.
    `tests` are the nodes of pytest that were measured, by the scenario that each is kept as.
    """

    outcomes: tuple[Outcome, ...]
    descriptions: dict[str, str] = {}
    tests: dict[str, str] = {}
    may_grow: dict[str, tuple[str, ...]] = {}
    missing: tuple[str, ...] = ()
    command: str = ""
    recorded_at: str = ""
    elapsed_s: float = 0.0

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """All crossed thresholds, in the order of the outcomes."""
        return tuple(crossing for outcome in self.outcomes for crossing in outcome.crossings)

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The designs that could not be measured, and of those that may grow what never ran.

        A design that is there to be looked at may run into its end; one of which no call returned
        is a name that is gone, and not what anybody wants to look at.
        """
        failed = (o for o in self.outcomes if o.judgement is None or o.recording.failure)
        return tuple(o for o in failed if self.gates(o) or not o.recording.ran)

    def gates(self, outcome: Outcome) -> bool:
        """Whether a failure of this design fails the run."""
        recording = outcome.recording
        return recording.design not in self.may_grow.get(recording.scenario, ())
