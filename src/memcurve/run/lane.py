"""One lane of a benchmark: a backend and a worker of its own, which runs one pass after another.

A lane imports the targets of all scenarios that share its backend at its start, in their order.
So every pass forks from the same heap, whichever lane it runs in, and importing is paid once.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import msgspec

from memcurve.measure.isolation import SpawnedWorker
from memcurve.measure.runner import NextStep, PassPlan, Session
from memcurve.model.recording import Environment, Failure, PassRecord
from memcurve.model.scenario import Backend, Scenario, Target
from memcurve.run.pace import Pace, paced
from memcurve.run.passes import Options, natural_request, rerun_mode, settled_request

LOAD_TIMEOUT_S = 120.0
MOST_RERUNS = 2
# behind the first 100, which have a row each; a prime, so that it beats with no period
CALLS_A_ROW = 7

CallProgress = Callable[[str, int], None]
"""Told which pass runs which call."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One design of one scenario, to be measured."""

    scenario: Scenario
    design: str

    @property
    def target(self) -> Target:
        return self.scenario.designs[self.design]

    @property
    def name(self) -> str:
        return f"{self.scenario.name}/{self.design}"


class Lane:
    """A backend and a worker that has imported every target of `jobs`.

    A worker that was killed is replaced before the next pass. Belongs to the thread that opened
    it: on Linux a worker ends with the thread that started it.
    """

    def __init__(
        self, jobs: Sequence[Job], options: Options, backend: Backend, cwd: str | None = None
    ) -> None:
        self._jobs, self._backend, self._cwd = jobs, backend, cwd
        self.options = msgspec.structs.replace(options, gauges=backend.gauges)
        self._failures: dict[str, Failure] = {}
        self._session: Session | None = None
        self._worker: SpawnedWorker | None = None

    @classmethod
    @contextlib.contextmanager
    def opened(
        cls, jobs: Sequence[Job], options: Options, cwd: str | None = None
    ) -> Iterator[Self]:
        """Start the backend and the worker of a lane, and end both."""
        factory = jobs[0].scenario.backend
        with contextlib.ExitStack() as stack:
            backend = stack.enter_context(factory()) if factory is not None else Backend()
            lane = cls(jobs, options, backend, cwd)
            stack.callback(lane.close)
            yield lane

    @property
    def environment(self) -> Environment | None:
        return self._session.environment if self._session is not None else None

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
        self._session = self._worker = None

    def kill(self) -> None:
        """End the worker at once, from any thread; the pass that runs fails."""
        if self._worker is not None:
            self._worker.kill()

    def session(self, job: Job) -> Session | Failure:
        """Return the session with the target of `job` loaded, or why it cannot be."""
        if self._session is None or self._worker is None or self._worker.ended_already():
            self.close()
            self._session = self._start()
        session = self._session
        if job.name in self._failures:
            return self._failures[job.name]
        failure = session.load(job.target, job.scenario.packages)
        return failure if failure is not None else session

    def _start(self) -> Session:
        # hashes decide how full sets and dicts are: without a fixed seed curves are not exact
        environment = {"PYTHONHASHSEED": "0", **self._backend.environment}
        self._worker = SpawnedWorker(self.options.python, environment, self._cwd)
        session = Session(self._worker, LOAD_TIMEOUT_S)
        for job in self._jobs:
            failure = session.load(job.target, job.scenario.packages)
            if failure is not None:
                self._failures[job.name] = failure
        session.timeout_s = self.options.call_timeout_s
        return session

    def settled(self, job: Job, progress: CallProgress, pace: Pace) -> list[PassRecord]:
        """Run the settled pass, again in another mode where a verification asks for that."""
        records: list[PassRecord] = []
        mode: str | None = "settled"
        while mode is not None and len(records) <= MOST_RERUNS:
            options = self._options(job)
            plan, _ = settled_request(job.target, options, mode)
            plan = msgspec.structs.replace(plan, every=CALLS_A_ROW)
            records.append(self.run(job, plan, paced(options, pace), progress))
            if records[-1].failure is not None or pace.once:
                break
            mode = rerun_mode(records[-1], options.thresholds)
            mode = None if any(record.mode == mode for record in records) else mode
        return records

    def natural(self, job: Job, progress: CallProgress) -> PassRecord:
        """Run the calls as production would, the collector on."""
        plan, decide = natural_request(job.target, self._options(job))
        return self.run(job, plan, decide, progress)

    def run(
        self, job: Job, plan: PassPlan, decide: NextStep, progress: CallProgress | None = None
    ) -> PassRecord:
        """Run one pass; a target that cannot be loaded is a record with a failure."""
        session = self.session(job)
        if isinstance(session, Failure):
            return PassRecord(kind=plan.kind, mode=plan.mode, failure=session)
        label = plan.kind if plan.mode in (plan.kind, "settled") else plan.mode
        report = None if progress is None else lambda call: progress(label, call)
        return session.run(plan, decide, report)

    def _options(self, job: Job) -> Options:
        return msgspec.structs.replace(self.options, packages=job.scenario.packages)
