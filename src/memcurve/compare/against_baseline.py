"""Compare a run with its baselines and with what holds anywhere, and name what was crossed.

    band       a gated curve is above its accepted band for good (see `bands`)
    verdict    memory grows in a design that must not grow
    resources  descriptors, threads or tasks grow in a design that must not grow
    garbage    more stood at once than is allowed, or than was accepted if that was more
    lead       a design no longer saves what it must save over another (see `leads`)

Only "band" needs a baseline; the others gate in any environment. Verdicts are computed before a
baseline is read, so a baseline that grows cannot hide a run that grows.
"""

from collections.abc import Sequence

import msgspec

from memcurve.compare.bands import band, fell_for_good, left_for_good, limit_at
from memcurve.compare.leads import hold_leads
from memcurve.compare.marks import gated_curves
from memcurve.compare.usage import used
from memcurve.model.baseline import AcceptedCurve, AcceptedDesign, Baseline
from memcurve.model.caveat import Caveat
from memcurve.model.curve import Curve
from memcurve.model.debt import Heavy
from memcurve.model.outcome import (
    Cause,
    Comparison,
    CounterChange,
    Crossing,
    GarbageStood,
    LeftBand,
    MemoryGrew,
    Outcome,
    ResourceGrew,
)
from memcurve.model.recording import Recording
from memcurve.model.scenario import Scenario
from memcurve.model.units import counter_of, format_value
from memcurve.model.verdict import GATED, Growing, name_of

REPEATS_DIFFER = 1.25
"""Times what was accepted: CPython collects all generations when a quarter more waits than has
grown old, so two runs may differ by that quarter."""


def compare(
    scenario: Scenario, outcomes: Sequence[Outcome], baseline: Baseline | None
) -> list[Outcome]:
    """Return the outcomes of one scenario with their comparisons; `baseline` may be None."""
    compared = [_compared(scenario, outcome, baseline) for outcome in outcomes]
    return hold_leads(scenario, compared)


def _compared(scenario: Scenario, outcome: Outcome, baseline: Baseline | None) -> Outcome:
    recording = outcome.recording
    accepted = baseline.designs.get(recording.design) if baseline is not None else None
    grows: tuple[Crossing, ...] = ()
    if recording.design not in scenario.may_grow:
        grows = (*growth_crossings(outcome), *garbage_crossings(outcome, accepted))
    held = Comparison(
        scenario=recording.scenario,
        design=recording.design,
        baseline=accepted,
        changes=tuple(_changes(outcome, accepted)),
        crossings=(*grows, *band_crossings(outcome, accepted)),
        caveats=tuple(_caveats(recording, baseline, accepted)),
    )
    return msgspec.structs.replace(outcome, comparison=held)


def band_crossings(outcome: Outcome, accepted: AcceptedDesign | None) -> tuple[LeftBand, ...]:
    """Return the gated curves that left their bands for good."""
    if accepted is None:
        return ()
    curves = _curves(outcome.recording)
    pairs = ((curve, accepted.curves.get(name)) for name, curve in curves.items())
    crossed = (_band_crossing(outcome, curve, held) for curve, held in pairs if held is not None)
    return tuple(one for one in crossed if one is not None)


def _band_crossing(outcome: Outcome, curve: Curve, accepted: AcceptedCurve) -> LeftBand | None:
    call = left_for_good(curve, accepted)
    if call is None:
        return None
    last = min(curve.last_call, accepted.calls[-1])
    return LeftBand(
        scenario=outcome.recording.scenario,
        design=outcome.recording.design,
        counter=curve.counter,
        call=call,
        value=float(curve.at(last)),
        limit=limit_at(accepted, last),
        cause=_cause(outcome, curve.counter),
        last_call=last,
    )


def growth_crossings(outcome: Outcome) -> tuple[Crossing, ...]:
    """Return a crossing for each of memory, descriptors, threads and tasks that grows."""
    if outcome.judgement is None:
        return ()
    verdicts = ((name, outcome.judgement.verdicts.get(name)) for name in GATED)
    return tuple(
        _growth_crossing(outcome, name, verdict)
        for name, verdict in verdicts
        if isinstance(verdict, Growing)
    )


def _growth_crossing(outcome: Outcome, name: str, verdict: Growing) -> Crossing:
    counter, in_memory = verdict.evidence.counter, name == "retained"
    kind = MemoryGrew if in_memory else ResourceGrew
    return kind(
        scenario=outcome.recording.scenario,
        design=outcome.recording.design,
        counter=counter,
        call=verdict.evidence.from_call,
        value=verdict.per_call,
        limit=verdict.thresholds.tolerance if in_memory else 0.0,
        cause=_cause(outcome, counter),
        no_bound_up_to=verdict.no_bound_up_to,
    )


def garbage_crossings(
    outcome: Outcome, accepted: AcceptedDesign | None
) -> tuple[GarbageStood, ...]:
    """Return a crossing where more garbage stood at once than is allowed, and than was accepted."""
    debt = outcome.judgement.debt if outcome.judgement is not None else None
    if not isinstance(debt, Heavy) or debt.stood is None:
        return ()
    held = accepted.garbage_bytes * REPEATS_DIFFER if accepted is not None else 0.0
    limit = max(debt.limit, held)
    if debt.stood.bytes <= limit:
        return ()
    crossed = GarbageStood(
        scenario=outcome.recording.scenario,
        design=outcome.recording.design,
        counter="deferred_bytes",
        call=debt.stood.at,
        value=float(debt.stood.bytes),
        limit=limit,
        cause=_cause(outcome, "deferred_bytes"),
    )
    return (crossed,)


def _cause(outcome: Outcome, counter: str) -> Cause | None:
    """Return who is to blame: of deferred bytes the cycle that keeps most waiting."""
    cycles = outcome.explanation.cycles if outcome.explanation is not None else ()
    if counter == "deferred_bytes" and cycles:
        return Cause(kind="cycle", name=cycles[0].words, site=cycles[0].site)
    if outcome.culprits:
        first = outcome.culprits[0]
        return Cause(kind="culprit", name=first.type, site=first.site)
    return None


def _changes(outcome: Outcome, accepted: AcceptedDesign | None) -> list[CounterChange]:
    if accepted is None:
        return []
    changes = []
    for name, curve in _curves(outcome.recording).items():
        held = accepted.curves.get(name)
        if held is None or not held.calls:
            continue
        last = min(curve.last_call, held.calls[-1])
        left = left_for_good(curve, held) is not None or fell_for_good(curve, held) is not None
        changes.append(
            CounterChange(
                counter=name,
                accepted=(limit_at(held, last) + limit_at(held, last, low=True)) / 2,
                measured=float(curve.at(last)),
                inside=not left,
            )
        )
    return changes


def _curves(recording: Recording) -> dict[str, Curve]:
    settled = recording.first_settled
    return gated_curves(settled, recording.calls) if settled is not None else {}


def _caveats(
    recording: Recording, baseline: Baseline | None, accepted: AcceptedDesign | None
) -> list[Caveat]:
    return [
        *_failed_calls(recording),
        *_measured_again(recording, accepted),
        *_baseline_caveats(recording, baseline, accepted),
    ]


def _measured_again(recording: Recording, accepted: AcceptedDesign | None) -> list[Caveat]:
    """Say what a first measurement left that was set aside, whatever the second one did."""
    if not recording.set_aside:
        return []
    first = msgspec.structs.replace(recording, passes=recording.set_aside)
    left = band_crossings(Outcome(recording=first, judgement=None), accepted)
    curves = (
        f"{counter_of(one.counter).title} left its accepted band at call {one.call} "
        f"({format_value(counter_of(one.counter), one.over)} over)"
        for one in left
    )
    text = f"measured twice: at first {'; '.join(curves) or 'a curve left its band'}"
    name = f"{recording.scenario}/{recording.design}"
    return [Caveat(kind="measured_again", text=f"{name}: {text}")]


def _failed_calls(recording: Recording) -> list[Caveat]:
    """Return how often work failed that the calls themselves survived, if the backend counts it."""
    failures = used(recording, "failures")
    if not failures:
        return []
    text = f"{failures:,.0f} pieces of work failed in {recording.calls} calls"
    return [Caveat(kind="failed_calls", text=f"{recording.scenario}/{recording.design}: {text}")]


def _baseline_caveats(
    recording: Recording, baseline: Baseline | None, accepted: AcceptedDesign | None
) -> list[Caveat]:
    name, environment = f"{recording.scenario}/{recording.design}", recording.environment
    if baseline is None or accepted is None:
        key = environment.key if environment is not None else "this environment"
        text = f"{name} has no baseline for {key}; only what needs none is gated"
        return [Caveat(kind="no_baseline", text=text)]
    if environment is None:
        return []
    then = baseline.environment
    if then.key != environment.key:
        text = f"the baseline is of {then.key}, this run of {environment.key}"
        return [Caveat(kind="other_environment", text=text)]
    return _version_caveats(then.packages, environment.packages)


def _version_caveats(then: dict[str, str], now: dict[str, str]) -> list[Caveat]:
    changed = [
        f"{name} {then.get(name, 'absent')} → {now.get(name, 'absent')}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if not changed:
        return []
    text = f"accepted with other versions: {', '.join(changed)}; --against REV is the remedy"
    return [Caveat(kind="other_versions", text=text)]


def accept(outcomes: Sequence[Outcome]) -> AcceptedDesign:
    """Return what repeats of one design make a baseline: bands, verdict and rates.

    Raises ValueError where a repeat was not judged.
    """
    judgements = [outcome.judgement for outcome in outcomes if outcome.judgement is not None]
    if not judgements or len(judgements) < len(outcomes):
        raise ValueError("every repeat must have been measured before it can be accepted")
    curves = [_curves(outcome.recording) for outcome in outcomes]
    shared = [name for name in curves[0] if all(name in other for other in curves)]
    last = judgements[-1]
    stood = [one.debt.stood.bytes for one in judgements if one.debt and one.debt.stood]
    return AcceptedDesign(
        curves={name: band([found[name] for found in curves]) for name in shared},
        verdict=name_of(last.overall),
        retained_per_call=last.retained.evidence.per_call,
        deferred_per_call=last.deferred.bytes_per_call,
        garbage_bytes=float(max(stood, default=0)),
    )
