"""Say what a recording of one callable means, or why it means nothing."""

import datetime

import msgspec

from memcurve.explain.known import KnownLeak, acknowledged, mark_known
from memcurve.judge.judgement import judge
from memcurve.judge.ledger import ledger_of
from memcurve.model.errors import MeasureError, TargetError
from memcurve.model.findings import Explanation
from memcurve.model.recording import Failure, Recording
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Checked, Growing
from memcurve.report.printed import let_results_print

let_results_print()


class CheckFailedError(MeasureError):
    """The target could not be measured; `failure` says where and why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.line)
        self.failure = failure


def concluded(recording: Recording, thresholds: Thresholds) -> Checked:
    """Judge a recording; raises the failure in it unless it shows growth all the same.

    TargetError for what cannot be called, CheckFailedError for what raised, hung or died.
    """
    failure, passed = recording.failure, recording.of("settled")
    if failure is not None and failure.kind == "target":
        raise TargetError(failure.message)
    if failure is not None and (passed is None or passed.calls < thresholds.enough):
        raise CheckFailedError(failure)
    judgement = judge(recording, thresholds)
    if failure is not None and not isinstance(judgement.overall, Growing):
        raise CheckFailedError(failure)
    return Checked(
        verdict=judgement.overall,
        judgement=judgement,
        recording=recording,
        ledger=ledger_of(recording),
    )


def with_explanation(
    checked: Checked, explanation: Explanation, known: tuple[KnownLeak, ...]
) -> Checked:
    """Add the causes, and whether known leaks cover them; no verdict changes by that."""
    today = datetime.datetime.now(datetime.UTC).date()
    culprits = mark_known(explanation.culprits, known, today)
    return msgspec.structs.replace(
        checked,
        explanation=msgspec.structs.replace(explanation, culprits=culprits),
        acknowledged=acknowledged(culprits, known, today),
    )
