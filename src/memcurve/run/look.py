"""End a pass of few or slow calls with a look at what rises, in the process that counted it.

A second run of such calls would take longer than the look, and could show something else.
"""

import msgspec

from memcurve.explain.culprits import LEAST_SHARE
from memcurve.explain.figures import Growth
from memcurve.judge.judgement import judge
from memcurve.judge.schedule import Shapes, is_verified
from memcurve.judge.slow_calls import is_slow, plan_of_few, window_of
from memcurve.measure.explaining_passes import Wanted, look
from memcurve.measure.runner import NextStep
from memcurve.model.debt import Heavy
from memcurve.model.effort import Effort
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.steps import Finish, Step
from memcurve.model.thresholds import Thresholds
from memcurve.model.units import KIB
from memcurve.model.verdict import Judgement, Rise

MUCH_GARBAGE = 64 * KIB
"""Bytes that a call leaves to the collector from which it is told by name who closes the cycle: a
collector that comes every 700 objects lets 44 MiB of that stand."""


def wants_a_cause(judgement: Judgement) -> bool:
    """Say whether something grows, or much is left to the collector, permitted or not."""
    much = judgement.deferred.bytes_per_call > MUCH_GARBAGE or isinstance(judgement.debt, Heavy)
    return much or isinstance(judgement.overall, Rise)


def ending_with_look(decide: NextStep, thresholds: Thresholds, effort: Effort) -> NextStep:
    """Return what decides as `decide` does, and looks at what rises before it finishes."""
    looking: NextStep | None = None

    def next_or_look(record: PassRecord) -> Step:
        nonlocal looking
        if looking is None:
            step = decide(record)
            if not isinstance(step, Finish):
                return step
            looking = _look(record, thresholds, effort)
        return looking(record) if looking is not None else Finish()

    return next_or_look


def _look(record: PassRecord, thresholds: Thresholds, effort: Effort) -> NextStep | None:
    plan = plan_of_few(record, thresholds, effort)
    may_look = effort.looks and (plan.window > 0 if plan is not None else is_slow(record))
    if not may_look or not is_verified(record) or not (Shapes(record, thresholds).rises_unbounded):
        return None
    partial = Recording(
        scenario="", design="", target="", calls=record.calls, environment=None, passes=(record,)
    )
    growth = growth_of(partial, judge(partial, thresholds))
    window = window_of(record, plan)
    return look(record.calls, window, wanted_of(growth), exact=effort.exact)


def split(record: PassRecord) -> tuple[PassRecord, ...]:
    """Return what a pass counted, and apart from it the look that it ended with, if it did.

    What failed in the look, or in a teardown after it, says nothing of what was counted.
    """
    surveys = record.surveys
    if surveys.mark is None:
        return (record,)
    ran = max(answer.pass_calls for answer in surveys.answers())
    counted = msgspec.structs.replace(
        record, surveys=type(surveys)(), failure=None, looked_at=max(ran - record.calls, 0)
    )
    failure = record.failure
    if failure is not None and failure.stage == "teardown" and surveys.survivors is not None:
        failure = None
    looked = PassRecord(
        kind="survivors",
        mode=record.mode,
        surveys=surveys,
        failure=failure,
        isolation=record.isolation,
        calls=ran,
    )
    return counted, looked


def growth_of(recording: Recording, judgement: Judgement) -> Growth:
    """Return the figures of a judgement that shares are taken of."""
    return Growth(
        scenario=recording.scenario,
        bytes_per_call=judgement.retained.evidence.per_call,
        python_per_call=judgement.python_per_call,
        native_per_call=judgement.native_per_call,
        children_per_call=_proved(judgement, "children"),
        children=judgement.children,
        deferred_objects=judgement.deferred.objects_per_call,
        fds_per_call=_rate(judgement, "fds"),
        threads_per_call=_rate(judgement, "threads"),
        tasks_per_call=_rate(judgement, "tasks"),
        proved=isinstance(judgement.retained, Rise),
    )


def wanted_of(growth: Growth, *, grows: bool = True, drawings: int = 0) -> Wanted:
    """Return what a look at a growth looks for."""
    return Wanted(
        native_per_call=growth.native_per_call,
        # of what Python allocates: an object that weighs in malloc is small by itself
        least_per_call=LEAST_SHARE * max(growth.python_per_call, 1.0),
        least_lost=LEAST_SHARE * growth.bytes_per_call,
        grows=grows,
        drawings=drawings,
    )


def _proved(judgement: Judgement, name: str) -> float:
    verdict = judgement.verdicts.get(name)
    return verdict.evidence.per_call if isinstance(verdict, Rise) else 0.0


def _rate(judgement: Judgement, name: str) -> float:
    verdict = judgement.verdicts.get(name)
    return verdict.evidence.per_call if verdict is not None else 0.0
