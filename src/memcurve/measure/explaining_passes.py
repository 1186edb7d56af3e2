"""The passes that explain, as plans and steps: what survives, and where it was allocated.

A survivors pass warms up, takes the cycles of one call apart, then counts over two windows of
calls what the first left behind, traces a few calls more for the lines, and at last lets go what it
found, to weigh it. An allocations pass traces one stretch of calls; two of different length,
subtracted, tell growth from what is merely held. The more expensive a call, the fewer of them.
"""

from collections.abc import Generator, Mapping

import msgspec

from memcurve.measure.runner import NextStep, PassPlan
from memcurve.model.recording import PassRecord
from memcurve.model.steps import Calls, Finish, Step, Survey

Script = Generator[Step, PassRecord, None]
"""The steps of a pass; each is answered by the record up to its end."""

WINDOW_S = 0.6
"""CPU seconds of calls, as the plain run takes them, that one window may cost."""
BRIEF_S = 0.3
"""The same where nothing grows."""
LINES_CPU_S = 5.0
"""CPU seconds after which counting line by line ends."""
MOST, LEAST, STEPS = 200, 10, 10
CYCLE_CALLS = 3
"""Traced calls at most for the lines of cycles: one is enough where each call leaves them."""
SURVIVING_WINDOWS = 4
"""Windows of calls in a survivors pass: warm-up, two that count, and one that is traced."""


class Windows(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls the explaining passes run: warm-up, each window, and under a tracer."""

    warm: int
    window: int
    traced: int
    short: int
    long: int
    lines: int

    @property
    def tracing(self) -> int:
        """Calls of both allocations passes."""
        return 2 * self.warm + self.short + self.long


def windows_for(call_s: float, *, brief: bool = False, fitting: float = MOST) -> Windows:
    """Return windows that a call of that many seconds can afford.

    Windows are whole tens of calls, 200 where calls are cheap: growth in steps of 100 calls is then
    counted exactly. Brief ones are for a design that does not grow. So many calls as are `fitting`
    into the time left are in a window, ten at least.
    """
    budget_s, most = (BRIEF_S, LEAST) if brief else (WINDOW_S, MOST)
    affordable = int(min(budget_s / max(call_s, 1e-6), MOST, fitting))
    window = min(max(affordable // STEPS * STEPS, LEAST), most)
    short = max(window // 2, 5)
    return Windows(
        warm=min(max(affordable, LEAST), 100),
        window=window,
        traced=min(window + STEPS, 210),
        short=short,
        long=short + window,
        lines=window,
    )


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a survivors pass looks for.

    Groups below `least_per_call` bytes are left out, and untracked objects that nothing holds below
    `least_lost`. Lines and weights, the expensive part, are
    looked for only where something `grows`; who refers to the heaviest groups is drawn for so
    many of them as `drawings` says.
    """

    native_per_call: float = 0.0
    least_per_call: float = 0.0
    grows: bool = True
    drawings: int = 0
    least_lost: float = 0.0


def survivors_request(
    plan: PassPlan, windows: Windows, wanted: Wanted
) -> tuple[PassPlan, NextStep]:
    """Return the plan of a survivors pass and what decides its steps."""
    plan = msgspec.structs.replace(plan, kind="survivors", mode="settled")
    return plan, _script(_survivors_steps(windows, wanted))


def look(done: int, window: int, wanted: Wanted, *, exact: bool) -> NextStep:
    """Return what decides the steps of a look that ends a pass, after `done` calls of it.

    It runs three windows of calls, or two where nothing grows: the last is traced, and with
    `exact` run to its end although the lines are known before that.
    """
    return _script(_look_steps(done, window, window, wanted, exact=exact))


def _survivors_steps(windows: Windows, wanted: Wanted) -> Script:
    warm = max(windows.warm - 1, 1)
    yield Calls(to=warm)
    record = yield Survey(stage="cycles", options={"calls": 1})
    done, found = warm + 1, record.surveys.cycles
    if found is not None and found.cycles:
        record = yield Survey(stage="cycle_lines", options={"calls": CYCLE_CALLS})
        done = max(_ran(record), done)
    yield from _look_steps(done, windows.window, windows.traced, wanted)


def _ran(record: PassRecord) -> int:
    return max((answer.pass_calls for answer in record.surveys.answers()), default=0)


def _look_steps(
    done: int, window: int, traced: int, wanted: Wanted, *, exact: bool = False
) -> Script:
    yield Survey(stage="mark", options={"blocks": wanted.grows})
    yield Calls(to=done + window)
    yield Survey(stage="middle")
    yield Calls(to=done + 2 * window)
    yield Survey(stage="survivors", options=_least(wanted))
    if wanted.drawings:
        yield Survey(stage="drawings", options={"groups": wanted.drawings})
    if wanted.grows:
        record = yield Survey(stage="sites", options={"calls": traced})
        if exact and _ran(record) < done + 2 * window + traced:
            yield Calls(to=done + 2 * window + traced)
        yield Survey(stage="release", options={"native_each": wanted.native_per_call})


def _least(wanted: Wanted) -> dict[str, object]:
    return {"least_per_call": wanted.least_per_call, "least_lost": wanted.least_lost}


def allocations_request(
    plan: PassPlan, windows: Windows, calls: int, options: Mapping[str, object]
) -> tuple[PassPlan, NextStep]:
    """Return the plan of an allocations pass that traces `calls` calls after the warm-up.

    `options` are those of its two stages: {"start": {"tracer", "native"}, "stop": {…}}.
    """
    plan = msgspec.structs.replace(plan, kind="allocations", mode="settled")
    return plan, _script(_allocations_steps(windows.warm, calls, options))


def lines_request(
    plan: PassPlan, windows: Windows, *, of_malloc: bool = False, seconds: float = LINES_CPU_S
) -> tuple[PassPlan, NextStep]:
    """Return the plan of a pass that counts live bytes line by line, and what decides its steps.

    A call that runs many lines is expensive to follow: the pass ends after `seconds` of CPU time.
    Python's heap takes a hundred times as long to read as malloc's: `of_malloc` counts the
    latter alone.
    """
    plan = msgspec.structs.replace(plan, kind="allocations", mode="settled")
    return plan, _script(_lines_steps(windows.warm, windows.lines, of_malloc, seconds))


def _allocations_steps(warm: int, calls: int, options: Mapping[str, object]) -> Script:
    start, stop = options.get("start"), options.get("stop")
    yield Calls(to=warm)
    yield Survey(stage="start", options=dict(start) if isinstance(start, dict) else {})
    yield Calls(to=warm + calls)
    yield Survey(stage="stop", options=dict(stop) if isinstance(stop, dict) else {})


def _lines_steps(warm: int, calls: int, of_malloc: bool, seconds: float) -> Script:
    record = yield Calls(to=warm)
    tracer = "lines of malloc" if of_malloc else "lines"
    yield Survey(stage="start", options={"tracer": tracer, "native": False})
    before_s = record.cpu_s
    for call in range(1, calls + 1):
        record = yield Calls(to=warm + call)
        if record.cpu_s - before_s > seconds:
            break
    yield Survey(stage="stop")


def _script(steps: Script) -> NextStep:
    began = False

    def decide(record: PassRecord) -> Step:
        nonlocal began
        try:
            step = steps.send(record) if began else next(steps)
        except StopIteration:
            return Finish()
        began = True
        return step

    return decide
