"""Decide, after each step of a settled pass, what it must do next.

    calls are few, or slow               → see `slow_calls`
    fewer calls than are run whatever is seen   → run on, to the next mark
    flat in memory and resources                → finish, or look on while calls cost nothing
    something rises                             → verify (and learn which bounded caches fill)
    that gave back what rose                    → finish: it is measured again in another mode
    nothing more can be learnt                  → finish, or follow what is not proved
    rises, and a bound is not excluded yet      → run on

Nothing more can be learnt when calls, time or memory are spent; when what rises has risen up to the
call at which growth is convicted, and no cache is about to be full; when what stands still would
have doubled again; or when a filling cache explains the growth and will not be full within the
calls that may be run. While a third of the time lasts, growth is convicted at `undeclared` calls;
then at `conviction`.
"""

import math
from functools import cached_property

from memcurve.judge.filling import filling_bounds, full_at
from memcurve.judge.given_back import with_honest_floor
from memcurve.judge.growth import Limits, Reading, read_curve
from memcurve.judge.parts import read_memory
from memcurve.judge.slow_calls import next_of_few, plan_of_few
from memcurve.model.effort import Effort
from memcurve.model.recording import RESOURCES, Mode, PassRecord
from memcurve.model.steps import Calls, Finish, Step, Verify
from memcurve.model.thresholds import Thresholds

EARLY_MARKS = (1, 5, 25, 50, 100, 150, 200)
STRETCH = 1.5
EVIDENT = 1024  # bytes a call
MUCH = 1024  # bytes that a verification gave back: below it is what any collection frees


class Shapes:
    """What the gated curves of a pass show so far; read at the first question, once."""

    def __init__(self, record: PassRecord, thresholds: Thresholds) -> None:
        self._record, self._thresholds = record, thresholds

    @cached_property
    def memory(self) -> Reading:
        return read_memory(self._record.samples, self._thresholds).reading

    @cached_property
    def resources(self) -> dict[str, Reading]:
        curves = {name: self._record.samples.curve(name) for name in RESOURCES}
        return {
            name: read_curve(curve, Limits.of_resource(name, self._thresholds))
            for name, curve in curves.items()
            if len(curve)
        }

    @property
    def readings(self) -> tuple[Reading, ...]:
        return (self.memory, *self.resources.values())

    @property
    def calm_from(self) -> int:
        """The call from which all is calm, where all that is open is whether something doubles."""
        open_ones = [reading for reading in self.readings if reading.shape != "flat"]
        calm = [reading.calm_from for reading in open_ones]
        return max(calm, default=0) if all(calm) else 0

    @property
    def a_resource_rises(self) -> bool:
        """Whether descriptors, threads or tasks are not flat: thousands would end the process."""
        return any(reading.shape != "flat" for reading in self.resources.values())

    @property
    def is_flat(self) -> bool:
        """Whether neither memory nor a resource rises."""
        return all(reading.shape == "flat" for reading in self.readings)

    @property
    def is_undecided(self) -> bool:
        """Whether memory or a resource shows neither growth nor none."""
        return any(reading.shape == "undecided" for reading in self.readings)

    @property
    def grows(self) -> bool:
        """Whether memory or a resource has the shape of a leak, of any size."""
        return any(reading.shape == "growing" for reading in self.readings)

    @property
    def rises_unbounded(self) -> bool:
        """Whether something has the shape of a leak, and no cache that fills explains it."""
        if any(reading.shape == "growing" for reading in self.resources.values()):
            return True
        trend = self.memory.trend
        if self.memory.shape != "growing" or trend is None:
            return False
        return filling_bounds(self._record, trend.per_call, self._thresholds) is None

    @property
    def evidently_grows(self) -> bool:
        """Whether memory has the shape of a leak, and a size that no warm-up has."""
        trend = self.memory.trend
        return self.memory.shape == "growing" and trend is not None and trend.low > EVIDENT

    @property
    def rises_unproved(self) -> bool:
        """Whether memory or a resource surely rises, by a curve that proves no growth yet."""
        tolerance = self._thresholds.resource_tolerance
        return self._is_open(self.memory, self._thresholds.tolerance) or any(
            self._is_open(reading, tolerance) for reading in self.resources.values()
        )

    def _is_open(self, reading: Reading, tolerance: float) -> bool:
        if reading.shape == "growing":
            return not reading.regular or self._record.calls < self._thresholds.least_calls
        trend = reading.trend
        return reading.shape == "undecided" and trend is not None and trend.low > tolerance

    @property
    def is_convicted(self) -> bool:
        """Whether what rises has done so evenly up to the call that excludes a bound."""
        risen = [reading for reading in self.readings if reading.shape != "flat"]
        even = all(reading.shape == "growing" and reading.regular for reading in risen)
        return even and self._record.calls >= self._thresholds.conviction


def next_step(record: PassRecord, thresholds: Thresholds, effort: Effort) -> Step:
    """Return the next step of a settled pass. Costs some milliseconds where curves are read."""
    done, shapes = record.calls, Shapes(record, thresholds)
    few = plan_of_few(record, thresholds, effort)
    if few is not None:
        return next_of_few(record, few, flat=shapes.is_flat, rises=shapes.rises_unbounded)
    full = is_full(record, thresholds)
    least, throughout = effort.least, effort.throughout
    if effort.until_grown and done >= effort.shown and shapes.evidently_grows:
        least = throughout = effort.shown
    first_look = max(thresholds.first_look, effort.shown)
    spent = done >= least and effort.used_s(record) >= effort.open_s
    if not full and (done < throughout or (done < first_look and not spent)):
        if done >= first_look and not shapes.is_flat and not is_verified(record):
            return Verify()
        marks: tuple[int, ...] = (*EARLY_MARKS, first_look)
        if done < throughout:
            marks = (*effort.marks, thresholds.first_look, throughout)
        return Calls(to=min(mark for mark in marks if mark > done))
    if shapes.is_flat:
        return _run_on(done, thresholds.conviction if effort.is_cheap(record) else 0)
    if shapes.is_undecided and done < effort.open_to and not full:
        return _run_on(done, effort.open_to)
    if not is_verified(record):
        return Verify() if effort.judged or shapes.grows else Finish()
    if _is_void(record, thresholds) and effort.judged:
        return Finish()
    step: Step = Finish()
    most = effort.most if shapes.a_resource_rises else effort.most_now(record)
    if not (spent or full or done >= most):
        step = _wait_for_bounds(record, shapes, thresholds, effort.most, most)
    worth = shapes.evidently_grows if effort.until_grown else shapes.rises_unproved
    if isinstance(step, Finish) and not full and worth:
        return _run_on(done, effort.followed_to)
    return step


def _run_on(done: int, last: int) -> Step:
    return Calls(to=min(done * 2, last)) if done < last else Finish()


def _wait_for_bounds(
    record: PassRecord, shapes: Shapes, thresholds: Thresholds, usual: int, most: int
) -> Step:
    """Wait for what declares a bound up to `usual` calls, for what declares none up to `most`."""
    done, fills = record.calls, full_at(record)
    if shapes.calm_from:
        if not done < shapes.calm_from <= most:
            return Finish()
        return Calls(to=min(shapes.calm_from, _next_look(done, thresholds, most)))
    if fills is not None:
        shown = math.ceil((fills + thresholds.flat_tail / 2) * 1.5)  # a flat last third
        if done < min(shown, usual) and fills < usual:
            return Calls(to=min(max(shown, _next_look(done, thresholds, usual)), usual))
        trend = shapes.memory.trend
        if trend is not None and filling_bounds(record, trend.per_call, thresholds) is not None:
            return Finish()
    convicted = shapes.is_convicted and most <= usual
    return Finish() if convicted else Calls(to=_next_look(done, thresholds, most))


def _next_look(done: int, thresholds: Thresholds, most: int) -> int:
    if done < thresholds.enough:
        return thresholds.enough
    stretched = int(done * STRETCH)
    for mark in (thresholds.conviction, most):
        if done < mark:
            return mark if stretched > 0.8 * mark else stretched
    return most


def is_verified(record: PassRecord) -> bool:
    """Say whether what was frozen was given back to the collector at the last call."""
    return any(verification.call == record.calls for verification in record.verifications)


def _is_void(record: PassRecord, thresholds: Thresholds) -> bool:
    """Say whether a pass will be repeated in another mode: more calls of it tell nothing."""
    return record.mode == "settled" and rerun_mode(record, thresholds) is not None


def is_full(record: PassRecord, thresholds: Thresholds) -> bool:
    """Say whether memory rose past what any cache may hold; sooner only if far beyond it."""
    share = 1 if record.calls >= EARLY_MARKS[4] else 4
    return record.calls >= EARLY_MARKS[2] and record.grown_bytes > share * thresholds.max_bytes


def rerun_mode(record: PassRecord, thresholds: Thresholds) -> Mode | None:
    """Return the mode in which to repeat a pass whose growth a verification took back.

    None where the pass ended flat, for what was frozen or in flight made that no smaller; unless
    what was given back hides more than any floor may say, in every tail that is flat.
    """
    curve = record.samples.curve("live_bytes")
    if not record.verifications or not len(curve):
        return None
    shapes = Shapes(record, thresholds)
    if shapes.is_flat:
        part = read_memory(record.samples, thresholds)
        most = max(thresholds.floor_limit, part.reading.floor)
        return "unfrozen" if with_honest_floor(part, record).floor > most else None
    grown = max(curve.values[-1] - curve.tail(1).values[0], 1)
    freed = max(v.released_bytes for v in record.verifications)
    waited = max(v.waited_bytes for v in record.verifications)
    if waited > thresholds.released * grown and waited > MUCH:
        return "patient"
    return "unfrozen" if freed > thresholds.released * grown and freed > MUCH else None
