"""Turn repeated runs into a baseline, and say what that changes."""

from collections.abc import Sequence

import msgspec

from memcurve.compare.against_baseline import accept
from memcurve.model.baseline import AcceptedDesign, Baseline
from memcurve.model.errors import RecordingError
from memcurve.model.outcome import Outcome
from memcurve.model.recording import timestamp
from memcurve.model.scenario import Scenario
from memcurve.model.units import COUNTERS, format_value


def accepted(
    scenario: Scenario,
    rounds: Sequence[Sequence[Outcome]],
    reason: str,
    before: Baseline | None,
) -> Baseline:
    """Return the baseline that the rounds give; designs that were not run stay as they were.

    A design that fails in a round is left out if it may fail. Raises RecordingError otherwise.
    """
    designs: dict[str, AcceptedDesign] = dict(before.designs) if before is not None else {}
    environment = None
    for design in scenario.designs:
        repeats = [_of(outcomes, scenario.name, design) for outcomes in rounds]
        failure = next((o.recording.failure for o in repeats if o.recording.failure), None)
        if failure is not None:
            designs.pop(design, None)
            if design in scenario.may_grow:
                continue
            raise RecordingError(
                f"{scenario.name}/{design}: {failure.message}; correct it, then accept"
            )
        designs[design] = accept(repeats)
        environment = repeats[-1].recording.environment or environment
    if environment is None:
        raise RecordingError(f"{scenario.name}: no design could be measured; nothing to accept")
    return Baseline(
        scenario=scenario.name,
        environment=msgspec.structs.replace(environment, executable=""),
        reason=reason,
        accepted_at=timestamp(),
        repeats=len(rounds),
        designs=designs,
    )


def _of(outcomes: Sequence[Outcome], scenario: str, design: str) -> Outcome:
    return next(
        o for o in outcomes if (o.recording.scenario, o.recording.design) == (scenario, design)
    )


def changes(before: Baseline | None, after: Baseline) -> list[str]:
    """Return one line for each curve whose accepted end moved, "~" for a design that did not."""
    lines = []
    for name, design in after.designs.items():
        was = before.designs.get(name) if before is not None else None
        moved = [] if was is None else _moved(was, design)
        what = "new" if was is None else "; ".join(moved) or "~"
        lines.append(f"{after.scenario}/{name}: {what}")
    return lines


def _moved(was: AcceptedDesign, now: AcceptedDesign) -> list[str]:
    moved = []
    if was.verdict != now.verdict:
        moved.append(f"verdict {was.verdict} → {now.verdict}")
    for key, curve in now.curves.items():
        old = was.curves.get(key)
        if old is None or not old.values or not curve.values:
            continue
        if not old.low[-1] <= curve.values[-1] <= old.high[-1]:
            counter = COUNTERS[key]
            before, after = (
                format_value(counter, one) for one in (old.values[-1], curve.values[-1])
            )
            moved.append(f"{counter.title} {before} → {after}")
    return moved


def baselines_of_run(
    scenarios: Sequence[Scenario], outcomes: Sequence[Outcome]
) -> dict[str, Baseline]:
    """Return another run as if it had been accepted: its curves, with the floors as bands.

    A band from one run is no wider than one blip on both sides of it.
    """
    found = {}
    for one in scenarios:
        own = [o for o in outcomes if o.recording.scenario == one.name]
        designs = {o.recording.design: accept([o]) for o in own if o.judgement is not None}
        environment = next((o.recording.environment for o in own if o.recording.environment), None)
        if designs and environment is not None:
            found[one.name] = Baseline(
                scenario=one.name,
                environment=environment,
                reason="another run",
                accepted_at=own[0].recording.recorded_at,
                repeats=1,
                designs=designs,
            )
    return found
