"""Hold a design to what it must save over another one of the same run.

No lead is held where fewer calls ran than the scenario states, since they do not pay for what is
built once, nor over a design whose work fails more often: what fails uses less.
"""

from collections.abc import Sequence

import msgspec

from memcurve.compare.usage import spent
from memcurve.model.caveat import Caveat
from memcurve.model.outcome import Crossing, Outcome
from memcurve.model.recording import Recording
from memcurve.model.scenario import Lead, Scenario
from memcurve.model.units import COUNTERS, format_value


def hold_leads(scenario: Scenario, compared: Sequence[Outcome]) -> list[Outcome]:
    """Return compared outcomes with the leads that were lost, and why one was not held."""
    by_design = {outcome.recording.design: outcome for outcome in compared}
    for lead in scenario.leads:
        ours, other = by_design.get(lead.design), by_design.get(lead.over)
        if ours is None or other is None or ours.recording.calls < scenario.calls:
            continue
        caveats = _unfair(lead, ours.recording, other.recording)
        lost = () if caveats else _lost(lead, ours.recording, other.recording)
        by_design[lead.design] = _with(ours, lost, caveats)
    return list(by_design.values())


def _lost(lead: Lead, ours: Recording, other: Recording) -> tuple[Crossing, ...]:
    """Return the counters of which `ours` uses more than the agreed share of the other's."""
    found = []
    for counter, most in lead.at_most.items():
        value, theirs = spent(ours, counter), spent(other, counter)
        if value is None or not theirs or value <= most * theirs:
            continue
        kind = COUNTERS[counter]
        message = (
            f"{ours.scenario}/{ours.design}: {kind.title}: {format_value(kind, value)} in "
            f"{ours.calls} calls is {value / theirs:.0%} of what {lead.over} uses "
            f"({format_value(kind, theirs)}); at most {most:.0%} is agreed"
        )
        found.append(
            Crossing(
                scenario=ours.scenario,
                design=ours.design,
                counter=counter,
                kind="lead",
                call=ours.calls,
                value=value,
                limit=most * theirs,
                message=message,
            )
        )
    return tuple(found)


def _unfair(lead: Lead, ours: Recording, other: Recording) -> tuple[Caveat, ...]:
    failed = (spent(other, "failures") or 0.0) - (spent(ours, "failures") or 0.0)
    if failed <= 0:
        return ()
    text = (
        f"{ours.scenario}/{ours.design}: {lead.over} failed in {failed:,.0f} more pieces of "
        f"work in {other.calls} calls, so no lead over it is held: what fails uses less"
    )
    return (Caveat(kind="failed_calls", text=text),)


def _with(outcome: Outcome, crossings: Sequence[Crossing], caveats: Sequence[Caveat]) -> Outcome:
    held = outcome.comparison
    assert held is not None
    held = msgspec.structs.replace(
        held, crossings=(*held.crossings, *crossings), caveats=(*held.caveats, *caveats)
    )
    return msgspec.structs.replace(outcome, comparison=held)
