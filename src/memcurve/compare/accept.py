"""Turn repeated runs into a baseline, and say what that changes."""

from collections.abc import Iterator, Sequence

import msgspec

from memcurve.compare.against_baseline import accept
from memcurve.model.baseline import AcceptedDesign, Baseline
from memcurve.model.errors import RecordingError
from memcurve.model.outcome import Outcome
from memcurve.model.recording import timestamp
from memcurve.model.scenario import Scenario


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


class EndMoved(msgspec.Struct, frozen=True, kw_only=True):
    """The accepted end of one curve, before and after."""

    counter: str
    before: float
    after: float


class AcceptedChange(msgspec.Struct, frozen=True, kw_only=True):
    """What accepting changed of one design: nothing but its newness where it is new.

    `verdicts` are (before, after) where the verdict changed.
    """

    design: str
    is_new: bool = False
    verdicts: tuple[str, str] | None = None
    ends: tuple[EndMoved, ...] = ()


def changes(before: Baseline | None, after: Baseline) -> list[AcceptedChange]:
    """Return how each design's baseline changed."""
    found = []
    for name, design in after.designs.items():
        was = before.designs.get(name) if before is not None else None
        if was is None:
            found.append(AcceptedChange(design=name, is_new=True))
            continue
        verdicts = (was.verdict, design.verdict) if was.verdict != design.verdict else None
        ends = tuple(_moved(was, design))
        found.append(AcceptedChange(design=name, verdicts=verdicts, ends=ends))
    return found


def _moved(was: AcceptedDesign, now: AcceptedDesign) -> Iterator[EndMoved]:
    """Yield the curves whose end left the band that was accepted before."""
    for key, curve in now.curves.items():
        old = was.curves.get(key)
        if old is None or not old.values or not curve.values:
            continue
        if not old.low[-1] <= curve.values[-1] <= old.high[-1]:
            yield EndMoved(counter=key, before=old.values[-1], after=curve.values[-1])


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
