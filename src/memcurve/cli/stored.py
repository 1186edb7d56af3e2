"""Read the last run back: recordings become outcomes again, judged as they were."""

from collections.abc import Sequence
from pathlib import Path

from memcurve.model.outcome import Outcome
from memcurve.model.recording import Recording
from memcurve.model.scenario import Scenario, Target
from memcurve.run.discovery import DEFAULT_FOLDER, discover


def stored_outcomes(out: Path, paths: Sequence[Path] = ()) -> tuple[list[Scenario], list[Outcome]]:
    """Return the scenarios and outcomes of the run in `out`.

    Raises RecordingError where there is none, or a recording is damaged.
    """
    from memcurve.run.scenarios import judged
    from memcurve.store.files import load_recordings
    from memcurve.store.findings import load_outcome, load_test

    recordings = load_recordings(out)
    known = {one.name: one for one in discover(paths)} if paths or DEFAULT_FOLDER.is_dir() else {}
    names = dict.fromkeys([*known, *(one.scenario for one in recordings)])
    scenarios: list[Scenario] = []
    outcomes: list[Outcome] = []
    for name in names:
        own = [one for one in recordings if one.scenario == name]
        if not own:
            continue
        scenario = known.get(name) or _unknown(name, own, load_test(out, own[0]))
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


def _unknown(name: str, recordings: Sequence[Recording], description: str) -> Scenario:
    designs = {one.design: Target(call=one.target) for one in recordings}
    return Scenario(name=name, designs=designs, description=description)
