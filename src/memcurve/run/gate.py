"""Compare outcomes with the baselines of their environment, and say which need explaining."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

from memcurve.compare.against_baseline import compare
from memcurve.compare.hosts import marked
from memcurve.explain.known import KnownLeak, acknowledge, load_known
from memcurve.model.baseline import Baseline
from memcurve.model.outcome import Crossing, Outcome
from memcurve.model.scenario import Scenario
from memcurve.run.look import wants_a_cause
from memcurve.store.files import load_baselines


def gated(
    scenarios: Sequence[Scenario],
    outcomes: Sequence[Outcome],
    folder: Path,
    known: Sequence[KnownLeak] | None = None,
) -> list[Outcome]:
    """Compare outcomes with the baselines of their environment.

    Growth that `known` leaks account for crosses nothing; without them `known-leaks.toml` of this
    folder is read. Raises RecordingError for a baseline that is there and cannot be read, and
    KnownLeaksError for such a file.
    """
    known = load_known() if known is None else known
    today = datetime.datetime.now(datetime.UTC).date()
    found = load_baselines(folder, [outcome.recording for outcome in outcomes])
    held = gated_by(scenarios, outcomes, found)
    return [acknowledge(outcome, known, today) for outcome in held]


def gated_by(
    scenarios: Sequence[Scenario], outcomes: Sequence[Outcome], baselines: Mapping[str, Baseline]
) -> list[Outcome]:
    """Compare outcomes with baselines, given by the name of their scenario."""
    found: list[Outcome] = []
    for one in scenarios:
        own = [outcome for outcome in outcomes if outcome.recording.scenario == one.name]
        found.extend(marked(compare(one, own, baselines.get(one.name))))
    return found


def crosses(scenario: Scenario, outcome: Outcome, folder: Path | None) -> bool:
    """Say whether a design crosses a threshold of its own; what it leads another by comes later.

    `folder` has the baselines, None for what needs none.
    """
    return bool(_crossings(scenario, outcome, folder))


def leaves_its_band(scenario: Scenario, outcome: Outcome, folder: Path | None) -> bool:
    """Say whether a curve of a design leaves the band that was accepted for it in `folder`."""
    return any(one.kind == "band" for one in _crossings(scenario, outcome, folder))


def _crossings(scenario: Scenario, outcome: Outcome, folder: Path | None) -> list[Crossing]:
    held = gated([scenario], [outcome], folder) if folder else gated_by([scenario], [outcome], {})
    return [
        one for each in held if each.comparison is not None for one in each.comparison.crossings
    ]


def is_suspect(outcome: Outcome) -> bool:
    """Say whether a design grows or leaves much to the collector, permitted or not."""
    return outcome.judgement is not None and wants_a_cause(outcome.judgement)
