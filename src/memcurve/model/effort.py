"""How far a measurement goes: built once at each door, asked in one place (`judge.schedule`)."""

import math
from typing import Literal

import msgspec

from memcurve.model.recording import PassRecord
from memcurve.model.thresholds import Thresholds

DEFAULT_SECONDS = 10.0
"""Time for deciding about one callable: what a person waits for without leaving the terminal."""
LOOK_ON_S = 0.2
"""Where nothing rises and all that was run so far worked for less, more calls are run: what doubles
shows its steps late. Measured: 250 calls of a small function work for 0.05 s, counting included."""
WAITING = 16
"""A call that works for less than one part in so many of the clock waits for something, and what
else runs here makes it no longer. Chosen: on two processors, as with thirty programs beside it."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls the settled pass runs, and how long it may look for an answer.

    The first `shown` calls are what curves show and accepted ones are compared with: they are run
    in any case. `throughout` calls are run whatever is seen, `least` whatever time they take. An
    open question is given up after `seconds` or after `most` calls.
    """

    shown: int = 100
    exact: bool = False
    """The calls shown are all calls that are run, of whatever pass."""
    looks: bool = False
    """Calls that are few, or slow, are explained in the process that counted them."""
    throughout: int = 0
    least: int = 300
    most: int = 2000
    seconds: float = DEFAULT_SECONDS
    strict: bool = False
    """`seconds` are for all there is to do, by the clock: natural pass and explanation included."""
    counted: Literal["clock", "work", "cpu"] = "clock"
    """What `seconds` are counted in: the clock; "work", the CPU time of calls and sampling, or the
    clock where calls wait; or "cpu", the CPU time of the calls alone. By work and by CPU time a
    busy machine decides as a calm one does."""
    marks: tuple[int, ...] = ()
    """Calls at which every run has a row, so that curves of two runs share them."""
    excludes_to: int = 0
    """Past `most`, an undeclared bound is looked for up to this call, for `excluding_s` of work."""
    excluding_s: float = 0.0
    look_on_s: float = 0.0
    """Where nothing rises yet and less was worked: run on to where growth would be proved."""
    followed_to: int = 0
    """What surely rises, but is not proved to grow, is followed up to this call in any case."""
    open_to: int = 0
    """What shows neither growth nor none is run on up to this call, whatever the time."""
    until_grown: bool = False
    """The calls shown are enough where something evidently grows by then; nothing else that rises
    is followed."""
    judged: bool = True
    """False: only curves are wanted, no repeat in another mode, no proof of what does not grow."""

    @property
    def bound(self) -> int:
        """The number of calls that is never passed."""
        return max(self.most, self.excludes_to, self.shown, self.throughout, self.followed_to)

    def most_now(self, record: PassRecord) -> int:
        """Return the most calls that an open question is worth, after what a pass has worked.

        By work: a busy machine must not make a leak of a cache. `open_s` ends it by the clock.
        """
        excludes = work_s(record) < self.excluding_s
        return max(self.most, self.excludes_to) if excludes else self.most

    def is_cheap(self, record: PassRecord) -> bool:
        """Say whether a pass worked for so little that more calls of it cost next to nothing."""
        worked_s = record.cpu_s if self.counted == "cpu" else work_s(record)
        return worked_s < self.look_on_s

    @property
    def open_s(self) -> float:
        """Seconds after which an open question is given up: its explanation must have its time."""
        return self.seconds / 2 if self.strict else self.seconds

    def left_s(self, elapsed_s: float) -> float:
        """Return the seconds left after so many of the clock; endless where none were asked for."""
        return max(self.seconds - elapsed_s, 0.0) if self.strict else math.inf

    def used_s(self, record: PassRecord) -> float:
        """Return the seconds that a pass has used so far, counted as `counted` says."""
        match self.counted:
            case "clock":
                return record.elapsed_s
            case "work":
                return work_s(record)
            case "cpu":
                return record.cpu_s


def effort_for(
    calls: int | None,
    budget_s: float | None,
    thresholds: Thresholds,
    *,
    counted: Literal["clock", "work"] = "clock",
    looks: bool = False,
) -> Effort:
    """Return the effort for one callable.

    So many `calls` and no other, where they are given; else as many as `budget_s` allows, the
    explanation included. Without a budget calls have ten seconds, or longer where the twelve calls
    that an answer needs take longer, and explaining has its own time.
    """
    seconds = DEFAULT_SECONDS if budget_s is None else budget_s
    if calls is not None:
        return Effort(
            shown=calls,
            exact=True,
            looks=looks,
            throughout=calls if budget_s is None else 0,
            least=calls if budget_s is None else 1,
            most=calls,
            seconds=math.inf if budget_s is None else budget_s,
            strict=budget_s is not None and counted == "clock",
            counted=counted,
        )
    return Effort(
        looks=looks,
        least=thresholds.few.least if budget_s is None else 1,
        most=thresholds.most_calls,
        excludes_to=thresholds.undeclared,
        excluding_s=seconds * thresholds.undeclared_share,
        look_on_s=LOOK_ON_S,
        seconds=seconds,
        strict=budget_s is not None and counted == "clock",
        counted=counted,
    )


def work_s(record: PassRecord) -> float:
    """Return what a pass has worked: CPU seconds, or the clock where calls wait."""
    worked_s = record.cpu_s + record.sampling_s
    return record.wall_s if worked_s * WAITING < record.wall_s else worked_s


def call_work_s(record: PassRecord) -> float:
    """Return what a call of a pass works, counting left out: seconds as `work_s` takes them."""
    if not record.calls:
        return math.inf
    waits = record.cpu_s * WAITING < record.wall_s
    return max(record.wall_s if waits else record.cpu_s, 0.0) / record.calls
