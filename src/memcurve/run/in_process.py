"""Run passes of a callable in this very process: what is tied to its event loop or connections.

One generator of awaitables serves both a loop that already runs and none at all.
"""

import asyncio
from collections.abc import Callable

from memcurve.measure.inprocess import InProcess
from memcurve.measure.worker.loop import adrive, drive
from memcurve.measure.worker.passes import Runner
from memcurve.measure.worker.settle import Steps
from memcurve.measure.worker.target import is_asynchronous
from memcurve.model.errors import MeasureError
from memcurve.run.conclude import CheckFailedError
from memcurve.run.fork import environment_here
from memcurve.run.passes import Passes, Ran, T


class ThisProcess:
    """Passes of one callable here; what a failed call raised is the cause of what this raises."""

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def drive(self, passes: Passes[T]) -> T:
        """Run passes without a running loop; awaitables run on a loop made for them."""
        runner = Runner()
        try:
            loop = runner.ensure_loop() if is_asynchronous(self._function) else None
            value: T = drive(self._steps(passes, loop), runner)
            return value
        finally:
            runner.close()

    async def adrive(self, passes: Passes[T]) -> T:
        """Run passes in the running loop. Raises MeasureError where that is not asyncio's."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as error:
            raise MeasureError(
                "no asyncio event loop runs here; await acheck() in one, "
                "or use check() for other frameworks"
            ) from error
        value: T = await adrive(self._steps(passes, loop))
        return value

    def _steps(self, passes: Passes[T], loop: asyncio.AbstractEventLoop | None) -> Steps[T]:
        process = InProcess(self._function, loop)
        environment = environment_here()
        try:
            request = next(passes)
            while True:
                record = yield from process.run(request.plan, request.decide)
                request = passes.send(Ran(record=record, environment=environment))
        except StopIteration as end:
            value: T = end.value
            return value
        except CheckFailedError as error:
            raise error from process.error
