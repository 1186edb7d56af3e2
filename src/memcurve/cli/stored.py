"""Read the last run back: recordings become outcomes again, judged as they were."""

from collections.abc import Sequence
from pathlib import Path

from memcurve.model.outcome import Outcome
from memcurve.model.recording import Recording
from memcurve.model.scenario import Declared, Scenario, Target
from memcurve.run.discovery import DEFAULT_FOLDER, discover


def stored_outcomes(out: Path, paths: Sequence[Path] = ()) -> tuple[list[Scenario], list[Outcome]]:
    """Return the scenarios and outcomes of the run in `out`.

    Raises RecordingError where there is none, or a recording is damaged.
    """
    from memcurve.run.scenarios import judged
    from memcurve.store.files import load_recordings
    from memcurve.store.findings import load_declared, load_outcome

    recordings = load_recordings(out)
    known = {one.name: one for one in discover(paths)} if paths or DEFAULT_FOLDER.is_dir() else {}
    names = dict.fromkeys([*known, *(one.scenario for one in recordings)])
    scenarios: list[Scenario] = []
    outcomes: list[Outcome] = []
    for name in names:
        own = [one for one in recordings if one.scenario == name]
        if not own:
            continue
        scenario = known.get(name) or _unknown(name, own, load_declared(out, own))
        order = list(scenario.designs)
        own.sort(key=lambda one: order.index(one.design) if one.design in order else len(order))
        scenarios.append(scenario)
        outcomes.extend(load_outcome(out, one, judged) for one in own)
    return scenarios, outcomes


def missing_of(out: Path) -> tuple[str, ...]:
    """Return the designs that the run in `out`, if it was ended, did not come to."""
    from memcurve.store.unfinished import load_unfinished

    left = load_unfinished(out)
    return () if left is None else tuple(name for name in left.designs if name not in left.done)


def nodes_of(out: Path, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Return the nodes of pytest that outcomes are of, by the name of their scenario."""
    from memcurve.store.findings import load_test

    found = {one.recording.scenario: load_test(out, one.recording) for one in outcomes}
    return {name: test for name, test in found.items() if test}


def _unknown(name: str, recordings: Sequence[Recording], kept: Declared | None) -> Scenario:
    """Return a scenario whose file is not here, as far as it was kept with its recordings."""
    targets = {one.design: Target(call=one.target) for one in recordings}
    if kept is None:
        return Scenario(name=name, designs=targets)
    there = [design for design in kept.designs if design in targets]
    order = dict.fromkeys([*there, *targets])
    return Scenario(
        name=name,
        designs={design: targets[design] for design in order},
        calls=kept.calls,
        description=kept.description,
        may_grow=kept.may_grow,
        leads=kept.leads,
    )
