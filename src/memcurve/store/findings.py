"""Keep beside the recordings what writing their reports again needs: thresholds and causes.

A recording is raw. How strictly it was judged and what explained it stand in a file of their own,
so that a report of tomorrow says what the report of today says.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from memcurve.model.errors import RecordingError
from memcurve.model.findings import Explanation
from memcurve.model.outcome import Comparison, Crossing, Outcome
from memcurve.model.recording import Recording
from memcurve.model.scenario import Declared, Scenario, declared
from memcurve.model.thresholds import Thresholds
from memcurve.store.files import findings_path, read_json, replace_file, save_recordings

FINDINGS_VERSION = 2
READABLE_VERSIONS = (1, FINDINGS_VERSION)
"""The first differs in its crossings alone, which few findings have."""

Judge = Callable[[Recording, Thresholds], Outcome]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """How one recording was judged, and its causes; null: nobody looked for them.

    `test` is the node of pytest that was measured, if one was, and `crossings` are its limits that
    were crossed; bands of baselines are compared again by every report. `declared` is the scenario
    as its file stated it, null where none did.
    `recorded_at` is that of the recording: findings of another one do not count.
    """

    schema_version: int = FINDINGS_VERSION
    recorded_at: str = ""
    thresholds: Thresholds = Thresholds()
    explanation: Explanation | None = None
    test: str = ""
    crossings: tuple[Crossing, ...] = ()
    declared: Declared | None = None


def save_outcomes(
    out: Path, outcomes: Iterable[Outcome], test: str = "", scenarios: Iterable[Scenario] = ()
) -> None:
    """Keep the recordings of a run, or of a test of pytest, each with its findings.

    Of `scenarios`, which the outcomes are of, reports elsewhere learn what may grow.
    """
    stated = {one.name: declared(one) for one in scenarios}
    for outcome in outcomes:
        recording, judgement = outcome.recording, outcome.judgement
        found = Findings(
            recorded_at=recording.recorded_at,
            thresholds=judgement.overall.thresholds if judgement is not None else Thresholds(),
            explanation=outcome.explanation,
            test=test,
            crossings=outcome.comparison.crossings if outcome.comparison is not None else (),
            declared=stated.get(recording.scenario),
        )
        path = findings_path(out, recording.scenario, recording.design)
        save_recordings(out, [recording])
        replace_file(path, msgspec.json.encode(found))


def load_outcome(out: Path, recording: Recording, judge: Judge) -> Outcome:
    """Judge a recording as it was judged when it was kept, and put its causes back."""
    found = _findings(out, recording)
    outcome = judge(recording, found.thresholds)
    if found.explanation is not None:
        outcome = msgspec.structs.replace(
            outcome, culprits=found.explanation.culprits, explanation=found.explanation
        )
    if found.crossings:
        held = Comparison(
            scenario=recording.scenario,
            design=recording.design,
            baseline=None,
            crossings=found.crossings,
        )
        outcome = msgspec.structs.replace(outcome, comparison=held)
    return outcome


def load_test(out: Path, recording: Recording) -> str:
    """Return the node of pytest that a recording is of; "" where it is a scenario's."""
    return _findings(out, recording).test


def load_declared(out: Path, recordings: Iterable[Recording]) -> Declared | None:
    """Return how the scenario of these recordings was declared; None where nobody kept that.

    Designs that were measured one after the other may each know a part of it.
    """
    found = [kept for one in recordings if (kept := _findings(out, one).declared) is not None]
    return max(found, key=lambda one: len(one.designs), default=None)


def _findings(out: Path, recording: Recording) -> Findings:
    path = findings_path(out, recording.scenario, recording.design)
    try:
        found = read_json(path, Findings, "judged recording", "record it again")
    except RecordingError:
        return Findings()  # a recording is judged without them too: by the defaults, unexplained
    readable = found.schema_version in READABLE_VERSIONS
    return found if readable and found.recorded_at == recording.recorded_at else Findings()
