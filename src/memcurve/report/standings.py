"""The words for how one design stands to another: "CPU 5.6x less", "better in 4 of 6 figures"."""

import math

from memcurve.compare.metrics import Metric
from memcurve.compare.ranking import Gap, Standing
from memcurve.model.units import format_bytes, format_count, format_duration

MOST_BESIDE = 3
"""Advantages that fit beside a design's sentence."""


def metric_amount(metric: Metric, value: float) -> str:
    """Print a value of a metric with its unit."""
    match metric.unit:
        case "bytes":
            return format_bytes(value)
        case "count":
            return format_count(value)
        case "seconds":
            return format_duration(value)


def gap_short(gap: Gap) -> str:
    """Return "5.6x less", the difference where one of them is nothing, or "~"."""
    if gap.sign == "~":
        return "~"
    more = "more" if gap.sign == "worse" else "less"
    if gap.factor is None:
        return f"{metric_amount(gap.metric, abs(gap.other - gap.value))} {more}"
    return f"{format_count(max(gap.factor, 1 / gap.factor))}x {more}"


def gap_brief(gap: Gap) -> str:
    """Return "CPU 5.6x less"."""
    a_call = " a call" if gap.metric.per_call and gap.factor is None else ""
    return f"{gap.metric.title} {gap_short(gap)}{a_call}"


def standing_summary(standing: Standing) -> str:
    """Return "better in 4 and worse in 1 of 6 figures" or "no difference"."""
    better, worse = len(standing.having("better")), len(standing.having("worse"))
    if not better and not worse:
        return "no difference"
    counts = [f"{word} in {n}" for word, n in (("better", better), ("worse", worse)) if n]
    return f"{' and '.join(counts)} of {len(standing.gaps)} figures"


def standing_brief(standing: Standing) -> str:
    """Return the differences as factors, the worse ones last, "~" for those without."""
    differ = [*standing.having("better"), *standing.having("worse")]
    same = [gap.metric.title for gap in standing.having("~")]
    parts = [", ".join(map(gap_brief, differ))] if differ else []
    return "; ".join([*parts, f"~ {', '.join(same)}"] if same else parts)


def advantage(standing: Standing | None, most: int = MOST_BESIDE) -> str:
    """Return the widest of the better metrics, what is nothing here first, and over whom.

    "" without any.
    """
    if standing is None:
        return ""
    better = sorted(standing.having("better"), key=lambda gap: -(gap.factor or math.inf))
    told = ", ".join(map(gap_brief, better[:most]))
    return f"against {standing.over}: {told}" if told else ""
