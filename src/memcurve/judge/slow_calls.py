"""Where calls are few: as many as were asked for, or as fit into the time where calls are slow.

    up to a half of what is counted   → verify, so that a cache that fills has been seen once
    up to what is left for a look     → verify again; what rises is looked at in the calls left
    nothing rises                     → the calls left are counted too

A look explains what rises in the very process that counted it: see `measure.explaining_passes`.
"""

import msgspec

from memcurve.model.effort import Effort
from memcurve.model.recording import PassRecord
from memcurve.model.steps import Calls, Finish, Step, Verify
from memcurve.model.thresholds import Thresholds

SLOW_S = 0.02
"""Seconds of the clock from which a call is slow: what a look, with tracing, adds to a call of this
length is less than a second run of it. Measured: a traced call of langchain takes 10 ms more."""
RESERVE_SHARE, RESERVE_S = 0.15, 0.75
"""Of the time, kept for what comes after the calls: settling, the look, the explanation. Measured:
0.3 s for a heap of 100,000 objects, 1 s for one of 500,000; at least RESERVE_S, at most half."""
LOOK_SHARE = 8
"""One of so many calls is a window of a look; a look has three windows."""
MOST_LOOKED = 10
"""Calls in a window: growth of one call in ten is then in each."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls are run in all, and in each of the three windows of a look."""

    total: int
    window: int

    @property
    def counted(self) -> int:
        """Calls that are counted before a look."""
        return self.total - 3 * self.window


def plan_of_few(record: PassRecord, thresholds: Thresholds, effort: Effort) -> Plan | None:
    """Return the plan of a pass whose calls are few; None where time allows a first look."""
    call_s, done, used_s = seconds_a_call(record), record.calls, effort.used_s(record)
    wanted = effort.shown if effort.exact else thresholds.first_look
    natural = 0 if effort.exact else effort.shown
    fits = used_s + (wanted - done + natural) * call_s <= effort.seconds
    # what is asked for is kept, however quick the calls are; before the first, nobody knows that
    if effort.counted == "cpu" or fits or not call_s or (call_s < SLOW_S and not effort.strict):
        return _plan(wanted, thresholds, effort) if effort.exact else None
    reserve_s = min(max(RESERVE_SHARE * effort.seconds, RESERVE_S), effort.seconds / 2)
    left = int((effort.seconds - reserve_s - used_s) / call_s)
    total = min(max(done + left, effort.least, done), effort.most)
    return _plan(total, thresholds, effort)


def _plan(total: int, thresholds: Thresholds, effort: Effort) -> Plan:
    looks = effort.looks and total >= thresholds.few.least
    window = min(max(total // LOOK_SHARE, 1), MOST_LOOKED) if looks else 0
    return Plan(total=total, window=window)


def expected_s(call_s: float, thresholds: Thresholds, effort: Effort) -> float:
    """Return the seconds that the counting pass of such calls takes where nothing rises."""
    if effort.exact:
        return min(effort.shown * call_s, effort.seconds)
    wanted_s, least_s = thresholds.first_look * call_s, effort.least * call_s
    slow = call_s >= SLOW_S or effort.strict
    return min(wanted_s, max(effort.seconds, least_s)) if slow else wanted_s


def next_of_few(record: PassRecord, plan: Plan, *, flat: bool, rises: bool) -> Step:
    """Return the next step; `flat` and `rises` are what the curves show so far."""
    done, half = record.calls, max(plan.counted // 2, 1)
    if done == 0:
        return Calls(to=1)  # tells how long a call takes
    if done < half:
        return _towards(half, done)
    if not flat and not _verified_since(record, half):
        return Verify()
    if done < plan.counted:
        return _towards(plan.counted, done)
    if not flat and not _verified_since(record, done):
        return Verify()
    if done >= plan.total or (rises and plan.window and plan.total - done >= plan.window):
        return Finish()
    return _towards(plan.total, done)


def window_of(record: PassRecord, plan: Plan | None) -> int:
    """Return the calls in each window of a look that ends this pass: a third of those left."""
    if plan is None:  # time allowed all calls: a look takes a second or so more
        return max(min(int(1 / max(seconds_a_call(record), SLOW_S)), MOST_LOOKED), 1)
    return max((plan.total - record.calls) // 3, 1)


def is_slow(record: PassRecord) -> bool:
    """Say whether a look in the process that counted costs less than another run of it."""
    return seconds_a_call(record) >= SLOW_S


def seconds_a_call(record: PassRecord) -> float:
    """Return what a call takes by the clock, without the first, which imports and connects."""
    rows = record.samples.curve("wall_ns")
    if len(rows) < 2:
        return 0.0
    first = rows.tail(1) if rows.last_call > 1 else rows
    return first.rate(first.calls[0], first.last_call) / 1e9


def _towards(to: int, done: int) -> Calls:
    """Return half of the way: time is read again before the rest of it."""
    return Calls(to=min(to, done + max((to - done + 1) // 2, 1)))


def _verified_since(record: PassRecord, call: int) -> bool:
    return any(verification.call >= call for verification in record.verifications)
