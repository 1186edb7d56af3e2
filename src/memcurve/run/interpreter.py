"""Run passes in an interpreter of its own: the backend, the worker, and what it has imported.

A worker imports the targets of all its subjects at its start, in their order. So every pass forks
from the same heap, whichever worker it runs in, and importing is paid once.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Self

import msgspec

from memcurve.measure.isolation import SpawnedWorker
from memcurve.measure.runner import Session
from memcurve.model.recording import Environment, Failure, PassRecord
from memcurve.model.scenario import Backend, BackendFactory
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Progress, Ran, Request, Subject, T, drive

LOAD_TIMEOUT_S = 120.0
"""Importing may take this long; a machine learning stack needs half of it from a cold disk."""


class Interpreter:
    """A worker that has imported the target of every subject.

    A worker that was killed is replaced before the next pass. Belongs to the thread that opened
    it: on Linux a worker ends with the thread that started it.
    """

    def __init__(
        self, subjects: Sequence[Subject], options: Options, backend: Backend | None = None
    ) -> None:
        self._subjects, self._options = subjects, options
        self._backend = backend or Backend()
        self._failures: dict[str, Failure] = {}
        self._session: Session | None = None
        self._worker: SpawnedWorker | None = None
        self._killed = False

    @classmethod
    @contextlib.contextmanager
    def opened(
        cls, subjects: Sequence[Subject], options: Options, backend: BackendFactory | None = None
    ) -> Iterator[Self]:
        """Start what runs beside the worker, and end both."""
        with contextlib.ExitStack() as stack:
            beside = stack.enter_context(backend()) if backend is not None else Backend()
            interpreter = cls(subjects, options, beside)
            stack.callback(interpreter.close)
            yield interpreter

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
        self._killed = True
        if self._worker is not None:
            self._worker.kill()

    def drive(self, subject: Subject, passes: Passes[T], progress: Progress | None = None) -> T:
        """Run passes of one subject to their end."""
        return drive(passes, lambda request: self.run(subject, request, progress))

    def run(self, subject: Subject, request: Request, progress: Progress | None = None) -> Ran:
        """Run one pass; a target that cannot be loaded is a record with a failure."""
        session = self._loaded(subject)
        if isinstance(session, Failure):
            plan = request.plan
            record = PassRecord(kind=plan.kind, mode=plan.mode, failure=session)
            return Ran(record=record, environment=self.environment)
        plan = msgspec.structs.replace(request.plan, gauges=self._backend.gauges)
        record = session.run(plan, request.decide, request.reporting(progress))
        return Ran(record=record, environment=self.environment)

    def _loaded(self, subject: Subject) -> Session | Failure:
        """Return the session with the target of a subject loaded, or why it cannot be."""
        if self._session is None or self._worker is None or self._worker.ended_already():
            self.close()
            self._session = self._start()
        session = self._session
        if subject.name in self._failures:
            return self._failures[subject.name]
        if len(self._subjects) == 1:
            return session
        failure = session.load(subject.target, subject.packages)
        return failure if failure is not None else session

    def _start(self) -> Session:
        # hashes decide how full sets and dicts are: without a fixed seed curves are not exact
        environment = {"PYTHONHASHSEED": "0", **self._backend.environment}
        self._worker = SpawnedWorker(self._options.python, environment, self._options.cwd)
        if self._killed:  # while it started: whoever killed has seen the one before
            self._worker.kill()
        session = Session(self._worker, LOAD_TIMEOUT_S)
        for subject in self._subjects:
            failure = session.load(subject.target, subject.packages)
            if failure is not None:
                self._failures[subject.name] = failure
        session.timeout_s = self._options.call_timeout_s
        return session
