"""Where a curve that is flat now stopped rising, and by how much it rose."""

from statistics import median

import msgspec

from memcurve.judge.limits import Limits
from memcurve.model.curve import Curve


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """At which call a curve came to the range it stays in, and its rise till then."""

    at: int = 0
    size: float = 0.0


def where_it_stopped(curve: Curve, limits: Limits) -> Stop:
    """Return where a flat curve stopped; call 0 where it rose no more than a warm-up does.

    What counts is what is never given back, from the end of the warm-up on. It stopped where it had
    98 % of its rise.
    """
    rule = limits.thresholds.stand
    kept = curve.kept()
    final = float(median(kept.tail(round(kept.last_call * 2 / 3)).values))
    base = kept.at(min(rule.warm_up_calls, kept.last_call))
    if final - base <= limits.warm_up:
        return Stop()
    level = base + rule.reached * (final - base)
    at = next(call for call, value in kept if value >= level and call >= rule.warm_up_calls)
    return Stop(at=at, size=final - curve.values[0])
