"""summary.json: the figures and verdicts of a run for programs, raw, with a version.

Bytes are bytes, times are seconds, and rates are a call. Every key is always there; what was not
measured is null.
"""

import json
import math
from typing import Any

import msgspec

from memcurve.model.verdict import (
    Flat,
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Verdict,
    name_of,
)
from memcurve.report.comparison_json import crossing_of
from memcurve.report.figures import METRICS, figures_of
from memcurve.report.page import DesignView, Page, ScenarioView

SUMMARY_VERSION = 1
_KEYS = {
    "retained": "retained_bytes_per_call",
    "deferred": "deferred_bytes_per_call",
    "rss_peak": "rss_peak_growth_bytes",
    "fds": "fds_growth",
    "connections": "connections_opened",
    "cpu": "cpu_s_per_call",
}


def summary_json(page: Page) -> str:
    """Return the summary as indented JSON text."""
    return json.dumps(summary_object(page), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary_object(page: Page) -> dict[str, Any]:
    """Return the summary as plain values."""
    return {
        "schema_version": SUMMARY_VERSION,
        "passed": page.passed,
        "headline": page.headline,
        "recorded_at": page.recorded_at,
        "elapsed_s": round(page.elapsed_s, 3),
        "command": page.command,
        "environments": [environment.key for environment in page.environments],
        "crossings": msgspec.to_builtins([crossing_of(one) for one in page.crossings]),
        "scenarios": [_scenario(scenario) for scenario in page.scenarios],
    }


def _scenario(scenario: ScenarioView) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "description": scenario.description,
        "verdict": scenario.state,
        "winner": scenario.winner,
        "designs": [_design(design) for design in scenario.designs],
        "leads": [
            {
                "design": lead.design,
                "over": lead.over,
                "figures": {_KEYS[gap.metric.key]: gap.sign for gap in lead.gaps},
            }
            for lead in scenario.leads
        ],
    }


def _design(design: DesignView) -> dict[str, Any]:
    recording, judgement = design.outcome.recording, design.outcome.judgement
    figures = figures_of(design.outcome)
    failure = recording.failure
    return {
        "name": design.name,
        "target": recording.target,
        "verdict": design.state,
        "sentence": design.sentence,
        "calls": judgement.calls if judgement else 0,
        "figures": {_KEYS[m.key]: _finite(figures.get(m)) for m in METRICS},
        "retained_bytes": _retained_bytes(design),
        "python_bytes_per_call": _finite(judgement.python_per_call if judgement else None),
        "native_bytes_per_call": _finite(judgement.native_per_call if judgement else None),
        "objects_per_call": _finite(judgement.objects_per_call if judgement else None),
        "verdicts": _verdicts(judgement),
        "ledger": msgspec.to_builtins(design.ledger),
        "culprits": msgspec.to_builtins(design.culprits),
        "failure": failure.line if failure else None,
        "crossings": msgspec.to_builtins([crossing_of(one) for one in design.crossings]),
        "caveats": [{"kind": c.kind, "text": c.text} for c in design.caveats],
    }


def _retained_bytes(design: DesignView) -> int | None:
    """Return the live bytes after the calls that the curves show, above call 0."""
    recording = design.outcome.recording
    record = recording.of("settled")
    curve = record.samples.curve("live_bytes").grown() if record else None
    return curve.at(recording.calls) if curve and design.state != "failed" else None


def _verdicts(judgement: Judgement | None) -> dict[str, Any]:
    if judgement is None:
        return {}
    return {name: _verdict(verdict) for name, verdict in judgement.verdicts.items()}


def _verdict(verdict: Verdict) -> dict[str, Any]:
    evidence = verdict.evidence
    return {
        "verdict": name_of(verdict),
        "per_call": _finite(evidence.per_call),
        "low": _finite(evidence.low),
        "high": _finite(evidence.high),
        "floor": _finite(evidence.floor),
        "from_call": evidence.from_call,
        "to_call": evidence.to_call,
        **_particulars(verdict),
    }


def _particulars(verdict: Verdict) -> dict[str, Any]:
    match verdict:
        case Flat():
            return {}
        case Growing():
            return {"no_bound_up_to": verdict.no_bound_up_to}
        case Plateaued():
            return {
                "at": verdict.at,
                "size": _finite(verdict.size),
                "projected": verdict.projected,
                "bound": verdict.filling.name if verdict.filling else None,
            }
        case Inconclusive():
            return {"why": verdict.why, "settle_by": verdict.settle_by}


def _finite(value: float | None) -> float | None:
    return round(value, 6) if value is not None and math.isfinite(value) else None
