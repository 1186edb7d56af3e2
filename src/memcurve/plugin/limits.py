"""Hold a verdict against the limits of one test."""

import msgspec

from memcurve.explain.known import not_covered
from memcurve.model.outcome import Crossing
from memcurve.model.verdict import Growing, Inconclusive, Verdict, name_of
from memcurve.plugin.settings import Limits

RESOURCES = ("fds", "threads", "tasks")


class Excess(msgspec.Struct, frozen=True, kw_only=True):
    """One limit that was crossed: `value` a call, where `limit` was allowed.

    `verdict` is that of the counter; it is None for deferred bytes, which need not grow.
    """

    name: str
    limit: float
    value: float
    verdict: Verdict | None = None


class Gated(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict and what it means for the test: limits crossed, and questions still open.

    `regressed` are the curves that left the band that was accepted for them.
    """

    verdict: Verdict
    crossed: tuple[Excess, ...] = ()
    unsettled: tuple[Inconclusive, ...] = ()
    regressed: tuple[Crossing, ...] = ()

    @property
    def outcome(self) -> str:
        """The verdict in a word, for properties and tables: worst first."""
        if self.crossed or self.regressed:
            return "over limit"
        return "inconclusive" if self.unsettled else name_of(self.verdict)


def gate(verdict: Verdict, limits: Limits) -> Gated:
    """Return the limits that a verdict crosses; `verdict` carries its details.

    Memory was judged with the limit as tolerance, so growing means: by more than the limit.
    """
    assert verdict.details is not None
    judgement = verdict.details.judgement
    allowed = {"retained": limits.retained} | {name: getattr(limits, name) for name in RESOURCES}
    crossed: list[Excess] = []
    unsettled: list[Inconclusive] = []
    for name, limit in allowed.items():
        found = judgement.verdicts.get(name)
        if limit is None or found is None:
            continue
        if isinstance(found, Growing) and found.low > limit:
            crossed.append(Excess(name=name, limit=limit, value=found.per_call, verdict=found))
        elif isinstance(found, Inconclusive):
            unsettled.append(found)
    waiting = judgement.deferred.bytes_per_call
    if limits.deferred is not None and waiting > limits.deferred:
        crossed.append(Excess(name="deferred", limit=limits.deferred, value=waiting))
    return Gated(verdict=verdict, crossed=tuple(crossed), unsettled=tuple(unsettled))


def without_known(gated: Gated) -> Gated:
    """Return what is left where known leaks account for the growth: garbage, other curves."""
    assert gated.verdict.details is not None
    if not gated.verdict.details.acknowledged:
        return gated
    crossed = tuple(one for one in gated.crossed if one.verdict is None)
    return msgspec.structs.replace(gated, crossed=crossed, regressed=not_covered(gated.regressed))
