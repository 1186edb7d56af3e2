"""Prove that garbage stands, and measure what may be done about it.

A forecast is no proof. Where more is forecast than is allowed, the calls are run as production
would, for as many as fit into the time; and where too much stood, once more with each act.
"""

import math
from collections.abc import Iterator

import msgspec

from memcurve.judge.debt import acts_for
from memcurve.judge.judgement import judge
from memcurve.model.debt import Act, Debt, Heavy
from memcurve.model.effort import call_work_s
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.steps import Calls, Finish, Step, Survey
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Request, Subject, natural_plan

PROOF_S = 4.0
"""Seconds of work that one of these passes may take: as long as a conviction does."""
PROOF_OF_SLOW_S = 8.0
"""The same where no call was run as production would: as long as slow calls are counted, of which
four seconds would be too few to leave as much as is allowed."""
BEYOND = 1.2
"""So many times the calls whose garbage is the limit: a pass that ends at the limit proves less."""
YOUNG_OBJECTS = 700
"""Objects after which CPython's collector comes at the earliest, from 3.8 to 3.13: where calls make
no others than those that wait, so much of their garbage stands at once."""
LEAST_TRIED = 20
"""Calls below which an act shows nothing."""


def with_standing(
    recording: Recording,
    subject: Subject,
    options: Options,
    seconds: float = math.inf,
    *,
    once: bool = False,
) -> Passes[Recording]:
    """Add passes that show whether what is forecast stands, and what would help against it.

    They take `seconds` at most, each PROOF_S of work. Nothing is run where no more is forecast than
    is allowed, in this very process, where the calls that would show it take too long, or where
    each call may be run but `once`.
    """
    debt = judge(recording, options.thresholds).debt
    natural, settled = recording.of("natural"), recording.of("settled")
    if debt is None or settled is None or settled.isolation == "none" or once:
        return recording
    if natural is None:  # calls so slow that none was run as production would
        if not _could_be_heavy(debt):
            return recording
        calls = _calls_of_proof(debt, settled, seconds, PROOF_OF_SLOW_S)
        if not calls:
            return recording
        return (yield from _tried(recording, subject, options, Act(), calls))
    if debt.bytes <= debt.limit:
        return recording
    calls = _calls_of_proof(debt, natural, seconds)
    if not calls:
        return recording
    recording = yield from _tried(recording, subject, options, Act(), calls)
    found = judge(recording, options.thresholds).debt
    spent_s = recording.tried[-1].elapsed_s
    if not isinstance(found, Heavy):
        return recording
    for act in acts_for(found, _net(natural))[1:]:
        if (spent_s := spent_s + recording.tried[-1].elapsed_s) > seconds:
            break
        recording = yield from _tried(recording, subject, options, act, calls)
    return recording


def _could_be_heavy(debt: Debt) -> bool:
    """Say whether what calls leave is too much if a collector that counts objects comes late."""
    calls = YOUNG_OBJECTS / max(debt.objects_per_call, 1.0)
    return debt.bytes_per_call * calls > debt.limit


def _calls_of_proof(
    debt: Debt, natural: PassRecord, seconds: float, work_s: float = PROOF_S
) -> int:
    """Return how many calls to run, 0 where those that fit cannot leave as much as is allowed."""
    enough = max(math.ceil(BEYOND * debt.limit / debt.bytes_per_call), LEAST_TRIED)
    # the limit is of work, so that a busy machine runs as many; what is left of the budget is time
    clock_s = natural.wall_s / natural.calls if natural.calls else math.inf
    fits = int(min(work_s / max(call_work_s(natural), 1e-6), seconds / max(clock_s, 1e-6)))
    wanted = enough
    if not isinstance(debt, Heavy) and debt.here is not None:
        wanted = max(enough, math.ceil(debt.here.after))
    return min(wanted, fits) if fits >= enough else 0


def _net(natural: PassRecord) -> float:
    churn = natural.surveys.churn
    return churn.net if churn is not None else 1.0


def _tried(
    recording: Recording, subject: Subject, options: Options, act: Act, calls: int
) -> Passes[Recording]:
    steps = _steps(act, calls)
    plan = natural_plan(subject.target, options, calls)
    request = Request(plan=plan, decide=lambda _: next(steps), label="garbage", quiet=True)
    ran = yield request
    return msgspec.structs.replace(recording, tried=(*recording.tried, ran.record))


def _steps(act: Act, calls: int) -> Iterator[Step]:
    doing = Survey(stage="act", options={"kind": act.kind, "number": act.number})
    yield doing
    if act.kind == "collect":
        for done in range(act.number, calls, act.number):
            yield Calls(to=done)
            yield doing
    yield Calls(to=calls)
    yield Finish()
