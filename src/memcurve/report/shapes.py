"""The shapes of the JSON that programs read: what the schemas in docs/schema are made from.

A key that is `UNSET` by default is there only with some verdicts; all others always are.
"""

import msgspec
from msgspec import UNSET, UnsetType

from memcurve.model.baseline import BASELINE_VERSION, Baseline
from memcurve.model.caveat import Caveat
from memcurve.model.diagnosis import DIAGNOSIS_VERSION, Diagnosis
from memcurve.model.findings import Culprit, Cycle, Ledger
from memcurve.model.recording import SCHEMA_VERSION, Environment, Recording
from memcurve.model.verdict import VerdictName
from memcurve.report.comparison_json import (
    COMPARISON_VERSION,
    ComparisonShape,
    CrossingShape,
    RevisionsShape,
)
from memcurve.report.printed import PRINTED_VERSION, Accepted, Explained
from memcurve.report.summary import SUMMARY_VERSION
from memcurve.store.findings import FINDINGS_VERSION, Findings


class _Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class RetainedShape(_Shape, frozen=True, kw_only=True):
    """What every call keeps, in bytes a call; null: not finite."""

    verdict: VerdictName
    bytes_per_call: float | None
    low: float | None
    high: float | None
    python: float
    native: float
    objects_per_call: float
    no_bound_up_to: int | UnsetType = UNSET
    at: int | UnsetType = UNSET
    size: float | UnsetType = UNSET
    projected: bool | UnsetType = UNSET
    full_at_call: int | UnsetType = UNSET
    full_bytes: int | UnsetType = UNSET
    bound: int | UnsetType = UNSET
    bound_name: str | UnsetType = UNSET
    why: str | UnsetType = UNSET
    settle_by: str | UnsetType = UNSET


class DeferredShape(_Shape, frozen=True, kw_only=True):
    """What waits for the cyclic collector, a call."""

    verdict: VerdictName
    bytes_per_call: float
    objects_per_call: float


class ResourcesShape(_Shape, frozen=True, kw_only=True):
    """Descriptors, threads and tasks; null: not readable here."""

    fds: VerdictName | None
    fds_per_call: float | None
    threads: VerdictName | None
    threads_per_call: float | None
    tasks: VerdictName | None
    tasks_per_call: float | None


class CheckShape(_Shape, frozen=True, kw_only=True):
    """The object that `memcurve check --json` prints."""

    schema_version: int
    target: str
    verdict: VerdictName
    retained: RetainedShape
    deferred: DeferredShape
    resources: ResourcesShape
    floor_bytes_per_call: float | None
    calls: int
    ledger: Ledger | None
    culprits: tuple[Culprit, ...]
    acknowledged: bool
    cycles: tuple[Cycle, ...]
    notes: tuple[str, ...]
    caveats: tuple[Caveat, ...]
    elapsed_s: float
    cpu_s: float
    environment: Environment | None


class VerdictShape(_Shape, frozen=True, kw_only=True):
    """One verdict with its interval, in the unit of its counter a call."""

    verdict: VerdictName
    per_call: float | None
    low: float | None
    high: float | None
    floor: float | None
    from_call: int
    to_call: int
    no_bound_up_to: int | UnsetType = UNSET
    at: int | UnsetType = UNSET
    size: float | UnsetType | None = UNSET
    projected: bool | UnsetType = UNSET
    bound: str | UnsetType | None = UNSET
    why: str | UnsetType = UNSET
    settle_by: str | UnsetType = UNSET


class DesignShape(_Shape, frozen=True, kw_only=True):
    """One design of one scenario."""

    name: str
    target: str
    verdict: str
    sentence: str
    calls: int
    figures: dict[str, float | None]
    retained_bytes: int | None
    python_bytes_per_call: float | None
    native_bytes_per_call: float | None
    objects_per_call: float | None
    verdicts: dict[str, VerdictShape]
    ledger: Ledger | None
    culprits: tuple[Culprit, ...]
    failure: str | None
    crossings: tuple[CrossingShape, ...]
    caveats: tuple[Caveat, ...]


class LeadShape(_Shape, frozen=True, kw_only=True):
    """By how much one design leads over another; "~" is no difference."""

    design: str
    over: str
    figures: dict[str, str]


class ScenarioShape(_Shape, frozen=True, kw_only=True):
    """One scenario with its designs."""

    name: str
    description: str
    verdict: str
    winner: str | None
    designs: tuple[DesignShape, ...]
    leads: tuple[LeadShape, ...]


class SummaryShape(_Shape, frozen=True, kw_only=True):
    """The object in `summary.json`."""

    schema_version: int
    passed: bool
    headline: str
    recorded_at: str
    elapsed_s: float
    command: str
    environments: tuple[str, ...]
    crossings: tuple[CrossingShape, ...]
    scenarios: tuple[ScenarioShape, ...]


SHAPES: dict[str, type[msgspec.Struct]] = {
    f"recording-v{SCHEMA_VERSION}": Recording,
    f"baseline-v{BASELINE_VERSION}": Baseline,
    f"check-v{SCHEMA_VERSION}": CheckShape,
    f"summary-v{SUMMARY_VERSION}": SummaryShape,
    f"findings-v{FINDINGS_VERSION}": Findings,
    f"comparison-v{COMPARISON_VERSION}": ComparisonShape,
    f"revisions-v{COMPARISON_VERSION}": RevisionsShape,
    f"accepted-v{PRINTED_VERSION}": Accepted,
    f"explained-v{PRINTED_VERSION}": Explained,
    f"diagnosis-v{DIAGNOSIS_VERSION}": Diagnosis,
}


def schema_of(name: str) -> bytes:
    """Return the JSON Schema of one of `SHAPES` as indented text."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.schema(SHAPES[name])), indent=1)
