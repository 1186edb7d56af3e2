"""How far a measurement goes: built once at each door, asked in one place (`judge.schedule`)."""

from typing import Literal

import msgspec

from memcurve.model.recording import PassRecord
from memcurve.model.thresholds import Thresholds

DEFAULT_SECONDS = 10.0
"""Time for deciding about one callable: what a person waits for without leaving the terminal."""
WAITING = 8
"""A call that waits counts as this much cheaper than one that works: two runs side by side share
a processor, but each waits for itself."""


class Effort(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls the settled pass runs, and how long it may look for an answer.

    The first `shown` calls are what curves show and accepted ones are compared with: they are run
    in any case. `throughout` calls are run whatever is seen, `least` whatever time they take. An
    open question is given up after `seconds` or after `most` calls.
    """

    shown: int = 100
    throughout: int = 0
    least: int = 300
    most: int = 2000
    seconds: float = DEFAULT_SECONDS
    counted: Literal["clock", "work", "cpu"] = "clock"
    """What `seconds` are counted in: the clock; "work", the CPU time of calls and sampling, in
    which an eighth of what calls wait counts too; or "cpu", the CPU time of the calls alone. By
    work and by CPU time a busy machine decides as a calm one does."""
    marks: tuple[int, ...] = ()
    """Calls at which every run has a row, so that curves of two runs share them."""
    look_on_s: float = 0.0
    """Where nothing rises yet and the calls took less: run on to where growth would be proved."""
    followed_to: int = 0
    """What surely rises, but is not proved to grow, is followed up to this call in any case."""
    until_grown: bool = False
    """The calls shown are enough where something evidently grows by then."""
    judged: bool = True
    """False: only curves are wanted, no repeat in another mode, no proof of what does not grow."""

    @property
    def bound(self) -> int:
        """The number of calls that is never passed."""
        return max(self.most, self.shown, self.throughout, self.followed_to)

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
    calls: int,
    budget_s: float | None,
    thresholds: Thresholds,
    *,
    counted: Literal["clock", "work"] = "clock",
) -> Effort:
    """Return the effort for one callable; without a budget it is ten seconds, or longer where
    the calls that an answer needs take longer.
    """
    return Effort(
        shown=calls,
        least=max(thresholds.enough if budget_s is None else 0, calls),
        most=max(thresholds.most_calls, calls),
        seconds=DEFAULT_SECONDS if budget_s is None else budget_s,
        counted=counted,
    )


def work_s(record: PassRecord) -> float:
    """Return what a pass has worked: CPU seconds, or an eighth of the clock where calls wait."""
    return max(record.cpu_s + record.sampling_s, record.wall_s / WAITING)
