"""Judge a recording: one verdict for memory, one for each resource, one for deferred bytes."""

from itertools import pairwise

import msgspec

from memcurve.judge.caveats import measurement_caveats
from memcurve.judge.coverage import UNREAD, covered
from memcurve.judge.filling import filling_bounds
from memcurve.judge.growth import Limits, Reading, read_curve
from memcurve.judge.parts import read_children, read_mapped, read_memory
from memcurve.model.caveat import Caveat
from memcurve.model.curve import Curve
from memcurve.model.recording import LEFT_BY_CALLS, RESOURCES, PassRecord, Recording
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import (
    Evidence,
    Flat,
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Rate,
    Verdict,
)

A_TENTH = 0.1
"""Of the growth: what a part adds at least, to be named in the sentence."""
RISING = 1.0
"""What rises by more than this a call has not stopped, however much is tolerated."""


def judge(recording: Recording, thresholds: Thresholds | None = None) -> Judgement:
    """Judge the settled pass of a recording; other passes are shown, not judged.

    Costs about a millisecond. Raises ValueError for a recording without a settled pass.
    """
    chosen = thresholds or Thresholds()
    settled = recording.of("settled")
    if settled is None:
        raise ValueError(f"{recording.scenario}/{recording.design} has no settled pass to judge")
    memory = settled.samples.curve("live_bytes")
    caveats = measurement_caveats(recording, settled)
    memory_verdict = _with_coverage(judge_memory(settled, chosen), settled, caveats)
    verdicts: dict[str, Verdict] = {"retained": memory_verdict}
    for name, read in {"mapped": read_mapped, "children": read_children}.items():
        reading, curve = read(settled.samples, chosen)
        if len(curve):
            evidence = _evidence(reading, curve)
            verdicts[name] = _verdict(reading, evidence, settled, chosen, _grown(curve))
    for name in RESOURCES:
        curve = settled.samples.curve(name)
        if len(curve):
            verdicts[name] = judge_resource(name, curve, settled, chosen)
    evidence = verdicts["retained"].evidence
    samples = settled.samples
    tail = (evidence.from_call, evidence.to_call)
    return Judgement(
        verdicts=verdicts | {"deferred": _judge_deferred(settled, chosen)},
        python_per_call=_slope(samples.curve("python_bytes"), *tail),
        native_per_call=_slope(samples.curve("malloc_bytes"), *tail),
        mapped_per_call=_slope(samples.curve("mapped_bytes"), *tail),
        touched_per_call=_slope(samples.curve("mapped_touched_bytes"), *tail),
        children_per_call=_slope(samples.curve("children_bytes"), *tail),
        objects_per_call=_slope(samples.curve("objects"), *tail),
        deferred=_deferred_rate(settled, *tail),
        calls=memory.last_call,
        caveats=caveats,
        children=settled.verifications[-1].children if settled.verifications else (),
    )


def judge_memory(settled: PassRecord, thresholds: Thresholds) -> Verdict:
    """Judge retained bytes: what is held after settling, in all its parts."""
    reading, curve = read_memory(settled.samples, thresholds)
    evidence = _evidence(reading, curve)
    filling = None
    if reading.shape != "flat":
        filling = filling_bounds(settled, evidence.per_call, thresholds)
    if filling is not None:
        return Plateaued(
            evidence=evidence,
            thresholds=thresholds,
            at=filling.full_at_call,
            size=filling.full_bytes,
            filling=filling,
        )
    return _verdict(reading, evidence, settled, thresholds, settled.grown_bytes)


def judge_resource(name: str, curve: Curve, settled: PassRecord, thresholds: Thresholds) -> Verdict:
    """Judge a counter of descriptors, threads or tasks."""
    reading = read_curve(curve, Limits.of_resource(name, thresholds))
    return _verdict(reading, _evidence(reading, curve), settled, thresholds, 0)


def _verdict(
    reading: Reading,
    evidence: Evidence,
    settled: PassRecord,
    thresholds: Thresholds,
    grown: int,
) -> Verdict:
    done = settled.calls
    match reading.shape:
        case "flat" if reading.at == 0 or evidence.low > RISING:  # inside a wide tolerance
            return Flat(evidence=evidence, thresholds=thresholds)
        case "flat":
            return Plateaued(
                evidence=evidence, thresholds=thresholds, at=reading.at, size=reading.size
            )
        case "growing":
            return _growing(reading, evidence, settled, thresholds, grown)
        case "decaying":
            return Plateaued(
                evidence=evidence,
                thresholds=thresholds,
                at=reading.at,
                size=reading.size + reading.projected,
                projected=True,
            )
        case "undecided":
            return Inconclusive(
                evidence=evidence,
                thresholds=thresholds,
                why=reading.why,
                settle_by=f"{max(done * 4, 1000):,} calls",
            )


def _growing(
    reading: Reading,
    evidence: Evidence,
    settled: PassRecord,
    thresholds: Thresholds,
    grown: int,
) -> Verdict:
    done = settled.calls
    why = ""
    verified = any(v.call == done for v in settled.verifications)
    if not verified and not (settled.failure is not None and settled.verifications):
        why = "it rises, but what was frozen was not given back to the collector yet"
    elif done < thresholds.least_calls and grown <= thresholds.max_bytes:
        why = f"it rises, but {done} calls are too few to call it a leak"
    elif done < thresholds.conviction and not reading.regular:
        why = f"it rises unevenly; in {done} calls a cache that fills by chance looks the same"
    if why:
        return Inconclusive(
            evidence=evidence,
            thresholds=thresholds,
            why=why,
            settle_by=f"{thresholds.conviction:,} calls",
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
    )


def _with_coverage(verdict: Verdict, settled: PassRecord, caveats: tuple[Caveat, ...]) -> Verdict:
    """Return the verdict with what it covers: its reader takes it for all of the process."""
    evidence, samples = verdict.evidence, settled.samples
    tail = (evidence.from_call, evidence.to_call)
    rates = {
        "both heaps": _slope(samples.curve("heap_bytes"), *tail),
        "mapped memory": _slope(samples.curve("mapped_bytes"), *tail),
        "child processes": _slope(samples.curve("children_bytes"), *tail),
    }
    grows = tuple(name for name, value in rates.items() if value > A_TENTH * sum(rates.values()))
    evidence = msgspec.structs.replace(
        evidence,
        counter="live_bytes",  # whichever of its parts gave the figures
        covers=covered(samples),
        where=grows if isinstance(verdict, Growing) else (),
        unread=tuple(UNREAD[one.kind] for one in caveats if one.kind in UNREAD),
    )
    return msgspec.structs.replace(verdict, evidence=evidence)


def _grown(curve: Curve) -> int:
    return curve.values[-1] - curve.values[0]


def _slope(curve: Curve, first: int, last: int) -> float:
    tail = curve.tail(first).head(last)
    if len(tail) < 2:
        return 0.0
    return (tail.values[-1] - tail.values[0]) / max(tail.last_call - tail.calls[0], 1)


def _deferred_rate(settled: PassRecord, first: int, last: int) -> Rate:
    """Return what a call leaves to the collector: the finds of all rows of the tail, shared.

    What is frozen no row can find. All that is alive is frozen after a verification, and the next
    one finds what of it has become garbage; of the first one nobody knows how old its finds are.
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


def _judge_deferred(settled: PassRecord, thresholds: Thresholds) -> Verdict:
    curve = settled.samples.curve("deferred_bytes").tail(1)
    reading = read_curve(curve, Limits.of_bytes(thresholds))
    return _verdict(reading, _evidence(reading, curve), settled, thresholds, 0)
