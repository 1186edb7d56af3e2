"""Run scenarios: every design through its passes, side by side where that disturbs nobody.

    settled                    exact whatever else runs: `jobs` lanes take turns
    natural                    measures CPU time: afterwards, one on each processor at most
    survivors, allocations     exact again: the lanes take turns

An outcome never raises: what a design did wrong is a failure in its recording.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from memcurve.judge.judgement import judge
from memcurve.judge.ledger import ledger_of
from memcurve.measure.scratch import everything_here
from memcurve.model.effort import effort_for
from memcurve.model.errors import MeasureError
from memcurve.model.outcome import Outcome, Run
from memcurve.model.recording import Recording, timestamp
from memcurve.model.scenario import Scenario, Target
from memcurve.model.thresholds import Thresholds
from memcurve.run.explain import ExplainOptions, explained
from memcurve.run.gate import crosses, is_suspect, leaves_its_band
from memcurve.run.interpreter import Interpreter
from memcurve.run.lanes import Course, Keep, Progress, run_lanes
from memcurve.run.options import Options, RunOptions
from memcurve.run.passes import Passes, Subject, measured, settled, with_natural
from memcurve.run.passes import Progress as PassProgress
from memcurve.run.scenario_effort import effort_of
from memcurve.run.standing import with_standing

CALLS_A_ROW = 5
"""After the first 100, which have a row each; a prime, so that it beats with few periods, and so
often that the lows of a sawtooth of 66 calls are met to a fifteenth of its height."""


def run_scenarios(
    scenarios: Sequence[Scenario],
    options: RunOptions,
    progress: Progress | None = None,
    among: Sequence[Scenario] = (),
    keep: Keep | None = None,
) -> list[Outcome]:
    """Measure and judge every design, in the order of the scenarios.

    Lanes import the targets of all scenarios in `among`: the curves of a few that were chosen then
    start from the same heap as in a run of all, and compare with what that accepted.
    `progress` is called from several threads, and so is `keep`, with each outcome as soon as it is
    there. Interrupting ends every process that this started.
    """
    groups: dict[int, list[Course]] = {}
    for scenario in scenarios:
        courses = groups.setdefault(id(scenario.backend), [])
        for design in scenario.designs:
            subject = subject_of(scenario, design)
            passes = measured_design(scenario, design, options)
            courses.append(Course(subject, scenario.backend, passes))
    outcomes: dict[str, Outcome] = {}
    total = sum(map(len, groups.values()))
    with everything_here():
        for courses in groups.values():
            imported = _sharing(courses[0], among) or [course.subject for course in courses]
            outcomes |= run_lanes(courses, imported, options, progress, len(outcomes), total, keep)
    return [outcomes[f"{one.name}/{design}"] for one in scenarios for design in one.designs]


def subject_of(scenario: Scenario, design: str) -> Subject:
    """Return one design of a scenario as what is measured."""
    target: Target = scenario.designs[design]
    return Subject(target=target, scenario=scenario.name, design=design, packages=scenario.packages)


def _sharing(course: Course, among: Sequence[Scenario]) -> list[Subject]:
    """Return all subjects that may share a worker with a course: those of the same backend."""
    shared = [scenario for scenario in among if scenario.backend is course.backend]
    return [subject_of(scenario, design) for scenario in shared for design in scenario.designs]


def measured_design(scenario: Scenario, design: str, options: RunOptions) -> Passes[Outcome]:
    """Measure one design, judge it, and explain it where that is wanted."""
    subject, each = subject_of(scenario, design), options.each
    outcome = yield from _settled(scenario, design, options)
    if leaves_its_band(scenario, outcome, options.baselines):
        # a design with threads has one mapping more in some thirty runs; what is so comes again
        first = outcome
        outcome = yield from _settled(scenario, design, options)
        recording = msgspec.structs.replace(outcome.recording, set_aside=first.recording.passes)
        outcome = msgspec.structs.replace(outcome, recording=recording)
    if outcome.judgement is None:
        return outcome
    if options.natural:
        recording = yield from with_natural(outcome.recording, subject, each)
        recording = yield from with_standing(recording, subject, each)
        outcome = judged(recording, each.thresholds)  # with what stood of its garbage, too
    judgement = outcome.judgement
    if judgement is None or not _wants_explaining(options, scenario, outcome):
        return outcome
    chosen = ExplainOptions(
        flame_graph=_flame_graph(options.flame_graphs, subject),
        references=options.explain == "always",
    )
    explanation = yield from explained(subject, each, outcome.recording, judgement, chosen)
    return msgspec.structs.replace(outcome, culprits=explanation.culprits, explanation=explanation)


def _settled(scenario: Scenario, design: str, options: RunOptions) -> Passes[Outcome]:
    subject, effort = subject_of(scenario, design), effort_of(scenario, design, options)
    recording = yield from settled(subject, options.each, effort, every=CALLS_A_ROW)
    return judged(recording, options.each.thresholds)


def judged(recording: Recording, thresholds: Thresholds) -> Outcome:
    """Judge a recording; without a judgement where its settled pass failed."""
    settled = recording.of("settled")
    if settled is None or settled.failure is not None:
        return Outcome(recording=recording, judgement=None)
    judgement = judge(recording, thresholds)
    return Outcome(recording=recording, judgement=judgement, ledger=ledger_of(recording))


def _flame_graph(folder: Path | None, subject: Subject) -> Path | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{subject.scenario}-{subject.design}.html"


def _wants_explaining(options: RunOptions, scenario: Scenario, outcome: Outcome) -> bool:
    if options.explain in ("never", "always"):
        return options.explain == "always"
    if options.explain == "suspects" and scenario.explain and is_suspect(outcome):
        return True
    return crosses(scenario, outcome, options.baselines)


def explain_design(
    scenario: Scenario,
    design: str,
    calls: int,
    chosen: ExplainOptions,
    progress: PassProgress | None = None,
    *,
    samples: bool = True,
) -> Outcome:
    """Measure and explain one design, whatever its verdict.

    Raises MeasureError where it cannot be measured.
    """
    options, subject = Options(samples=samples), subject_of(scenario, design)
    effort = effort_for(None, None, options.thresholds)
    effort = msgspec.structs.replace(effort, shown=calls)

    def passes() -> Passes[Outcome]:
        recording = yield from measured(subject, options, effort)
        if recording.failure is not None:
            raise MeasureError(f"{subject.name}: {recording.failure.message}")
        judgement = judge(recording, options.thresholds)
        explanation = yield from explained(subject, options, recording, judgement, chosen)
        return Outcome(
            recording=recording,
            judgement=judgement,
            ledger=ledger_of(recording),
            culprits=explanation.culprits,
            explanation=explanation,
        )

    with Interpreter.opened([subject], options, scenario.backend) as interpreter:
        return interpreter.drive(subject, passes(), progress)


def run_of(
    scenarios: Sequence[Scenario], outcomes: Sequence[Outcome], command: str, began: float
) -> Run:
    """Put outcomes together into the value that reports show; `began` is a monotonic time."""
    return Run(
        outcomes=tuple(outcomes),
        descriptions={one.name: one.description for one in scenarios},
        may_grow={one.name: one.may_grow for one in scenarios},
        command=command,
        recorded_at=timestamp(),
        elapsed_s=time.monotonic() - began,
    )
