"""Run scenarios on an executor: of the standard library, or of a cluster of machines.

Each design is a job of its own. Designs that must save time over one another go together, since
time means nothing between two machines. A job that is lost with its worker is run again, then
alone: so a job that ends its workers takes no other one along.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from memcurve.model.errors import MeasureError, MemcurveError, RecordingError
from memcurve.model.outcome import Outcome
from memcurve.model.recording import Failure, PassRecord, Recording, timestamp
from memcurve.model.scenario import Scenario
from memcurve.model.text import printable, printable_json
from memcurve.model.units import counter_of
from memcurve.model.validity import decoded
from memcurve.run.jobs import Answer, Brought, Job, measured_here
from memcurve.run.lanes import Event, Keep, Progress
from memcurve.run.options import RunOptions
from memcurve.run.scenarios import judged
from memcurve.store.files import replace_file

ALONE = 2
"""Times that a job is run by itself after it was lost with its worker."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where jobs run: `opened` gives an executor, a new one after one broke.

    `width` is how many it is given at once; None: all, since it knows by itself which worker is
    free, and runs again what it loses.
    """

    opened: Callable[[], AbstractContextManager[Executor]]
    width: int | None = None


def jobs_of(scenarios: Sequence[Scenario], paths: Sequence[Path], options: RunOptions) -> list[Job]:
    """Return the jobs of a run whose scenarios were found in `paths`."""
    baselines = options.baselines
    return [
        Job(
            cwd=str(Path.cwd()),
            paths=tuple(str(path.resolve()) for path in paths),
            scenario=one.name,
            designs=designs,
            calls=options.calls,
            natural=options.natural,
            explain=options.explain,
            judge_all=options.judge_all,
            samples=options.each.samples,
            thresholds=options.each.thresholds,
            baselines=str(baselines.resolve()) if baselines is not None else None,
            flame_graphs=options.flame_graphs is not None,
        )
        for one in scenarios
        for designs in together(one)
    ]


def together(one: Scenario) -> list[tuple[str, ...]]:
    """Return the designs of a scenario, those in one tuple that are compared in time."""
    groups = [{design} for design in one.designs]
    for lead in one.leads:
        if all(counter_of(counter).exact for counter in lead.at_most):
            continue
        joined = [group for group in groups if group & {lead.design, lead.over}]
        groups = [group for group in groups if group not in joined]
        groups.append(set().union(*joined))
    order = list(one.designs)
    sorted_groups = (tuple(sorted(group, key=order.index)) for group in groups)
    return sorted(sorted_groups, key=lambda group: order.index(group[0]))


def run_elsewhere(
    scenarios: Sequence[Scenario],
    paths: Sequence[Path],
    options: RunOptions,
    place: Place,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> list[Outcome]:
    """Measure every design on an executor, and judge it here, in the order of the scenarios.

    `progress` and `keep` are called as for `run_scenarios`. A design whose worker is lost again and
    again is a failure in its recording. Raises MemcurveError where the executor takes no work, or a
    worker does not have what is measured.
    """
    run = _Run(jobs_of(scenarios, paths, options), options, progress, keep)
    waiting = deque(run.jobs)
    while waiting:
        for job, why in run.round(waiting, place):
            run.alone(job, why, place)
    return [run.outcomes[name] for job in run.jobs for name in job.names]


class _Run:
    """What the rounds of one run share."""

    def __init__(
        self, jobs: list[Job], options: RunOptions, progress: Progress | None, keep: Keep | None
    ) -> None:
        self.jobs, self.outcomes = jobs, dict[str, Outcome]()
        self._options, self._progress, self._keep = options, progress, keep
        self._environments: dict[str, str] = {}
        self._total = sum(len(job.names) for job in jobs)

    def round(self, waiting: "deque[Job]", place: Place) -> list[tuple[Job, str]]:
        """Run jobs until none waits or the executor breaks; return those that it lost, and why."""
        lost: list[tuple[Job, str]] = []
        running: dict[Future[bytes], Job] = {}
        with place.opened() as executor:
            try:
                broken = _submit(executor, waiting, running, place.width)
                if broken and not running:
                    raise MeasureError(f"the executor takes no work: {broken}")
                while running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        job = running.pop(future)
                        why = self._taken(job, future)
                        if why:
                            lost.append((job, why))
                    broken = broken or _submit(executor, waiting, running, place.width)
            except BaseException:
                for future in running:
                    future.cancel()
                raise
        return lost

    def alone(self, job: Job, why: str, place: Place) -> None:
        """Run a job that was lost once more, with no other; after that it is a failure."""
        for _ in range(ALONE):
            lost = self.round(deque([job]), place)
            if not lost:
                return
            ((_, why),) = lost
        tries = ALONE + 1
        for design in job.designs:
            self._take(_never_came(job, design, f"its worker was lost {tries} times: {why}"))

    def _taken(self, job: Job, future: "Future[bytes]") -> str:
        """Take the outcomes of a job; return why there are none, "" where there are.

        What a job itself cannot do is in its answer: whatever else is raised is of its worker.
        """
        try:
            data = future.result()
            brought = _checked(job, data)
        except MemcurveError:
            raise
        except Exception as error:
            return printable(f"{type(error).__name__}: {error}".splitlines()[0])
        for one in brought:
            self._of_one_environment(one.recording)
            self._take(self._outcome(one))
        return ""

    def _of_one_environment(self, recording: Recording) -> None:
        """Raise MeasureError where designs that are compared ran in different environments."""
        if recording.environment is None:
            return
        key = recording.environment.key
        first = self._environments.setdefault(recording.scenario, key)
        if key != first:
            raise MeasureError(
                f"{recording.scenario}/{recording.design} was measured in {key}, another design of "
                f"it in {first}: their bytes do not compare; give all workers one environment"
            )

    def _outcome(self, one: Brought) -> Outcome:
        outcome = judged(one.recording, self._options.each.thresholds)
        explanation = one.explanation
        if explanation is None:
            return outcome
        name = f"{one.recording.scenario}-{one.recording.design}.html"
        graph = ""
        if one.flame_graph and self._options.flame_graphs is not None:
            path = self._options.flame_graphs / name
            replace_file(path, one.flame_graph)
            graph = str(path)
        explanation = msgspec.structs.replace(explanation, flame_graph=graph)
        return msgspec.structs.replace(
            outcome, culprits=explanation.culprits, explanation=explanation
        )

    def _take(self, outcome: Outcome) -> None:
        recording = outcome.recording
        self.outcomes[f"{recording.scenario}/{recording.design}"] = outcome
        if self._keep is not None:
            self._keep(outcome)
        if self._progress is not None:
            event = Event(
                scenario=recording.scenario,
                design=recording.design,
                kind="measured",
                call=max((record.calls for record in recording.passes), default=0),
                done=len(self.outcomes),
                total=self._total,
            )
            self._progress(event)


def _submit(
    executor: Executor,
    waiting: "deque[Job]",
    running: "dict[Future[bytes], Job]",
    width: int | None,
) -> str:
    """Hand out jobs, as many as run at once; return why the executor takes none any more."""
    while waiting and (width is None or len(running) < width):
        try:
            future = executor.submit(measured_here, msgspec.json.encode(waiting[0]))
        except (RuntimeError, OSError) as error:  # a broken pool is a RuntimeError
            return printable(f"{type(error).__name__}: {error}")
        running[future] = waiting.popleft()
    return ""


def _checked(job: Job, data: bytes) -> Iterable[Brought]:
    """Read the answer to a job, which came from another machine.

    Raises MeasureError where a worker refused, and RecordingError for what no measurement gives.
    """
    answer = decoded(printable_json(data), Answer)
    if answer.refused:
        raise MeasureError(answer.refused)
    names = tuple(f"{o.recording.scenario}/{o.recording.design}" for o in answer.brought)
    if names != job.names:
        raise RecordingError(f"asked for {', '.join(job.names)}, a worker brought {names}")
    return answer.brought


def _never_came(job: Job, design: str, why: str) -> Outcome:
    failure = Failure(stage="start", kind="lost", message=why)
    recording = Recording(
        scenario=job.scenario,
        design=design,
        target="",
        calls=job.calls or 1,
        environment=None,
        passes=(PassRecord(kind="settled", mode="settled", failure=failure),),
        recorded_at=timestamp(),
    )
    return Outcome(recording=recording, judgement=None)
