"""The passes that explain, as plans and steps: what survives, and where it was allocated.

A survivors pass warms up, takes the cycles of one call apart, then counts over two windows of
calls what the first left behind, traces a few calls more for the lines, and at last lets go what it
found, to weigh it. An allocations pass traces one stretch of calls; two of different length,
subtracted, tell growth from what is merely held.
"""

from collections.abc import Iterator, Mapping

import msgspec

from memcurve.measure.runner import NextStep, PassPlan
from memcurve.recording import PassRecord
from memcurve.steps import Calls, Finish, Step, Survey

CHEAP_CALL_S, DEAR_CALL_S = 0.002, 0.25


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls the explaining passes run: warm-up, each window, and under a tracer."""

    warm: int
    window: int
    traced: int
    short: int
    long: int
    lines: int


def windows_for(call_s: float) -> Windows:
    """Return windows that a call of that many seconds can afford.

    Cheap calls get windows of 200, so that growth in steps of 100 calls is counted exactly.
    """
    if call_s < CHEAP_CALL_S:
        return Windows(warm=100, window=200, traced=210, short=100, long=300, lines=200)
    if call_s < DEAR_CALL_S:
        return Windows(warm=50, window=50, traced=10, short=15, long=65, lines=10)
    return Windows(warm=20, window=15, traced=3, short=5, long=20, lines=3)


def survivors_request(
    plan: PassPlan, windows: Windows, native_per_call: float, least_per_call: float, grows: bool
) -> tuple[PassPlan, NextStep]:
    """Return the plan of a survivors pass and what decides its steps.

    Groups below `least_per_call` bytes are left out. Lines and weights, the dear part, are looked
    for only where something `grows`.
    """
    plan = msgspec.structs.replace(plan, kind="survivors", mode="settled")
    return plan, _script(_survivors_steps(windows, native_per_call, least_per_call, grows))


def _survivors_steps(
    windows: Windows, native_per_call: float, least_per_call: float, grows: bool
) -> Iterator[Step]:
    warm = max(windows.warm - 1, 1)
    yield Calls(to=warm)
    yield Survey(stage="cycles", options={"calls": 1})
    yield Survey(stage="mark")
    yield Calls(to=warm + 1 + windows.window)
    yield Survey(stage="middle")
    yield Calls(to=warm + 1 + 2 * windows.window)
    yield Survey(stage="end", options={"least_per_call": least_per_call})
    if not grows:
        return
    yield Survey(stage="sites", options={"calls": windows.traced})
    yield Survey(stage="release", options={"native_each": native_per_call})


def allocations_request(
    plan: PassPlan, windows: Windows, calls: int, options: Mapping[str, object]
) -> tuple[PassPlan, NextStep]:
    """Return the plan of an allocations pass that traces `calls` calls behind the warm-up.

    `options` are those of its two stages: {"start": {"tracer", "native"}, "stop": {…}}.
    """
    plan = msgspec.structs.replace(plan, kind="allocations", mode="settled")
    return plan, _script(_allocations_steps(windows, calls, options))


def _allocations_steps(
    windows: Windows, calls: int, options: Mapping[str, object]
) -> Iterator[Step]:
    start, stop = options.get("start"), options.get("stop")
    yield Calls(to=windows.warm)
    yield Survey(stage="start", options=dict(start) if isinstance(start, dict) else {})
    yield Calls(to=windows.warm + calls)
    yield Survey(stage="stop", options=dict(stop) if isinstance(stop, dict) else {})


def _script(steps: Iterator[Step]) -> NextStep:
    def decide(record: PassRecord) -> Step:
        return next(steps, Finish())

    return decide
