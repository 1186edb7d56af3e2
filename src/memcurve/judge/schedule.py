"""Decide, after each step of a settled pass, what it must do next.

    fewer calls than the first look needs   → run on, in short stretches
    flat in memory and resources            → finish
    something rises                         → verify (and learn which bounded caches are filling)
    nothing more can be learnt              → finish
    rises, and a bound is not excluded yet  → run on

Nothing more can be learnt when calls, time or memory are spent; when what rises has risen up to the
call at which growth is convicted, and no cache is about to be full; or when a filling cache
explains the growth and will not be full within the calls that may be run.
"""

import math
from collections.abc import Callable

import msgspec

from memcurve.judge.filling import filling_bounds, full_at
from memcurve.judge.growth import Limits, Reading, read_curve
from memcurve.model.recording import PassRecord
from memcurve.model.steps import Calls, Finish, Step, Verify
from memcurve.model.thresholds import Thresholds

RESOURCES = ("fds", "threads", "tasks")
EARLY_MARKS = (5, 25, 50, 100, 150, 200)
STRETCH = 1.5
EVIDENT = 1024  # bytes a call


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What the gated curves of a pass show so far."""

    memory: Reading
    resources: dict[str, Reading]

    @property
    def readings(self) -> tuple[Reading, ...]:
        return (self.memory, *self.resources.values())


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How far a pass may go: `calls` are shown in any case, `enough` are run whatever the time."""

    calls: int
    enough: int
    out_of_time: Callable[[], bool]


def look(record: PassRecord, thresholds: Thresholds) -> Look:
    """Read the gated curves of a pass."""
    samples = record.samples
    curves = {name: samples.curve(name) for name in RESOURCES}
    return Look(
        memory=read_curve(samples.curve("live_bytes"), Limits.of_bytes(thresholds)),
        resources={
            name: read_curve(curve, Limits.of_resource(name, thresholds))
            for name, curve in curves.items()
            if len(curve)
        },
    )


def next_step(record: PassRecord, thresholds: Thresholds, budget: Budget) -> Step:
    """Return the next step of a settled pass."""
    done = record.calls
    spent = done >= budget.enough and budget.out_of_time()
    full = is_full(record, thresholds)
    first_look = max(thresholds.first_look, budget.calls)
    if done < first_look and not spent and not full:
        marks = (*EARLY_MARKS, first_look)
        return Calls(to=next(mark for mark in marks if mark > done))
    seen = look(record, thresholds)
    if _is_flat(seen):
        return Finish()
    if not _verified(record):
        return Verify()
    most = max(thresholds.most_calls, budget.calls)
    if spent or full or done >= most:
        return Finish()
    return _wait_for_bounds(record, seen, thresholds, most)


def nothing_rises(record: PassRecord, thresholds: Thresholds) -> bool:
    """Say whether memory and resources are flat so far."""
    return _is_flat(look(record, thresholds))


def something_grows(record: PassRecord, thresholds: Thresholds) -> bool:
    """Say whether memory has the shape of a leak so far, and a size that no warm-up has."""
    seen = look(record, thresholds).memory
    return seen.shape == "growing" and seen.trend is not None and seen.trend.low > EVIDENT


def looks_growing(record: PassRecord, thresholds: Thresholds) -> bool:
    """Say whether memory or a resource has the shape of a leak, of any size."""
    return any(one.shape == "growing" for one in look(record, thresholds).readings)


def rises_unproved(record: PassRecord, thresholds: Thresholds) -> bool:
    """Say whether memory or a resource surely rises, by a curve that proves no growth yet.

    Memory that is full is not filled further.
    """
    if is_full(record, thresholds):
        return False
    seen, done = look(record, thresholds), record.calls
    return _is_open(seen.memory, thresholds.tolerance, done, thresholds) or any(
        _is_open(reading, thresholds.resource_tolerance, done, thresholds)
        for reading in seen.resources.values()
    )


def _is_open(reading: Reading, tolerance: float, done: int, thresholds: Thresholds) -> bool:
    if reading.shape == "growing":
        return not reading.regular or done < thresholds.least_calls
    trend = reading.trend
    return reading.shape == "undecided" and trend is not None and trend.low > tolerance


def _is_flat(seen: Look) -> bool:
    return all(reading.shape == "flat" for reading in seen.readings)


def _wait_for_bounds(record: PassRecord, seen: Look, thresholds: Thresholds, most: int) -> Step:
    done, fills = record.calls, full_at(record)
    if fills is not None:
        shown = math.ceil((fills + thresholds.flat_tail / 2) * 1.5)  # a flat last third
        if done < min(shown, most) and fills < most:
            return Calls(to=min(max(shown, _next_look(done, thresholds, most)), most))
        trend = seen.memory.trend
        if trend is not None and filling_bounds(record, trend.per_call, thresholds) is not None:
            return Finish()
    if _convicted(seen, done, thresholds):
        return Finish()
    return Calls(to=_next_look(done, thresholds, most))


def _next_look(done: int, thresholds: Thresholds, most: int) -> int:
    if done < thresholds.enough:
        return thresholds.enough
    stretched = int(done * STRETCH)
    for mark in (thresholds.conviction, most):
        if done < mark:
            return mark if stretched > 0.8 * mark else stretched
    return most


def _verified(record: PassRecord) -> bool:
    return any(v.call == record.calls for v in record.verifications)


def _convicted(seen: Look, done: int, thresholds: Thresholds) -> bool:
    """Whether what rises has done so evenly up to the call that excludes a bound."""
    risen = [reading for reading in seen.readings if reading.shape != "flat"]
    even = all(reading.shape == "growing" and reading.regular for reading in risen)
    return done >= thresholds.conviction and even


def is_full(record: PassRecord, thresholds: Thresholds) -> bool:
    """Whether memory rose past what any cache may hold; sooner than that only far beyond it."""
    grown, done = grown_bytes(record), record.calls
    share = 1 if done >= thresholds.least_calls else 4
    return done >= EARLY_MARKS[1] and grown > share * thresholds.max_bytes


def grown_bytes(record: PassRecord) -> int:
    """Return by how much live memory rose since before the first call."""
    curve = record.samples.curve("live_bytes")
    return curve.values[-1] - curve.values[0] if len(curve) else 0
