"""The one JSON object that `memcurve check --json` prints, which its schema is made from."""

from typing import Any, assert_never

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from memcurve.model.caveat import Caveat
from memcurve.model.findings import Culprit, Cycle, Ledger
from memcurve.model.recording import RESOURCES, SCHEMA_VERSION, ChildProcess, Environment
from memcurve.model.surveys import LostReference
from memcurve.model.verdict import (
    Checked,
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
from memcurve.report.json.debt import DebtShape, debt_shape
from memcurve.report.json.shape import Shape, finite

DIGITS = 4
"""Rates to a ten-thousandth of a byte a call: far below what any verdict tells apart."""


class RetainedShape(Shape, frozen=True, kw_only=True):
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


class DeferredShape(Shape, frozen=True, kw_only=True):
    """What waits for the cyclic collector, a call."""

    verdict: VerdictName
    bytes_per_call: float
    objects_per_call: float


class ResourcesShape(Shape, frozen=True, kw_only=True):
    """Descriptors, threads, tasks and child processes; null: not readable here.

    A floor is the least growth a call that would have been seen; null where a count is not flat.
    """

    fds: VerdictName | None
    fds_per_call: float | None
    fds_floor: float | None
    threads: VerdictName | None
    threads_per_call: float | None
    threads_floor: float | None
    tasks: VerdictName | None
    tasks_per_call: float | None
    tasks_floor: float | None
    processes: VerdictName | None
    processes_per_call: float | None
    processes_floor: float | None
    zombies: VerdictName | None
    zombies_per_call: float | None
    zombies_floor: float | None


class PartShape(Shape, frozen=True, kw_only=True):
    """A part of what is retained, in bytes a call; null: not read, or not finite."""

    verdict: VerdictName | None
    bytes_per_call: float | None
    low: float | None
    high: float | None


class MappedShape(PartShape, frozen=True, kw_only=True):
    """What is mapped past both heaps, and how much of it is touched."""

    touched_bytes_per_call: float | None


class ChildrenShape(PartShape, frozen=True, kw_only=True):
    """What child processes hold; each of them by the last verification."""

    processes: tuple[ChildProcess, ...]


class CheckShape(Shape, frozen=True, kw_only=True):
    """The object that `memcurve check --json` prints; lost references are null if not counted."""

    schema_version: int
    target: str
    verdict: VerdictName
    retained: RetainedShape
    mapped: MappedShape
    children: ChildrenShape
    covers: tuple[str, ...]
    unread: tuple[str, ...]
    deferred: DeferredShape
    debt: DebtShape | None
    resources: ResourcesShape
    floor_bytes_per_call: float | None
    horizon_calls: int | None
    calls: int
    ledger: Ledger | None
    culprits: tuple[Culprit, ...]
    acknowledged: bool
    cycles: tuple[Cycle, ...]
    lost_references: tuple[LostReference, ...] | None
    notes: tuple[str, ...]
    caveats: tuple[Caveat, ...]
    elapsed_s: float
    cpu_s: float
    environment: Environment | None


def check_shape(checked: Checked) -> CheckShape:
    """Return the object; every key is always there. Bytes and objects are a call."""
    judgement, recording, explanation = checked.judgement, checked.recording, checked.explanation
    return CheckShape(
        schema_version=SCHEMA_VERSION,
        target=recording.target,
        verdict=name_of(checked.verdict),
        retained=_retained(judgement),
        mapped=MappedShape(
            **_part(judgement.verdicts.get("mapped")),
            touched_bytes_per_call=finite(judgement.touched_per_call, DIGITS),
        ),
        children=ChildrenShape(
            **_part(judgement.verdicts.get("children")), processes=judgement.children
        ),
        covers=judgement.retained.evidence.covers,
        unread=judgement.retained.evidence.unread,
        deferred=DeferredShape(
            verdict=name_of(judgement.verdicts["deferred"]),
            bytes_per_call=judgement.deferred.bytes_per_call,
            objects_per_call=judgement.deferred.objects_per_call,
        ),
        debt=debt_shape(judgement.debt),
        resources=_resources(judgement),
        floor_bytes_per_call=finite(judgement.retained.evidence.floor, DIGITS),
        horizon_calls=judgement.retained.evidence.horizon or None,
        calls=judgement.calls,
        ledger=checked.ledger,
        culprits=checked.culprits,
        acknowledged=checked.acknowledged,
        cycles=explanation.cycles if explanation is not None else (),
        lost_references=explanation.lost_references if explanation is not None else None,
        notes=explanation.notes if explanation is not None else (),
        caveats=judgement.caveats,
        elapsed_s=round(checked.elapsed_s, 3),
        cpu_s=round(sum(record.cpu_s + record.sampling_s for record in recording.passes), 3),
        environment=recording.environment,
    )


def _retained(judgement: Judgement) -> RetainedShape:
    verdict = judgement.retained
    evidence = verdict.evidence
    shape = RetainedShape(
        verdict=name_of(verdict),
        bytes_per_call=finite(evidence.per_call, DIGITS),
        low=finite(evidence.low, DIGITS),
        high=finite(evidence.high, DIGITS),
        python=judgement.python_per_call,
        native=judgement.native_per_call,
        objects_per_call=judgement.objects_per_call,
    )
    match verdict:
        case Flat():
            return shape
        case Growing():
            return replace(shape, no_bound_up_to=verdict.no_bound_up_to)
        case Plateaued():
            return _plateau(shape, verdict)
        case Inconclusive() | Rising():
            return replace(shape, why=verdict.why, settle_by=verdict.settle_by)
        case _:
            assert_never(verdict)


def _plateau(shape: RetainedShape, verdict: Plateaued) -> RetainedShape:
    filling = verdict.filling
    if filling is None:
        return replace(shape, at=verdict.at, size=verdict.size, projected=verdict.projected)
    return replace(
        shape,
        full_at_call=filling.full_at_call,
        full_bytes=filling.full_bytes,
        bound=filling.bound,
        bound_name=filling.name,
    )


def _part(verdict: Verdict | None) -> dict[str, Any]:
    evidence = verdict.evidence if verdict is not None else None
    return {
        "verdict": _name(verdict),
        "bytes_per_call": finite(evidence.per_call, DIGITS) if evidence is not None else None,
        "low": finite(evidence.low, DIGITS) if evidence is not None else None,
        "high": finite(evidence.high, DIGITS) if evidence is not None else None,
    }


def _resources(judgement: Judgement) -> ResourcesShape:
    cells: dict[str, Any] = {}
    for name in RESOURCES:
        verdict = judgement.verdicts.get(name)
        cells |= {
            name: _name(verdict),
            f"{name}_per_call": _rate(verdict),
            f"{name}_floor": _floor(verdict),
        }
    return ResourcesShape(**cells)


def _name(verdict: Verdict | None) -> VerdictName | None:
    return name_of(verdict) if verdict is not None else None


def _rate(verdict: Verdict | None) -> float | None:
    return finite(verdict.evidence.per_call, DIGITS) if verdict is not None else None


def _floor(verdict: Verdict | None) -> float | None:
    return finite(verdict.evidence.floor, DIGITS) if isinstance(verdict, Flat) else None
