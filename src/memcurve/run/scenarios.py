"""Run scenarios: every design through its passes, side by side where that disturbs nobody.

    settled, survivors, allocations    exact whatever else runs: `jobs` lanes take turns
    natural                            measures CPU time: afterwards, one on each processor at most

An outcome never raises: what a design did wrong is a failure in its recording.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from memcurve.judge.judgement import judge
from memcurve.judge.ledger import ledger_of
from memcurve.model.outcome import Outcome, Run
from memcurve.model.recording import PassRecord, Recording, timestamp
from memcurve.model.scenario import Scenario
from memcurve.model.thresholds import Thresholds
from memcurve.run.gate import crosses, is_suspect, leaves_its_band
from memcurve.run.lane import Job, Lane
from memcurve.run.options import RunOptions
from memcurve.run.pace import pace_of


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run is: which pass of which design runs which call, and how many passes are done."""

    scenario: str
    design: str
    kind: str
    call: int
    done: int
    total: int


Progress = Callable[[Event], None]


class _Work:
    """What the lanes of one group share."""

    def __init__(
        self, jobs: Sequence[Job], options: RunOptions, progress: Progress | None, total: int
    ) -> None:
        self.jobs, self.options = jobs, options
        self.imported: Sequence[Job] = ()
        self._progress, self._total = progress, total
        self.waiting: SimpleQueue[Job] = SimpleQueue()
        self.waiting_natural: SimpleQueue[Job] = SimpleQueue()
        for job in jobs:
            self.waiting.put(job)
        self.outcomes: dict[str, Outcome] = {}
        self.lanes: list[Lane] = []
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self.done = 0

    def line_up_natural(self) -> None:
        """Let the dearest go first: then the processors end together."""
        for job in sorted(self.jobs, key=self._wall_s, reverse=True):
            self.waiting_natural.put(job)

    def _wall_s(self, job: Job) -> float:
        """Return the seconds that the calls shown took in the settled pass."""
        recording = self.outcomes[job.name].recording
        settled = recording.of("settled")
        return recording.calls * settled.wall_s / max(settled.calls, 1) if settled else 0.0

    def finished_pass(self) -> None:
        with self._lock:
            self.done += 1

    def tell(self, job: Job, kind: str, call: int) -> None:
        if self._progress is not None and not self.stopped.is_set():
            self._progress(
                Event(
                    scenario=job.scenario.name,
                    design=job.design,
                    kind=kind,
                    call=call,
                    done=self.done,
                    total=self._total,
                )
            )


def run_scenarios(
    scenarios: Sequence[Scenario],
    options: RunOptions,
    progress: Progress | None = None,
    among: Sequence[Scenario] = (),
) -> list[Outcome]:
    """Measure and judge every design, in the order of the scenarios.

    Lanes import the targets of all scenarios in `among`: the curves of a few that were chosen then
    start from the same heap as in a run of all, and compare with what that accepted.
    `progress` is called from several threads. Interrupting ends every process that this started.
    """
    passes = 2 if options.natural else 1
    outcomes: dict[str, Outcome] = {}
    groups = _groups(scenarios)
    total = passes * sum(len(jobs) for jobs in groups)
    for jobs in groups:
        work = _Work(jobs, options, progress, total)
        work.imported = [one for group in _groups(among) for one in group if _meet(one, jobs[0])]
        work.done = passes * len(outcomes)
        outcomes |= _run_group(work)
    return [outcomes[f"{one.name}/{design}"] for one in scenarios for design in one.designs]


def _groups(scenarios: Sequence[Scenario]) -> list[list[Job]]:
    """Put together what may share a worker: the same kind of backend, the same calls."""
    groups: dict[int, list[Job]] = {}
    for one in scenarios:
        jobs = groups.setdefault(id(one.backend), [])
        jobs.extend(Job(scenario=one, design=design) for design in one.designs)
    return list(groups.values())


def _meet(one: Job, other: Job) -> bool:
    return one.scenario.backend is other.scenario.backend


def _run_group(work: _Work) -> dict[str, Outcome]:
    count = max(min(work.options.jobs, len(work.jobs)), 1)
    with ThreadPoolExecutor(count, thread_name_prefix="memcurve-lane") as pool:
        barrier = threading.Barrier(count, action=work.line_up_natural)
        futures = [pool.submit(_lane_thread, work, barrier, number) for number in range(count)]
        try:
            for future in futures:
                future.result()
        except BaseException:
            work.stopped.set()
            barrier.abort()
            for lane in work.lanes:
                lane.kill()
            raise
    return work.outcomes


def _lane_thread(work: _Work, barrier: threading.Barrier, number: int) -> None:
    try:
        with Lane.opened(
            work.imported or work.jobs, work.options.of_a_pass(), work.options.cwd
        ) as lane:
            work.lanes.append(lane)
            with contextlib.suppress(Empty):
                while not work.stopped.is_set():
                    _measure_settled(work, lane, work.waiting.get_nowait())
            _wait_for_the_others(barrier)
            if number < (os.cpu_count() or 1) and work.options.natural:
                with contextlib.suppress(Empty):
                    while not work.stopped.is_set():
                        _measure_natural(work, lane, work.waiting_natural.get_nowait())
    except BaseException:
        barrier.abort()
        raise


def _wait_for_the_others(barrier: threading.Barrier) -> None:
    with contextlib.suppress(threading.BrokenBarrierError):
        barrier.wait()


def _measure_settled(work: _Work, lane: Lane, job: Job) -> None:
    outcome = _settled(work, lane, job)
    if leaves_its_band(job.scenario, outcome, work.options.baselines):
        # a design with threads has one mapping more in some thirty runs; what is so comes again
        first, outcome = outcome, _settled(work, lane, job)
        recording = msgspec.structs.replace(outcome.recording, set_aside=first.recording.passes)
        outcome = msgspec.structs.replace(outcome, recording=recording)
    work.outcomes[job.name] = _explained(work, lane, job, outcome)
    work.finished_pass()


def _settled(work: _Work, lane: Lane, job: Job) -> Outcome:
    calls = work.options.calls or job.scenario.calls
    lane.options = msgspec.structs.replace(lane.options, calls=calls)
    pace = pace_of(job.scenario, job.design, work.options)
    passes = lane.settled(job, lambda kind, call: work.tell(job, kind, call), pace)
    return judged(_recording(job, lane, calls, passes), work.options.thresholds)


def _measure_natural(work: _Work, lane: Lane, job: Job) -> None:
    outcome = work.outcomes[job.name]
    if outcome.judgement is not None:
        calls = outcome.recording.calls
        lane.options = msgspec.structs.replace(lane.options, calls=calls)
        record = lane.natural(job, lambda kind, call: work.tell(job, kind, call))
        recording = msgspec.structs.replace(
            outcome.recording, passes=(*outcome.recording.passes, record)
        )
        work.outcomes[job.name] = msgspec.structs.replace(
            outcome, recording=recording, ledger=ledger_of(recording)
        )
    work.finished_pass()


def _recording(job: Job, lane: Lane, calls: int, passes: list[PassRecord]) -> Recording:
    return Recording(
        scenario=job.scenario.name,
        design=job.design,
        target=job.target.call,
        calls=calls,
        environment=lane.environment,
        passes=tuple(passes),
        recorded_at=timestamp(),
    )


def judged(recording: Recording, thresholds: Thresholds) -> Outcome:
    """Judge a recording; without a judgement where its settled pass failed."""
    settled = recording.of("settled")
    if settled is None or settled.failure is not None:
        return Outcome(recording=recording, judgement=None)
    judgement = judge(recording, thresholds)
    return Outcome(recording=recording, judgement=judgement, ledger=ledger_of(recording))


def _explained(work: _Work, lane: Lane, job: Job, outcome: Outcome) -> Outcome:
    judgement = outcome.judgement
    if judgement is None or not _wants_explaining(work.options, job, outcome):
        return outcome
    from memcurve.run.explain import ExplainOptions, explain_with

    found = explain_with(
        lambda plan, decide, report: lane.run(job, plan, decide),
        job.target,
        lane.options,
        outcome.recording,
        judgement,
        ExplainOptions(flame_graph=_flame_graph(work.options.flame_graphs, job)),
        progress=lambda kind, call: work.tell(job, kind, call),
    )
    return msgspec.structs.replace(outcome, culprits=found.culprits, explanation=found)


def _flame_graph(folder: Path | None, job: Job) -> Path | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{job.scenario.name}-{job.design}.html"


def _wants_explaining(options: RunOptions, job: Job, outcome: Outcome) -> bool:
    if options.explain in ("never", "always"):
        return options.explain == "always"
    if options.explain == "suspects" and job.scenario.explain and is_suspect(outcome):
        return True
    return crosses(job.scenario, outcome, options.baselines)


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
