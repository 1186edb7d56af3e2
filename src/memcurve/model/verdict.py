"""The five verdicts on one curve, and the judgement on all curves of a recording."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from memcurve.model.caveat import Caveat
from memcurve.model.debt import Debt
from memcurve.model.findings import Culprit, Explanation, Ledger
from memcurve.model.recording import ChildProcess, Recording
from memcurve.model.thresholds import Thresholds
from memcurve.model.wording import wording

VerdictName = Literal["flat", "plateaued", "growing", "rising", "inconclusive"]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict rests on.

    `per_call` with its interval [`low`, `high`] is the slope of the curve over the calls
    `from_call` to `to_call`, in the unit of the counter a call; `floor` is the smallest growth
    that would have been seen; with a `horizon`, only where it comes at least once in so many calls:
    there were too few to see a rarer one. `covers` names the parts of live memory that were
    counted, `unread` those that were not, `where` those that grow.
    """

    counter: str
    per_call: float
    low: float
    high: float
    from_call: int
    to_call: int
    rows: int
    floor: float
    note: str = ""
    horizon: int = 0
    covers: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    where: tuple[str, ...] = ()


class Filling(msgspec.Struct, frozen=True, kw_only=True):
    """A container with a declared bound that is not full yet."""

    name: str
    bound: int
    size: int
    full_at_call: int
    full_bytes: int


class _Verdict(msgspec.Struct, frozen=True, kw_only=True, tag_field="verdict"):
    evidence: Evidence
    thresholds: Thresholds = Thresholds()

    def __str__(self) -> str:
        return wording("line", self) or repr(self)


class Flat(_Verdict, frozen=True, kw_only=True, tag="flat"):
    """Nothing grows: the interval lies inside the tolerance, or inside the stated floor."""


class Plateaued(_Verdict, frozen=True, kw_only=True, tag="plateaued"):
    """It grew and stopped: at call `at`, by `size`.

    With `filling` it has not stopped yet, but what grows declares the bound at which it will;
    with `projected` the slope decays and `at` and `size` are where it leads.
    """

    at: int
    size: float
    filling: Filling | None = None
    projected: bool = False


class Growing(_Verdict, frozen=True, kw_only=True, tag="growing"):
    """It grows with every call; a bound up to call `no_bound_up_to` is excluded."""

    per_call: float
    low: float
    high: float
    no_bound_up_to: int


class Rising(_Verdict, frozen=True, kw_only=True, tag="rising"):
    """It grew in every part of the run, by more than chance explains, and no bound is declared.

    Too few calls, or too uneven ones, to exclude a bound that nobody declares: `why`, and
    `settle_by` what would decide it.
    """

    per_call: float
    low: float
    high: float
    why: str
    settle_by: str


class Inconclusive(_Verdict, frozen=True, kw_only=True, tag="inconclusive"):
    """Neither growth nor flatness is proved; `settle_by` says what would decide it."""

    why: str
    settle_by: str


Verdict = Flat | Plateaued | Growing | Rising | Inconclusive
Rise = Growing | Rising
"""What surely rose, and is explained and gated as such, whether or not a bound is excluded."""


def name_of(verdict: Verdict) -> VerdictName:
    """Return the verdict as the word that JSON and tables use."""
    match verdict:
        case Flat():
            return "flat"
        case Plateaued():
            return "plateaued"
        case Growing():
            return "growing"
        case Rising():
            return "rising"
        case Inconclusive():
            return "inconclusive"


GATED = (
    "retained",
    "mapped",
    "children",
    "fds",
    "threads",
    "tasks",
    "processes",
    "zombies",
)
WORST_FIRST: tuple[VerdictName, ...] = (
    "growing",
    "rising",
    "inconclusive",
    "plateaued",
    "flat",
)


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes and objects a call over the judged tail."""

    bytes_per_call: float
    objects_per_call: float


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is said about one recording.

    `verdicts` holds those of `GATED` that were counted, and "deferred": garbage that waits for the
    collector. "mapped" and "children" are parts of "retained"; the rates split its slope. `debt`
    is what of the garbage stands at once: None where no settled pass counted it.
    """

    verdicts: Mapping[str, Verdict]
    python_per_call: float
    native_per_call: float
    objects_per_call: float
    deferred: Rate
    calls: int
    caveats: tuple[Caveat, ...]
    mapped_per_call: float = 0.0
    touched_per_call: float = 0.0
    children_per_call: float = 0.0
    children: tuple[ChildProcess, ...] = ()
    debt: Debt | None = None

    @property
    def retained(self) -> Verdict:
        return self.verdicts["retained"]

    @property
    def overall(self) -> Verdict:
        """The worst verdict of memory, descriptors, threads and tasks; memory's among equals."""
        gated = [self.verdicts[key] for key in GATED if key in self.verdicts]
        return min(gated, key=lambda verdict: WORST_FIRST.index(name_of(verdict)))


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found: the worst verdict, all verdicts, the raw recording, the causes.

    `acknowledged`: known leaks account for all that grows. `elapsed_s` are seconds of the clock,
    explaining included.
    """

    verdict: Verdict
    judgement: Judgement
    recording: Recording
    ledger: Ledger | None = None
    explanation: Explanation | None = None
    acknowledged: bool = False
    elapsed_s: float = 0.0

    @property
    def culprits(self) -> tuple[Culprit, ...]:
        """The causes that were found, the largest first; empty where nothing was explained."""
        return self.explanation.culprits if self.explanation is not None else ()

    def __str__(self) -> str:
        return wording("text", self) or super().__repr__()

    def __repr__(self) -> str:
        line = wording("line", self.verdict)
        return f"<Checked: {line}>" if line is not None else super().__repr__()

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows."""
        return wording("html", self)
