"""Trace what calls ask the allocators for: a pass of its own, since a tracer slows a call down.

Calls run warm: the first ones fill caches and import, and what they ask for comes once.
"""

import json
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from memcurve.model.errors import MeasureError
from memcurve.model.traffic import Traffic

WARM_CALLS, TRACED_CALLS = 3, 5
"""Chosen: three calls fill what is filled at once; of five, the median passes by two that grew a
table, and the largest peak is a peak that was there."""


def traffic_of(call: Callable[[], object]) -> Traffic:
    """Run some calls in this process, each under a tracer; costs about three times their time.

    Raises MeasureError where no tracer can be had, and whatever a call raises.
    """
    meter = _Meter()
    for _ in range(WARM_CALLS):
        call()
    for _ in range(TRACED_CALLS):
        with meter.one_call():
            call()
    return meter.traffic()


async def atraffic_of(call: Callable[[], Awaitable[object]]) -> Traffic:
    """Do the same in the running event loop."""
    meter = _Meter()
    for _ in range(WARM_CALLS):
        await call()
    for _ in range(TRACED_CALLS):
        with meter.one_call():
            await call()
    return meter.traffic()


def traffic_in_fork(call: Callable[[], object], timeout_s: float) -> Traffic:
    """Do the same in a copy of this process that ends with it.

    Raises MeasureError where the copy cannot say what it measured.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _tell(call, writing)
    os.close(writing)
    timer = threading.Timer(timeout_s * (WARM_CALLS + TRACED_CALLS), os.kill, (child, 9))
    timer.start()
    try:
        with os.fdopen(reading, "rb") as file:
            said = file.read()
    finally:
        timer.cancel()
        _, status = os.waitpid(child, 0)
    answer = json.loads(said) if said else {"error": f"the copy ended with status {status}"}
    if "error" in answer:
        raise MeasureError(f"allocated and peak could not be measured: {answer['error']}")
    return Traffic(**answer)


def _tell(call: Callable[[], object], writing: int) -> None:
    """Write what was measured, or why not, and end this process without any clean-up."""
    try:
        found = traffic_of(call)
        answer: dict[str, Any] = {name: getattr(found, name) for name in found.__struct_fields__}
    except BaseException as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    try:
        os.write(writing, json.dumps(answer).encode())
    finally:
        sys.stdout.flush()
        os._exit(0)


class _Meter:
    """Adds up single calls; memray allows one tracer a process."""

    def __init__(self) -> None:
        try:
            import memray
            from memray._memray import compute_statistics
        except ImportError as error:
            raise MeasureError(
                "allocated= and peak= are measured by memray, which is not installed here: "
                'pip install "memcurve[report]"'
            ) from error
        self._memray, self._statistics = memray, compute_statistics
        self._allocated: list[int] = []
        self._peaks: list[int] = []

    @contextmanager
    def one_call(self) -> Iterator[None]:
        with tempfile.TemporaryDirectory(prefix="memcurve-") as folder:
            path = Path(folder) / "call.memray"
            tracker = self._started(path)
            try:
                yield
            finally:
                tracker.__exit__(None, None, None)
            found = self._statistics(str(path))
        self._allocated.append(found.total_memory_allocated)
        self._peaks.append(found.peak_memory_allocated)

    def _started(self, path: Path) -> Any:
        tracker = self._memray.Tracker(
            destination=self._memray.FileDestination(str(path), compress_on_exit=False),
            trace_python_allocators=True,
        )
        try:
            return tracker.__enter__()
        except RuntimeError as error:
            raise MeasureError(
                f"allocated= and peak= need memray for themselves: {error}; "
                "leave --memray out of this run"
            ) from error

    def traffic(self) -> Traffic:
        return Traffic(
            allocated_bytes=int(statistics.median(self._allocated)),
            peak_bytes=max(self._peaks),
            calls=len(self._peaks),
        )
