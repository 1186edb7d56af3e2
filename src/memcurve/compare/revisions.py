"""Say in which figures two revisions differ, both measured in one run.

A counter differs when the two curves are apart by more than one observed blip (`bands.BLIPS`) at
every one of the last marks, and a rate of growth when the intervals of both slopes do not meet and
are further apart than the tolerance of the verdict. CPU time differs by more than
`difference.CPU`. Anything else is no difference: "~".
"""

import msgspec

from memcurve.compare.bands import BLIPS, OUT_FOR
from memcurve.compare.difference import CPU, Sign, Tolerance, sign
from memcurve.compare.marks import gated_curves
from memcurve.compare.usage import used
from memcurve.model.outcome import Outcome
from memcurve.model.recording import Recording
from memcurve.model.verdict import Evidence


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One figure before and after, in the unit of its counter; `per_call`: it is a rate."""

    counter: str
    before: float
    after: float
    per_call: bool = False

    @property
    def worse(self) -> bool:
        """Whether there is more of it: for every counter less is better."""
        return self.after > self.before


class RevisionsOfDesign(msgspec.Struct, frozen=True, kw_only=True):
    """How one design differs between two revisions; a failure means that one was not measured.

    `is_new`: the other revision does not have it, so there is nothing to differ from.
    """

    scenario: str
    design: str
    differences: tuple[Difference, ...] = ()
    failure: str | None = None
    is_new: bool = False

    @property
    def worse(self) -> bool:
        """Whether any figure is worse."""
        return any(one.worse for one in self.differences)


def differences(before: Outcome, after: Outcome) -> list[Difference]:
    """Return what differs between two outcomes of one design; empty where nothing does."""
    rate = _rate(before, after)
    found = [*([rate] if rate is not None else []), *_curves(before.recording, after.recording)]
    cpu = _cpu(before.recording, after.recording)
    return [*found, *([cpu] if cpu is not None else [])]


def _rate(before: Outcome, after: Outcome) -> Difference | None:
    if before.judgement is None or after.judgement is None:
        return None
    then, now = before.judgement.retained.evidence, after.judgement.retained.evidence
    apart = max(_below(then, now), _below(now, then))
    if apart <= before.judgement.retained.thresholds.tolerance:
        return None
    return Difference(counter="live_bytes", before=then.per_call, after=now.per_call, per_call=True)


def _below(one: Evidence, other: Evidence) -> float:
    return other.low - one.high


def _curves(before: Recording, after: Recording) -> list[Difference]:
    then, now = before.first_settled, after.first_settled
    if then is None or now is None:
        return []
    calls = min(before.calls, after.calls)
    old, new = gated_curves(then, calls), gated_curves(now, calls)
    found = []
    for name in (name for name in new if name in old):
        shared = sorted({*old[name].calls} & {*new[name].calls})[-OUT_FOR:]
        pairs = [(old[name].at(call), new[name].at(call)) for call in shared]
        if {_sign(BLIPS[name], value, was) for was, value in pairs} in ({"better"}, {"worse"}):
            was, value = pairs[-1]
            found.append(Difference(counter=name, before=was, after=value))
    return found


def _sign(tolerance: Tolerance, value: float, other: float) -> Sign:
    return sign(value, other, tolerance.at(min(value, other)))


def _cpu(before: Recording, after: Recording) -> Difference | None:
    then, now = used(before, "cpu_ns"), used(after, "cpu_ns")
    if then is None or now is None:
        return None
    then, now = then / max(before.calls, 1), now / max(after.calls, 1)
    if _sign(CPU, now, then) == "~":
        return None
    return Difference(counter="cpu_ns", before=then, after=now, per_call=True)
