"""Compare a verdict with the limits of one test."""

from collections.abc import Iterator

import msgspec

from memcurve.explain.known import not_covered
from memcurve.model.debt import Heavy
from memcurve.model.outcome import Crossing
from memcurve.model.recording import RESOURCES
from memcurve.model.traffic import Traffic
from memcurve.model.verdict import Checked, Flat, Inconclusive, Rise, Verdict, name_of
from memcurve.plugin.settings import Limits

PARTS = ("mapped", "children")


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that was crossed: `value` a call, where `limit` was allowed.

    `verdict` is that of the counter; it is None for deferred bytes and for what a tracer saw of
    single calls, which need not grow, and for garbage, whose `value` is what stands at once.
    """

    name: str
    limit: float
    value: float
    verdict: Verdict | None = None


class Gated(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found and what it means for the test: limits crossed, and questions still open.

    `regressed` are the curves that left the band that was accepted for them.
    """

    checked: Checked
    crossed: tuple[Excess, ...] = ()
    unsettled: tuple[Inconclusive, ...] = ()
    regressed: tuple[Crossing, ...] = ()

    @property
    def outcome(self) -> str:
        """The verdict in a word, for properties and tables: worst first."""
        if self.crossed or self.regressed:
            return "over limit"
        return "inconclusive" if self.unsettled else name_of(self.checked.verdict)


def gate(checked: Checked, limits: Limits, traffic: Traffic | None = None) -> Gated:
    """Return the limits that a check crosses.

    Memory was judged with the limit as tolerance: what grows or rises does so by more than that.
    """
    judgement = checked.judgement
    allowed = {"retained": limits.retained} | {name: getattr(limits, name) for name in RESOURCES}
    allowed |= {name: getattr(limits, name) for name in PARTS}
    crossed: list[Excess] = []
    unsettled: list[Inconclusive] = []
    for name, limit in allowed.items():
        found = judgement.verdicts.get(name)
        if limit is None or found is None:
            continue
        if isinstance(found, Rise) and found.low > limit:
            crossed.append(Excess(name=name, limit=limit, value=found.per_call, verdict=found))
        elif name in PARTS and isinstance(found, Flat) and _still_rises(found, limit):
            # it lies within what is allowed to memory as a whole, by which it was judged
            value = found.evidence.per_call
            crossed.append(Excess(name=name, limit=limit, value=value, verdict=found))
        elif isinstance(found, Inconclusive):
            unsettled.append(found)
    waiting = judgement.deferred.bytes_per_call
    if limits.deferred is not None and waiting > limits.deferred:
        crossed.append(Excess(name="deferred", limit=limits.deferred, value=waiting))
    if isinstance(judgement.debt, Heavy):
        crossed.append(
            Excess(name="garbage", limit=judgement.debt.limit, value=judgement.debt.bytes)
        )
    crossed += _traced(limits, traffic)
    return Gated(checked=checked, crossed=tuple(crossed), unsettled=tuple(unsettled))


def _traced(limits: Limits, traffic: Traffic | None) -> Iterator[Excess]:
    if traffic is None:
        return
    seen = {"allocated": traffic.allocated_bytes, "peak": traffic.peak_bytes}
    for name, value in seen.items():
        limit = getattr(limits, name)
        if limit is not None and value > limit:
            yield Excess(name=name, limit=limit, value=value)


def _still_rises(verdict: Flat, limit: float) -> bool:
    """Whether what is flat within a wide tolerance surely rises by more than the limit."""
    return verdict.evidence.low > max(limit, verdict.thresholds.stand.rises_bytes)


def without_known(gated: Gated) -> Gated:
    """Return what is left where known leaks account for the growth: garbage, other curves."""
    if not gated.checked.acknowledged:
        return gated
    crossed = tuple(one for one in gated.crossed if one.verdict is None)
    return msgspec.structs.replace(gated, crossed=crossed, regressed=not_covered(gated.regressed))
