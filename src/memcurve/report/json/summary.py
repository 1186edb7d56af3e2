"""summary.json: the figures and verdicts of a run for programs, raw, with a version.

Bytes are bytes, times are seconds, and rates are a call. Every key is always there; what was not
measured is null. Its schema is made from these structs.
"""

from typing import assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from memcurve.compare.metrics import METRICS, Metrics
from memcurve.compare.ranking import Standing
from memcurve.model.caveat import Caveat
from memcurve.model.findings import Culprit, Ledger
from memcurve.model.surveys import LostReference
from memcurve.model.verdict import (
    Flat,
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Rising,
    Verdict,
    VerdictName,
    name_of,
)
from memcurve.report.json.comparison import CrossingShape, crossing_of
from memcurve.report.json.debt import DebtShape, debt_shape
from memcurve.report.json.shape import Shape, finite, json_text
from memcurve.report.view import DesignView, RunView, ScenarioView

SUMMARY_VERSION = 1
KEYS = {
    "retained": "retained_bytes_per_call",
    "deferred": "deferred_bytes_per_call",
    "rss_peak": "rss_peak_growth_bytes",
    "fds": "fds_growth",
    "connections": "connections_opened",
    "cpu": "cpu_s_per_call",
}
"""What readers of the file call each metric: unit and denominator in the name."""


class VerdictShape(Shape, frozen=True, kw_only=True):
    """One verdict with its interval, in the unit of its counter a call."""

    verdict: VerdictName
    per_call: float | None
    low: float | None
    high: float | None
    floor: float | None
    horizon: int | UnsetType = UNSET
    from_call: int
    to_call: int
    no_bound_up_to: int | UnsetType = UNSET
    at: int | UnsetType = UNSET
    size: float | UnsetType | None = UNSET
    projected: bool | UnsetType = UNSET
    bound: str | UnsetType | None = UNSET
    why: str | UnsetType = UNSET
    settle_by: str | UnsetType = UNSET


class DesignShape(Shape, frozen=True, kw_only=True):
    """One design of one scenario; lost references are null if nobody counted them."""

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
    debt: DebtShape | None
    verdicts: dict[str, VerdictShape]
    ledger: Ledger | None
    culprits: tuple[Culprit, ...]
    lost_references: tuple[LostReference, ...] | None
    failure: str | None
    crossings: tuple[CrossingShape, ...]
    caveats: tuple[Caveat, ...]


class LeadShape(Shape, frozen=True, kw_only=True):
    """By how much one design leads over another; "~" is no difference."""

    design: str
    over: str
    figures: dict[str, str]


class ScenarioShape(Shape, frozen=True, kw_only=True):
    """One scenario with its designs."""

    name: str
    description: str
    verdict: str
    winner: str | None
    designs: tuple[DesignShape, ...]
    leads: tuple[LeadShape, ...]


class SummaryShape(Shape, frozen=True, kw_only=True):
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


def summary_json(view: RunView) -> bytes:
    """Return the summary as indented JSON text."""
    return json_text(summary_of(view), indent=2) + b"\n"


def summary_of(view: RunView) -> SummaryShape:
    """Return the summary of a run."""
    return SummaryShape(
        schema_version=SUMMARY_VERSION,
        passed=view.passed,
        headline=view.headline,
        recorded_at=view.recorded_at,
        elapsed_s=round(view.elapsed_s, 3),
        command=view.command,
        environments=tuple(environment.key for environment in view.environments),
        crossings=tuple(map(crossing_of, view.crossings)),
        scenarios=tuple(map(_scenario, view.scenarios)),
    )


def _scenario(scenario: ScenarioView) -> ScenarioShape:
    return ScenarioShape(
        name=scenario.name,
        description=scenario.description,
        verdict=scenario.state,
        winner=scenario.winner,
        designs=tuple(map(_design, scenario.designs)),
        leads=tuple(map(_lead, scenario.standings)),
    )


def _lead(standing: Standing) -> LeadShape:
    signs: dict[str, str] = {KEYS[gap.metric.key]: gap.sign for gap in standing.gaps}
    return LeadShape(design=standing.design, over=standing.over, figures=signs)


def _design(design: DesignView) -> DesignShape:
    recording, judgement = design.outcome.recording, design.outcome.judgement
    failure = recording.failure
    return DesignShape(
        name=design.name,
        target=recording.target,
        verdict=design.state,
        sentence=design.sentence,
        calls=judgement.calls if judgement else 0,
        figures=_figures(design.metrics),
        retained_bytes=_retained_bytes(design),
        python_bytes_per_call=finite(judgement.python_per_call if judgement else None),
        native_bytes_per_call=finite(judgement.native_per_call if judgement else None),
        objects_per_call=finite(judgement.objects_per_call if judgement else None),
        debt=debt_shape(judgement.debt if judgement else None),
        verdicts=_verdicts(judgement),
        ledger=design.ledger,
        culprits=design.culprits,
        lost_references=design.lost_references,
        failure=failure.line if failure else None,
        crossings=tuple(map(crossing_of, design.crossings)),
        caveats=design.caveats,
    )


def _figures(metrics: Metrics) -> dict[str, float | None]:
    return {KEYS[metric.key]: finite(metrics.get(metric)) for metric in METRICS}


def _retained_bytes(design: DesignView) -> int | None:
    """Return the live bytes after the calls that the curves show, above call 0."""
    recording = design.outcome.recording
    record = recording.of("settled")
    curve = record.samples.curve("live_bytes").grown() if record else None
    return curve.at(recording.calls) if curve and design.state != "failed" else None


def _verdicts(judgement: Judgement | None) -> dict[str, VerdictShape]:
    if judgement is None:
        return {}
    return {name: _verdict(verdict) for name, verdict in judgement.verdicts.items()}


def _verdict(verdict: Verdict) -> VerdictShape:
    evidence = verdict.evidence
    shape = VerdictShape(
        verdict=name_of(verdict),
        per_call=finite(evidence.per_call),
        low=finite(evidence.low),
        high=finite(evidence.high),
        floor=finite(evidence.floor),
        horizon=evidence.horizon or UNSET,
        from_call=evidence.from_call,
        to_call=evidence.to_call,
    )
    match verdict:
        case Flat():
            return shape
        case Growing():
            return replace(shape, no_bound_up_to=verdict.no_bound_up_to)
        case Plateaued():
            return replace(
                shape,
                at=verdict.at,
                size=finite(verdict.size),
                projected=verdict.projected,
                bound=verdict.filling.name if verdict.filling else None,
            )
        case Inconclusive() | Rising():
            return replace(shape, why=verdict.why, settle_by=verdict.settle_by)
        case _:
            assert_never(verdict)
