"""Judge a recording: one verdict for memory, one for each resource, one for deferred bytes."""

from itertools import pairwise
from typing import assert_never

import msgspec

from memcurve.judge.caveats import measurement_caveats
from memcurve.judge.coverage import with_coverage
from memcurve.judge.debt import debt_of
from memcurve.judge.filling import filling_bounds
from memcurve.judge.given_back import with_honest_floor
from memcurve.judge.growth import Reading, read_curve
from memcurve.judge.limits import Limits
from memcurve.judge.more_calls import calls_to_settle
from memcurve.judge.parts import Part, read_children, read_mapped, read_memory
from memcurve.judge.proof import Proof, Unproved, proof_of_settled
from memcurve.model.curve import Curve
from memcurve.model.recording import LEFT_BY_CALLS, RESOURCES, PassRecord, Recording, Samples
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import (
    Evidence,
    Flat,
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Rate,
    Rising,
    Verdict,
)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One curve of a pass with what decides on it: its limits, and what was proved."""

    part: Part
    record: PassRecord
    proof: Proof
    grown_bytes: int = 0

    @property
    def done(self) -> int:
        return self.record.calls

    @property
    def too_few(self) -> str:
        """Why nothing is said of so few calls, those of a look among them; "" where they do."""
        least, ran = self.part.limits.thresholds.few.least, self.done + self.record.looked_at
        return f"{ran} calls are too few to say anything, {least} are needed" if ran < least else ""

    @property
    def evidence(self) -> Evidence:
        return _evidence(self.part.reading, self.part.curve)


def judge(recording: Recording, thresholds: Thresholds | None = None) -> Judgement:
    """Judge the settled pass of a recording; other passes are shown, not judged.

    Costs about a millisecond. Raises ValueError for a recording without a settled pass.
    """
    settled = recording.of("settled")
    if settled is None:
        raise ValueError(f"{recording.scenario}/{recording.design} has no settled pass to judge")
    chosen = thresholds or Thresholds()
    found = judge_pass(recording, settled, proof_of_settled(settled), chosen)
    return msgspec.structs.replace(found, debt=debt_of(recording, found.deferred, chosen))


def judge_pass(
    recording: Recording, record: PassRecord, proof: Proof, thresholds: Thresholds
) -> Judgement:
    """Judge the curves of one pass; `proof` is what says that a rise is no garbage."""
    samples, caveats = record.samples, measurement_caveats(recording, record)
    retained = with_coverage(_judge_memory(record, proof, thresholds), samples, caveats)
    cpus = recording.environment.cpus if recording.environment is not None else 0
    parts = {
        "mapped": read_mapped(samples, thresholds),
        "children": read_children(samples, thresholds),
    }
    parts |= {name: _read_resource(samples, name, thresholds, cpus) for name in RESOURCES}
    verdicts: dict[str, Verdict] = {"retained": retained}
    for name, part in parts.items():
        if len(part.curve):
            grown = part.curve.values[-1] - part.curve.values[0]
            one = Judged(part=part, record=record, proof=proof, grown_bytes=grown)
            verdicts[name] = _verdict(one)
    # the first row has nothing to compare with
    deferred = samples.curve("deferred_bytes").tail(1)
    verdicts["deferred"] = _verdict(
        Judged(part=_read(deferred, Limits.of_bytes(thresholds)), record=record, proof=proof)
    )
    tail = (retained.evidence.from_call, retained.evidence.to_call)
    rates = {
        name: samples.curve(counter).rate(*tail)
        for name, counter in {
            "python_per_call": "python_bytes",
            "native_per_call": "malloc_bytes",
            "mapped_per_call": "mapped_bytes",
            "touched_per_call": "mapped_touched_bytes",
            "children_per_call": "children_bytes",
            "objects_per_call": "objects",
        }.items()
    }
    return Judgement(
        verdicts=verdicts,
        **rates,
        deferred=_deferred_rate(record, *tail),
        calls=samples.curve("live_bytes").last_call,
        caveats=caveats,
        children=record.verifications[-1].children if record.verifications else (),
        debt=None,  # one pass alone does not tell what stands in another
    )


def _judge_memory(record: PassRecord, proof: Proof, thresholds: Thresholds) -> Verdict:
    """Judge what is held after settling, in all its parts; a rise may be a cache that fills."""
    part = read_memory(record.samples, thresholds)
    one = Judged(
        part=msgspec.structs.replace(part, reading=with_honest_floor(part, record)),
        record=record,
        proof=proof,
        grown_bytes=record.grown_bytes,
    )
    filling = None
    if one.part.reading.shape != "flat":
        filling = filling_bounds(record, one.evidence.per_call, thresholds)
    if filling is None:
        return _verdict(one)
    return Plateaued(
        evidence=one.evidence,
        thresholds=thresholds,
        at=filling.full_at_call,
        size=filling.full_bytes,
        filling=filling,
    )


def _read_resource(samples: Samples, name: str, thresholds: Thresholds, cpus: int) -> Part:
    return _read(samples.curve(name), Limits.of_resource(name, thresholds, cpus=cpus))


def _read(curve: Curve, limits: Limits) -> Part:
    return Part(reading=read_curve(curve, limits), curve=curve, limits=limits)


def _verdict(one: Judged) -> Verdict:
    reading, thresholds = one.part.reading, one.part.limits.thresholds
    if one.too_few:
        return Inconclusive(
            evidence=one.evidence,
            thresholds=thresholds,
            why=one.too_few,
            settle_by=f"{thresholds.few.least} calls",
        )
    match reading.shape:
        case "flat" if reading.at == 0 or one.evidence.low > one.part.limits.still_rises:
            return Flat(evidence=one.evidence, thresholds=thresholds)
        case "flat":
            return Plateaued(
                evidence=one.evidence, thresholds=thresholds, at=reading.at, size=reading.size
            )
        case "growing":
            return _growing(one)
        case "decaying":
            return Plateaued(
                evidence=one.evidence,
                thresholds=thresholds,
                at=reading.at,
                size=reading.size + reading.projected,
                projected=True,
            )
        case "undecided":
            return Inconclusive(
                evidence=one.evidence,
                thresholds=thresholds,
                why=reading.why,
                settle_by=f"{calls_to_settle(reading, one.done, one.part.limits):,} calls",
            )
        case _:
            assert_never(reading.shape)


def _growing(one: Judged) -> Verdict:
    thresholds, evidence, done = one.part.limits.thresholds, one.evidence, one.done
    settle_by = f"{max(thresholds.conviction, done):,} calls"
    unproved = one.proof.why if isinstance(one.proof, Unproved) else ""
    if unproved:
        return Inconclusive(
            evidence=evidence, thresholds=thresholds, why=unproved, settle_by=settle_by
        )
    why = ""
    if done < thresholds.least_calls and one.grown_bytes <= thresholds.max_bytes:
        why = f"{done} calls are too few to exclude a bound"
    elif done < thresholds.conviction and not one.part.reading.regular:
        why = f"it rises unevenly: in {done} calls a cache that fills by chance looks the same"
    if why:
        return Rising(
            evidence=evidence,
            thresholds=thresholds,
            per_call=evidence.per_call,
            low=evidence.low,
            high=evidence.high,
            why=why,
            settle_by=settle_by,
        )
    return Growing(
        evidence=evidence,
        thresholds=thresholds,
        per_call=evidence.per_call,
        low=evidence.low,
        high=evidence.high,
        no_bound_up_to=done,
    )


def _evidence(reading: Reading, curve: Curve) -> Evidence:
    trend = reading.trend
    if trend is None:
        floor = float("inf")
        return Evidence(
            counter=curve.counter,
            per_call=0.0,
            low=float("-inf"),
            high=floor,
            from_call=0,
            to_call=curve.last_call,
            rows=len(curve),
            floor=floor,
            note=reading.why,
        )
    return Evidence(
        counter=curve.counter,
        per_call=trend.per_call,
        low=trend.low,
        high=trend.high,
        from_call=trend.from_call,
        to_call=trend.to_call,
        rows=trend.rows,
        floor=reading.floor,
        note=reading.why,
        horizon=reading.horizon,
    )


def _deferred_rate(settled: PassRecord, first: int, last: int) -> Rate:
    """Return what a call leaves to the collector: the finds of all rows of the tail, shared.

    What is frozen no row can find. All that is alive is frozen after a verification, and the next
    one finds what of it has become garbage; how old the finds of the first one are is not known.
    """
    freed, objects = (
        settled.samples.left_a_call(counter, first, last) or 0.0 for counter in LEFT_BY_CALLS
    )
    calls = max(last - first, 1)
    for before, after in pairwise(settled.verifications):
        if first <= before.call < after.call <= last:
            freed += max(after.released_bytes - after.waited_bytes, 0) / calls
            objects += after.unfrozen_objects / calls
    return Rate(bytes_per_call=freed, objects_per_call=objects)
