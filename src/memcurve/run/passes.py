"""Check one callable: measure it, extend the run while the verdict is open, judge.

This is where measuring and judging are wired together; neither knows the other.
"""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from memcurve.judge.schedule import Budget, next_step, nothing_rises
from memcurve.measure.isolation import ForkedWorker
from memcurve.measure.runner import NextStep, PassPlan, Session, open_session
from memcurve.measure.runner import Progress as PassProgress
from memcurve.measure.worker.environment import describe as describe_environment
from memcurve.model.recording import Environment, PassRecord, Recording, timestamp
from memcurve.model.scenario import Target
from memcurve.model.steps import Calls, Finish, Step, Survey
from memcurve.model.thresholds import Thresholds

DEFAULT_BUDGET_S = 10.0
MOST_RERUNS = 2
WAITING = 8
"""A call that waits counts as this much cheaper than one that works."""
NATURAL_ALLOWANCE_S, NATURAL_SHARE = 0.015, 0.02

Progress = Callable[[str, int], None]
"""Told which pass runs which call."""
Functions = Mapping[str, Callable[..., object] | None]
RunPass = Callable[[PassPlan, NextStep, PassProgress | None], PassRecord]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to measure: see `memcurve check --help`. Times in seconds.

    `pace` says what the budget is counted in: time of the clock; or "work", the CPU time of calls
    and sampling, in which an eighth of what calls wait counts too. By work a busy machine decides
    as a calm one does.
    """

    calls: int = 100
    budget_s: float | None = None
    call_timeout_s: float = 30.0
    grace_s: float = 1.0
    python: str = sys.executable
    packages: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    gauges: dict[str, tuple[str, int]] = {}
    pace: Literal["clock", "work"] = "clock"
    thresholds: Thresholds = Thresholds()

    def budget(self, record: PassRecord, began: float) -> Budget:
        """Return how far the settled pass `record` may go, which began at clock time `began`."""
        seconds = DEFAULT_BUDGET_S if self.budget_s is None else self.budget_s
        enough = self.thresholds.enough if self.budget_s is None else 0
        by_work = self.pace == "work"
        return Budget(
            calls=self.calls,
            enough=max(enough, self.calls),
            out_of_time=lambda: (work_s(record) if by_work else time.monotonic() - began) > seconds,
        )


def work_s(record: PassRecord) -> float:
    """Return what a pass has worked: CPU seconds, or an eighth of the clock where calls wait."""
    return max(record.cpu_s + record.sampling_s, record.wall_s / WAITING)


def measure_target(
    target: Target,
    options: Options,
    *,
    scenario: str = "check",
    design: str = "target",
    progress: Progress | None = None,
) -> Recording:
    """Run the passes that decide, in an interpreter of its own, and return the recording.

    Nothing that the target does raises here: a target that cannot be loaded, raises, hangs or dies
    is a recording with a failure in it.
    """
    session, failure = open_session(
        target,
        python=options.python,
        environment={"PYTHONHASHSEED": "0", **options.environment},
        packages=options.packages,
        timeout_s=max(options.call_timeout_s, 60.0),
    )
    with session.worker:
        if failure is not None:
            passes = [PassRecord(kind="settled", mode="settled", failure=failure)]
        else:
            passes = _passes(session.run, target, options, progress)
    return _recording(scenario, design, target.call, options, session.environment, passes)


def measure_function(
    functions: Functions,
    options: Options,
    *,
    inputs: str | Path | None = None,
    progress: Progress | None = None,
) -> Recording:
    """Run the passes on callables of this process, each in a fork of it."""
    target = target_of(functions, inputs)
    run = run_in_fork(functions, options)
    passes = _passes(run, target, options, progress)
    return local_recording(target.call, options, passes)


def target_of(functions: Functions, inputs: str | Path | None) -> Target:
    """Return what stands for callables without a name in a plan."""
    return Target(call=title_of(functions["target"]), inputs=str(inputs) if inputs else None)


def run_in_fork(functions: Functions, options: Options) -> RunPass:
    """Return what runs each pass of callables of this process in a fork of it."""

    def run(plan: PassPlan, decide: NextStep, report: PassProgress | None) -> PassRecord:
        with ForkedWorker(functions) as worker:
            session = Session(worker, options.call_timeout_s)
            plan = msgspec.structs.replace(plan, fork=False)
            record = session.run(plan, decide, report)
        return msgspec.structs.replace(record, isolation="caller")

    return run


def title_of(function: Callable[..., object] | None) -> str:
    """Return the name under which a callable of this process is recorded."""
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', function)}"


def local_recording(target: str, options: Options, passes: list[PassRecord]) -> Recording:
    """Return a recording of passes that ran in this process or in copies of it."""
    here = msgspec.convert(describe_environment(list(options.packages)), Environment)
    return _recording("check", "target", target, options, here, passes)


def _recording(
    scenario: str,
    design: str,
    target: str,
    options: Options,
    environment: Environment | None,
    passes: list[PassRecord],
) -> Recording:
    return Recording(
        scenario=scenario,
        design=design,
        target=target,
        calls=options.calls,
        environment=environment,
        passes=tuple(passes),
        recorded_at=timestamp(),
    )


def _passes(
    run: RunPass, target: Target, options: Options, progress: Progress | None
) -> list[PassRecord]:
    settled = run_settled(run, target, options, progress)
    if settled[-1].failure is not None:
        return settled
    return [*settled, run_natural(run, target, options, progress)]


def run_settled(
    run: RunPass, target: Target, options: Options, progress: Progress | None = None
) -> list[PassRecord]:
    """Run the settled pass, and again in another mode where a verification asks for that."""
    records = [_settled(run, target, options, "settled", progress)]
    while records[-1].failure is None and len(records) <= MOST_RERUNS:
        mode = rerun_mode(records[-1], options.thresholds)
        if mode is None or any(record.mode == mode for record in records):
            break
        records.append(_settled(run, target, options, mode, progress))
    return records


def rerun_mode(record: PassRecord, thresholds: Thresholds) -> str | None:
    """Return the mode in which to repeat a pass whose growth a verification took back.

    None where the pass ended flat: what was frozen or in flight made that no smaller.
    """
    curve = record.samples.curve("live_bytes")
    if not record.verifications or not len(curve) or nothing_rises(record, thresholds):
        return None
    grown = max(curve.values[-1] - curve.tail(1).values[0], 1)
    freed = max(v.released_bytes for v in record.verifications)
    waited = max(v.waited_bytes for v in record.verifications)
    if waited > thresholds.released * grown and waited > 1024:
        return "patient"
    return "unfrozen" if freed > thresholds.released * grown and freed > 1024 else None


def _settled(
    run: RunPass, target: Target, options: Options, mode: str, progress: Progress | None
) -> PassRecord:
    return run(*settled_request(target, options, mode), labelled(progress, mode))


def settled_request(target: Target, options: Options, mode: str) -> tuple[PassPlan, NextStep]:
    """Return the plan of a settled pass that begins now, and what decides its steps."""
    began = time.monotonic()

    def decide(record: PassRecord) -> Step:
        return next_step(record, options.thresholds, options.budget(record, began))

    return plan_of(target, options, kind="settled", mode=mode), decide


def run_natural(
    run: RunPass, target: Target, options: Options, progress: Progress | None = None
) -> PassRecord:
    """Run the calls as production would, the collector on."""
    return run(*natural_request(target, options), labelled(progress, "natural"))


def natural_request(target: Target, options: Options) -> tuple[PassPlan, NextStep]:
    """Return the plan of a natural pass, and what decides its steps: as many calls as are shown.

    The two surveys are what the ledger needs of its ends.
    """
    plan = plan_of(target, options, kind="natural", mode="natural")
    plan = msgspec.structs.replace(plan, allowance_s=NATURAL_ALLOWANCE_S, share=NATURAL_SHARE)

    def decide(record: PassRecord) -> Step:
        if record.surveys.begin is None:
            return Survey(stage="begin")
        if record.calls < options.calls:
            return Calls(to=options.calls)
        return Survey(stage="end") if record.surveys.end is None else Finish()

    return plan, decide


def labelled(progress: Progress | None, label: str) -> PassProgress | None:
    """Return what tells `progress` of the calls of a pass under its label."""
    if progress is None:
        return None
    return lambda call: progress(label, call)


def plan_of(target: Target, options: Options, *, kind: str, mode: str) -> PassPlan:
    """Return the plan of one pass of a target."""
    most = max(options.thresholds.most_calls, options.calls)
    return msgspec.convert(
        {
            "kind": kind,
            "mode": mode,
            "capacity": most + 100,
            "grace_s": options.grace_s,
            "call_timeout_s": options.call_timeout_s,
            "loop": target.loop,
            "inputs": str(Path(target.inputs).resolve()) if target.inputs else None,
            "gauges": options.gauges,
        },
        PassPlan,
    )
