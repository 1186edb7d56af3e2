"""Say in which figures two revisions differ, both measured in one run.

A counter differs when the two curves are apart by more than one observed blip (the floors of
`bands`) at every one of the last marks, and a rate of growth when the intervals of both slopes do
not meet and are further apart than the tolerance. CPU time differs by a third or more of the
smaller, and by half a millisecond a call. Anything else is no difference: "~".
"""

import msgspec

from memcurve.compare.bands import FLOORS, OUT_FOR
from memcurve.compare.marks import gated_curves
from memcurve.compare.usage import spent
from memcurve.model.outcome import Outcome
from memcurve.model.recording import Recording
from memcurve.model.verdict import Evidence

CPU_SHARE = 1 / 3
CPU_LEAST_NS = 500_000


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
        if pairs and (
            all(_over(name, a, b) for a, b in pairs) or all(_over(name, b, a) for a, b in pairs)
        ):
            found.append(Difference(counter=name, before=pairs[-1][0], after=pairs[-1][1]))
    return found


def _over(counter: str, one: float, other: float) -> bool:
    blip, share = FLOORS[counter]
    return other - one > max(blip, share * abs(one))


def _cpu(before: Recording, after: Recording) -> Difference | None:
    then, now = spent(before, "cpu_ns"), spent(after, "cpu_ns")
    if then is None or now is None:
        return None
    then, now = then / max(before.calls, 1), now / max(after.calls, 1)
    if abs(now - then) <= max(CPU_SHARE * min(then, now), CPU_LEAST_NS):
        return None
    return Difference(counter="cpu_ns", before=then, after=now, per_call=True)
