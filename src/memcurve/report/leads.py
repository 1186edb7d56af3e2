"""Who wins: each design against the one that it should replace, figure by figure.

A design leads another when it is better in more figures than it is worse in; it wins a scenario
when it leads every other design. A difference that is none (`figures`) counts for nobody.
"""

from collections.abc import Mapping

import msgspec

from memcurve.report.figures import METRICS, Figures, Metric, Sign, sign

REFERENCE = "naive"


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of two designs."""

    metric: Metric
    value: float
    other: float
    sign: Sign

    @property
    def text(self) -> str:
        """Return "retained 0 B instead of 857 KiB a call", with the factor where there is one."""
        a_call = " a call" if self.metric.per_call else ""
        words = f"{self.metric.title} {self.metric.show(self.value)}"
        return f"{words} instead of {self.metric.show(self.other)}{a_call}"

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
        """Return "better in 5 of 6 figures, worse in 1" or "~"."""
        better, worse = len(self.having("better")), len(self.having("worse"))
        if not better and not worse:
            return "~ no difference"
        text = f"better in {better} of {len(self.gaps)} figures"
        return text + (f", worse in {worse}" if worse else "")


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
    """Hold every design against the reference: `naive`, or the first one."""
    if len(figures) < 2:
        return ()
    over = REFERENCE if REFERENCE in figures else next(iter(figures))
    return tuple(lead(name, over, figures) for name in figures if name != over)


def winner(figures: Mapping[str, Figures]) -> str | None:
    """Return the design that leads every other one; None if none does."""
    for name in figures:
        against = [lead(name, other, figures) for other in figures if other != name]
        if against and all(held.score > 0 for held in against):
            return name
    return None
