"""Compare a design with another one of the same run, over which it must save what is agreed.

No lead is asked for where fewer calls ran than the scenario states, since they do not pay for what
is built once, nor over a design whose work fails more often: what fails uses less.
"""

from collections.abc import Iterator, Sequence

import msgspec

from memcurve.compare.usage import used
from memcurve.model.caveat import Caveat
from memcurve.model.outcome import Comparison, LostLead, Outcome
from memcurve.model.recording import Recording
from memcurve.model.scenario import Lead, Scenario
from memcurve.model.units import COUNTERS


def hold_leads(scenario: Scenario, compared: Sequence[Outcome]) -> list[Outcome]:
    """Return compared outcomes with the leads that were lost, and why one was not asked for."""
    by_design = {outcome.recording.design: outcome for outcome in compared}
    for lead in scenario.leads:
        ours, other = by_design.get(lead.design), by_design.get(lead.over)
        if ours is None or other is None or ours.recording.calls < scenario.calls:
            continue
        caveats = _unfair(lead, ours.recording, other.recording)
        lost = () if caveats else tuple(_lost(lead, ours.recording, other.recording))
        by_design[lead.design] = _with(ours, lost, caveats)
    return list(by_design.values())


def unread(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the counters of leads that nobody knows: no counter of memcurve's, and no gauge.

    They are found only here, since a backend says what gauges it has when it runs.
    """
    counters = [
        counters
        for outcome in outcomes
        if outcome.recording.scenario == scenario.name
        for record in outcome.recording.passes
        if (counters := record.samples.counters)
    ]
    for lead in scenario.leads:
        for counter in lead.at_most:
            if counters and counter not in COUNTERS and not any(counter in c for c in counters):
                gauges = sorted(set().union(*counters) - set(COUNTERS))
                known = ", ".join([*gauges, *COUNTERS])
                yield f"{scenario.name}: no counter {counter!r} for a lead; there are {known}"


def _lost(lead: Lead, ours: Recording, other: Recording) -> Iterator[LostLead]:
    """Yield the counters of which `ours` uses more than the agreed share of the other's."""
    for counter, most in lead.at_most.items():
        value, theirs = used(ours, counter), used(other, counter)
        if value is None or not theirs or value <= most * theirs:
            continue
        yield LostLead(
            scenario=ours.scenario,
            design=ours.design,
            counter=counter,
            call=ours.calls,
            value=value,
            limit=most * theirs,
            over_design=lead.over,
            theirs=theirs,
            most=most,
        )


def _unfair(lead: Lead, ours: Recording, other: Recording) -> tuple[Caveat, ...]:
    failed = (used(other, "failures") or 0.0) - (used(ours, "failures") or 0.0)
    if failed <= 0:
        return ()
    text = (
        f"{ours.scenario}/{ours.design}: {lead.over} failed in {failed:,.0f} more pieces of "
        f"work in {other.calls} calls, so no lead over it is held: what fails uses less"
    )
    return (Caveat(kind="failed_calls", text=text),)


def _with(outcome: Outcome, crossings: Sequence[LostLead], caveats: Sequence[Caveat]) -> Outcome:
    before = outcome.comparison or Comparison(
        scenario=outcome.recording.scenario, design=outcome.recording.design, baseline=None
    )
    comparison = msgspec.structs.replace(
        before, crossings=(*before.crossings, *crossings), caveats=(*before.caveats, *caveats)
    )
    return msgspec.structs.replace(outcome, comparison=comparison)
