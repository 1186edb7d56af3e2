"""Who wins: each design against the one that it should replace, figure by figure.

A design leads another when it is better in more figures than it is worse in; it wins a scenario
when it leads every other design that is proved flat. "~" (`figures`) counts for nobody.
"""

import math
from collections.abc import Collection, Mapping

import msgspec

from memcurve.model.units import format_count
from memcurve.report.figures import METRICS, Figures, Metric, Sign, sign

REFERENCE = "naive"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of two designs."""

    metric: Metric
    value: float
    other: float
    sign: Sign

    @property
    def short(self) -> str:
        """Return "5.6x less", the difference where one of them is nothing, or "~"."""
        if self.sign == "~":
            return "~"
        more = "more" if self.sign == "worse" else "less"
        if self.factor is None:
            return f"{self.metric.show(abs(self.other - self.value))} {more}"
        return f"{format_count(max(self.factor, 1 / self.factor))}x {more}"

    @property
    def brief(self) -> str:
        """Return "CPU 5.6x less"."""
        a_call = " a call" if self.metric.per_call and self.factor is None else ""
        return f"{self.metric.title} {self.short}{a_call}"

    @property
    def factor(self) -> float | None:
        """How many times less it is; None where a ratio says nothing."""
        if self.value <= 0 or self.other <= 0:
            return None
        return self.other / self.value


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """One design held against another."""

    design: str
    over: str
    gaps: tuple[Gap, ...]

    def having(self, wanted: Sign) -> tuple[Gap, ...]:
        """Return the figures of that sign."""
        return tuple(gap for gap in self.gaps if gap.sign == wanted)

    @property
    def score(self) -> int:
        """Figures in which it is better less those in which it is worse."""
        return len(self.having("better")) - len(self.having("worse"))

    @property
    def summary(self) -> str:
        """Return "better in 4 and worse in 1 of 6 figures" or "no difference"."""
        better, worse = len(self.having("better")), len(self.having("worse"))
        if not better and not worse:
            return "no difference"
        counts = [f"{word} in {n}" for word, n in (("better", better), ("worse", worse)) if n]
        return f"{' and '.join(counts)} of {len(self.gaps)} figures"

    @property
    def brief(self) -> str:
        """Return the differences as factors, the worse ones last, "~" for those without."""
        differ = [gap.brief for gap in (*self.having("better"), *self.having("worse"))]
        same = [gap.metric.title for gap in self.having("~")]
        parts = [", ".join(differ)] if differ else []
        return "; ".join([*parts, f"~ {', '.join(same)}"] if same else parts)

    def advantage(self, most: int) -> str:
        """Return the widest of the better figures, what is nothing here first; "" without any."""
        better = sorted(self.having("better"), key=lambda gap: -(gap.factor or math.inf))
        return ", ".join(gap.brief for gap in better[:most])


def lead(design: str, over: str, figures: Mapping[str, Figures]) -> Lead:
    """Hold one design against another."""
    gaps = []
    for metric in METRICS:
        value, other = figures[design].get(metric), figures[over].get(metric)
        found = sign(metric, value, other)
        if found is not None and value is not None and other is not None:
            gaps.append(Gap(metric=metric, value=value, other=other, sign=found))
    return Lead(design=design, over=over, gaps=tuple(gaps))


def leads(figures: Mapping[str, Figures]) -> tuple[Lead, ...]:
    """Hold every design that was measured against the reference: `naive`, or the first one."""
    if len(figures) < 2:
        return ()
    over = REFERENCE if REFERENCE in figures else next(iter(figures))
    held = (lead(name, over, figures) for name in figures if name != over)
    return tuple(found for found in held if found.gaps)


def winner(figures: Mapping[str, Figures], unproved: Collection[str] = ()) -> str | None:
    """Return the design that leads every other one; None if none does.

    What grows, or is not proved flat, cannot win while another design is.
    """
    measured = {name: found for name, found in figures.items() if found != Figures()}
    fit = [name for name in measured if name not in unproved] or list(measured)
    for name in fit:
        against = [lead(name, other, figures) for other in measured if other != name]
        if against and all(held.score > 0 or held.over not in fit for held in against):
            return name
    return None
