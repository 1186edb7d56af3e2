"""What is measured next: generators that ask for one pass at a time and are sent what it showed.

    settled, again in another mode if a verification asks for that    → a recording → judge
    natural, the calls as production would run them                   → the same recording
    survivors, allocations, lines, if something grows                 → an explanation

They decide and never act: a driver runs each pass in an interpreter of its own (`interpreter`), in
a fork of this process (`fork`) or in this very process (`in_process`), and the text above is the
same for all three.
"""

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypeVar

import msgspec

from memcurve.judge.debt import HORIZON
from memcurve.judge.forecast import waits
from memcurve.judge.judgement import judge
from memcurve.judge.schedule import next_step, rerun_mode
from memcurve.judge.slow_calls import plan_of_few
from memcurve.measure.runner import NextStep, PassPlan
from memcurve.measure.runner import Progress as PassProgress
from memcurve.model.effort import Effort, call_work_s
from memcurve.model.recording import Environment, Mode, PassKind, PassRecord, Recording, timestamp
from memcurve.model.scenario import Target
from memcurve.model.steps import Calls, Finish, Step, Survey
from memcurve.model.text import printable
from memcurve.run.look import ending_with_look, split
from memcurve.run.options import Options

MOST_RERUNS = 2
"""There are two other modes, and each is tried once."""
NATURAL_ALLOWANCE_S, NATURAL_SHARE = 0.015, 0.02
"""CPU time of rows in a natural pass: with the fixed part it stays within 1.05 of the calls."""
LOOK_S, BRIEF_LOOK_S, LOOK_CALLS, MOST_LOOKED_AT = 2.0, 0.2, 24, 1600
"""Seconds of work that a look at garbage may take where it could be heavy, and where it cannot; the
calls that it needs, and the most that it takes: what lives for longer is told by what stood."""
LEAST_BYTES = 64
"""Bytes a call that make garbage worth a look: 700 calls of less are not 64 KiB."""
SPARE_ROWS = 100
"""Rows beyond one a call: what a pass writes twice, and its marks."""
MOST_ROWS = 10_000
"""Of a table: a longer run keeps every second one, over and over. That is one for a hundred calls
of a million, and 8 MiB in the process that judges them (`make scale`); twice as many took 16."""

T = TypeVar("T")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured and under which name it is recorded."""

    target: Target
    scenario: str = "check"
    design: str = "target"
    packages: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.scenario}/{self.design}"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One pass to run: its plan, what decides its steps, and what progress calls it.

    `quiet` asks for a processor of its own: it measures CPU time.
    """

    plan: PassPlan
    decide: NextStep
    label: str
    quiet: bool = False

    def reporting(self, progress: "Progress | None") -> PassProgress | None:
        """Return what tells `progress` of the calls of this pass."""
        if progress is None:
            return None
        return lambda call: progress(self.label, call)


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request: what the pass recorded, and the interpreter that it ran in."""

    record: PassRecord
    environment: Environment | None


Passes = Generator[Request, Ran, T]
"""Yields what to run next, is sent what that showed, and returns what all of it says."""
Progress = Callable[[str, int], None]
"""Told which pass runs which call."""


def drive(passes: Passes[T], run: Callable[[Request], Ran]) -> T:
    """Run passes to their end, each by `run`, and return what they say."""
    try:
        request = next(passes)
        while True:
            request = passes.send(run(request))
    except StopIteration as end:
        value: T = end.value
        return value


def measured(subject: Subject, options: Options, effort: Effort) -> Passes[Recording]:
    """Run the passes that decide. Nothing that the target does raises here.

    A target that cannot be loaded, raises, hangs or dies is a recording with a failure in it.
    """
    recording = yield from settled(subject, options, effort)
    if recording.failure is not None or _is_all(recording, options, effort):
        return recording
    return (yield from with_natural(recording, subject, options))


def _is_all(recording: Recording, options: Options, effort: Effort) -> bool:
    """Say whether no call may be run but those that were counted: asked for, or slow."""
    record = recording.of("settled")
    assert record is not None
    return _runs_once(record, options, effort)


def _runs_once(record: PassRecord, options: Options, effort: Effort) -> bool:
    return effort.exact or plan_of_few(record, options.thresholds, effort) is not None


def settled(
    subject: Subject, options: Options, effort: Effort, *, every: int | None = None
) -> Passes[Recording]:
    """Run the settled pass, and again in another mode where a verification asks for that.

    With `every`, rows stand at fixed calls: two runs then share them.
    """
    records, looks = list[PassRecord](), list[PassRecord]()
    mode: Mode | None = "settled"
    while mode is not None:
        request = settled_request(subject.target, options, effort, mode, every=every)
        ran = yield request
        counted, *looks = split(ran.record)
        records.append(counted)
        mode = _next_mode(records, options, effort)
    return Recording(
        scenario=subject.scenario,
        design=subject.design,
        target=printable(subject.target.call),
        calls=effort.shown,
        environment=ran.environment,
        passes=(*records, *looks),
        recorded_at=timestamp(),
    )


def _next_mode(records: list[PassRecord], options: Options, effort: Effort) -> Mode | None:
    last = records[-1]
    # its calls are all that may be run
    once = last.looked_at or _runs_once(last, options, effort)
    if last.failure is not None or not effort.judged or once or len(records) > MOST_RERUNS:
        return None
    mode = rerun_mode(last, options.thresholds)
    return None if any(record.mode == mode for record in records) else mode


def settled_request(
    target: Target, options: Options, effort: Effort, mode: Mode, *, every: int | None = None
) -> Request:
    """Ask for a settled pass."""

    def decide(record: PassRecord) -> Step:
        return next_step(record, options.thresholds, effort)

    plan = plan_of(target, options, kind="settled", mode=mode, capacity=effort.bound + SPARE_ROWS)
    return Request(
        plan=msgspec.structs.replace(plan, every=every),
        decide=ending_with_look(decide, options.thresholds, effort),
        label=mode,
    )


def with_natural(recording: Recording, subject: Subject, options: Options) -> Passes[Recording]:
    """Run the calls shown as production would, the collector on, and add that to a recording."""
    look = churn_survey(recording, options)
    ran = yield natural_request(subject.target, options, recording.calls, look)
    record = ran.record
    failure = record.failure
    if failure is not None and failure.stage == "call" and record.surveys.end is not None:
        # the pass was over: what went wrong in a look at more calls says nothing of these
        record = msgspec.structs.replace(record, failure=None)
    return msgspec.structs.replace(recording, passes=(*recording.passes, record))


def natural_request(
    target: Target, options: Options, calls: int, look: Survey | None = None
) -> Request:
    """Ask for a natural pass, with a `look` at what its calls are to the collector.

    The two other surveys are what the ledger needs of its ends.
    """

    def decide(record: PassRecord) -> Step:
        if record.surveys.begin is None:
            return Survey(stage="begin")
        if record.calls < calls:
            return Calls(to=calls)
        if record.surveys.end is None:
            return Survey(stage="end")
        return look if look is not None and record.surveys.churn is None else Finish()

    plan = natural_plan(target, options, calls)
    return Request(plan=plan, decide=decide, label="natural", quiet=True)


def natural_plan(target: Target, options: Options, calls: int) -> PassPlan:
    """Return the plan of a pass that runs so many calls as production would."""
    capacity = min(calls, MOST_ROWS) + SPARE_ROWS
    plan = plan_of(target, options, kind="natural", mode="natural", capacity=capacity)
    return msgspec.structs.replace(plan, allowance_s=NATURAL_ALLOWANCE_S, share=NATURAL_SHARE)


def churn_survey(recording: Recording, options: Options) -> Survey | None:
    """Return the look at what calls are to the collector, None where it is not worth its calls.

    That is where they leave next to nothing to it, and where they take long.
    """
    settled = recording.of("settled")
    if settled is None or settled.failure is not None or not settled.calls:
        return None
    rate = judge(recording, options.thresholds).deferred
    if not waits(rate) or rate.bytes_per_call < LEAST_BYTES:
        return None
    most = options.thresholds.max_garbage
    seconds = LOOK_S if rate.bytes_per_call * HORIZON > most else BRIEF_LOOK_S
    fits = int(seconds / max(call_work_s(settled), 1e-6))  # of work: a busy machine sees as much
    if fits < LOOK_CALLS:
        return None
    room = max(int(most / rate.bytes_per_call), 1)  # no more than is allowed shall stand
    calls = min(recording.calls, room, fits - LOOK_CALLS + 1)
    chosen = {"calls": calls, "most": min(room, fits, MOST_LOOKED_AT)}
    return Survey(stage="churn", options=dict(chosen))


def plan_of(
    target: Target, options: Options, *, kind: PassKind, mode: Mode, capacity: int
) -> PassPlan:
    """Return the plan of one pass of a target."""
    return PassPlan(
        kind=kind,
        mode=mode,
        capacity=min(capacity, MOST_ROWS),
        grace_s=options.grace_s,
        call_timeout_s=options.call_timeout_s,
        loop=target.loop,
        samples=options.samples,
        inputs=str(Path(target.inputs).resolve()) if target.inputs else None,
    )
