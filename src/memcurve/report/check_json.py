"""The one JSON object that `memcurve check --json` prints."""

import math
from typing import Any

import msgspec

from memcurve.model.caveat import Caveat
from memcurve.model.recording import SCHEMA_VERSION
from memcurve.model.verdict import (
    Checked,
    Evidence,
    Flat,
    Growing,
    Inconclusive,
    Plateaued,
    Verdict,
    name_of,
)


def check_object(checked: Checked) -> dict[str, Any]:
    """Return the object; every key is always there. Bytes and objects are a call."""
    judgement = checked.judgement
    retained = judgement.retained.evidence
    return {
        "schema_version": SCHEMA_VERSION,
        "target": checked.recording.target,
        "verdict": name_of(checked.verdict),
        "retained": {
            "verdict": name_of(judgement.retained),
            "bytes_per_call": _finite(retained.per_call),
            "low": _finite(retained.low),
            "high": _finite(retained.high),
            "python": judgement.python_per_call,
            "native": judgement.native_per_call,
            "objects_per_call": judgement.objects_per_call,
            **_particulars(judgement.retained),
        },
        "deferred": {
            "verdict": name_of(judgement.verdicts["deferred"]),
            "bytes_per_call": judgement.deferred.bytes_per_call,
            "objects_per_call": judgement.deferred.objects_per_call,
        },
        "resources": _resources(checked),
        "floor_bytes_per_call": _finite(retained.floor),
        "calls": judgement.calls,
        "ledger": msgspec.to_builtins(checked.ledger),
        "culprits": msgspec.to_builtins(checked.culprits),
        "acknowledged": checked.acknowledged,
        "cycles": msgspec.to_builtins(checked.explanation.cycles if checked.explanation else ()),
        "notes": list(checked.explanation.notes if checked.explanation else ()),
        "caveats": [_caveat(caveat) for caveat in judgement.caveats],
        "elapsed_s": round(checked.elapsed_s, 3),
        "cpu_s": round(sum(p.cpu_s + p.sampling_s for p in checked.recording.passes), 3),
        "environment": msgspec.to_builtins(checked.recording.environment),
    }


def _resources(checked: Checked) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("fds", "threads", "tasks"):
        verdict = checked.judgement.verdicts.get(name)
        found[f"{name}_per_call"] = _rate(verdict.evidence) if verdict is not None else None
        found[name] = name_of(verdict) if verdict is not None else None
    return found


def _rate(evidence: Evidence) -> float | None:
    return _finite(evidence.per_call)


def _particulars(verdict: Verdict) -> dict[str, Any]:
    match verdict:
        case Flat():
            return {}
        case Growing():
            return {"no_bound_up_to": verdict.no_bound_up_to}
        case Plateaued():
            filling = verdict.filling
            if filling is None:
                return {"at": verdict.at, "size": verdict.size, "projected": verdict.projected}
            return {
                "full_at_call": filling.full_at_call,
                "full_bytes": filling.full_bytes,
                "bound": filling.bound,
                "bound_name": filling.name,
            }
        case Inconclusive():
            return {"why": verdict.why, "settle_by": verdict.settle_by}


def _caveat(caveat: Caveat) -> dict[str, str]:
    return {"kind": caveat.kind, "text": caveat.text}


def _finite(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
