"""Run passes of callables of this process, each in a fork of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from memcurve.measure.isolation import ForkedWorker
from memcurve.measure.runner import Session
from memcurve.measure.worker.environment import describe
from memcurve.model.recording import Environment
from memcurve.model.scenario import Target
from memcurve.run.options import Options
from memcurve.run.passes import Passes, Progress, Ran, Request, Subject, T, drive

Functions = Mapping[str, Callable[..., object] | None]
"""The callables in the roles "target", "setup" and "teardown"."""


class ForkOfThis:
    """A copy of this process for each pass."""

    def __init__(self, functions: Functions, options: Options) -> None:
        self._functions, self._options = functions, options

    def drive(self, passes: Passes[T], progress: Progress | None = None) -> T:
        """Run passes to their end."""
        return drive(passes, lambda request: self.run(request, progress))

    def run(self, request: Request, progress: Progress | None = None) -> Ran:
        """Run one pass in a copy of this process that ends with it."""
        with ForkedWorker(self._functions) as worker:
            session = Session(worker, self._options.call_timeout_s)
            plan = msgspec.structs.replace(request.plan, fork=False)
            record = session.run(plan, request.decide, request.reporting(progress))
        record = msgspec.structs.replace(record, isolation="caller")
        return Ran(record=record, environment=environment_here())


def environment_here() -> Environment:
    """Describe the interpreter of this process."""
    return msgspec.convert(describe([]), Environment)


def subject_here(
    function: Callable[..., object] | None, inputs: str | Path | None = None
) -> Subject:
    """Return the name under which a callable of this process is recorded."""
    module = getattr(function, "__module__", "?")
    call = f"{module}:{getattr(function, '__qualname__', function)}"
    return Subject(target=Target(call=call, inputs=str(inputs) if inputs else None))
