"""Check a callable in this very process: the passes of `check`, run by `measure.inprocess`.

One generator of awaitables serves both a loop that already runs and none at all.
"""

import asyncio
from collections.abc import Callable, Generator
from typing import Any

from memcurve.measure.inprocess import InProcess
from memcurve.measure.worker.loop import adrive, drive
from memcurve.measure.worker.passes import Runner
from memcurve.measure.worker.target import is_asynchronous
from memcurve.model.errors import MeasureError
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.scenario import Target
from memcurve.run.passes import (
    MOST_RERUNS,
    Options,
    local_recording,
    natural_request,
    rerun_mode,
    settled_request,
    title_of,
)


class InProcessCheck:
    """One check in this process; `error` is what a failed call raised."""

    def __init__(self, function: Callable[..., object], options: Options) -> None:
        self._function, self._options = function, options
        self.error: BaseException | None = None

    def measure(self) -> Recording:
        """Measure without a running loop; awaitables run on a loop made for them."""
        runner = Runner()
        try:
            loop = runner.ensure_loop() if is_asynchronous(self._function) else None
            passes: list[PassRecord] = drive(self._passes(loop), runner)
        finally:
            runner.close()
        return self._recording(passes)

    async def ameasure(self) -> Recording:
        """Measure in the running loop. Raises MeasureError where that is not asyncio's."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError as error:
            raise MeasureError(
                "no asyncio event loop runs here; await acheck() in one, "
                "or use check() for other frameworks"
            ) from error
        passes: list[PassRecord] = await adrive(self._passes(loop))
        return self._recording(passes)

    def _recording(self, passes: list[PassRecord]) -> Recording:
        return local_recording(title_of(self._function), self._options, passes)

    def _passes(
        self, loop: asyncio.AbstractEventLoop | None
    ) -> Generator[Any, None, list[PassRecord]]:
        target, options = Target(call=title_of(self._function)), self._options
        process = InProcess(self._function, loop)
        mode: str | None = "settled"
        records: list[PassRecord] = []
        while mode is not None and len(records) <= MOST_RERUNS:
            record = yield from process.run(*settled_request(target, options, mode))
            records.append(record)
            self.error = process.error
            if record.failure is not None:
                return records
            again = rerun_mode(record, options.thresholds)
            mode = None if any(done.mode == again for done in records) else again
        natural = yield from process.run(*natural_request(target, options))
        self.error = process.error
        return [*records, natural]
