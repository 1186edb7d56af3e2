"""Who leads: each design against the one that it should replace, and which speak for a run.

A design leads another when it is better in more metrics than it is worse in; "~" counts for
neither. It wins a scenario when it leads every other design that may win: what grows or was not
measured may not, and what is not proved may only where no design is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from memcurve.compare.difference import Sign
from memcurve.compare.metrics import METRICS, Metric, Metrics, metric_sign
from memcurve.model.outcome import STATES, Outcome, State

REFERENCE = "naive"
PROVED: tuple[State, ...] = ("flat", "plateaued")


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of two designs."""

    metric: Metric
    value: float
    other: float
    sign: Sign

    @property
    def factor(self) -> float | None:
        """How many times less it is; None where a ratio says nothing."""
        if self.value <= 0 or self.other <= 0:
            return None
        return self.other / self.value


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One design compared with another, in every metric that both have."""

    design: str
    over: str
    gaps: tuple[Gap, ...]

    def having(self, wanted: Sign) -> tuple[Gap, ...]:
        """Return the metrics of that sign."""
        return tuple(gap for gap in self.gaps if gap.sign == wanted)

    @property
    def score(self) -> int:
        """Metrics in which it is better less those in which it is worse."""
        return len(self.having("better")) - len(self.having("worse"))


def standing(design: str, over: str, metrics: Mapping[str, Metrics]) -> Standing:
    """Compare one design with another."""
    gaps = []
    for metric in METRICS:
        value, other = metrics[design].get(metric), metrics[over].get(metric)
        if value is not None and other is not None:
            found = metric_sign(metric, value, other)
            gaps.append(Gap(metric=metric, value=value, other=other, sign=found))
    return Standing(design=design, over=over, gaps=tuple(gaps))


def standings(metrics: Mapping[str, Metrics]) -> tuple[Standing, ...]:
    """Compare every design that was measured with the reference: `naive`, or the first one."""
    if len(metrics) < 2:
        return ()
    over = REFERENCE if REFERENCE in metrics else next(iter(metrics))
    compared = (standing(name, over, metrics) for name in metrics if name != over)
    return tuple(one for one in compared if one.gaps)


def winner(metrics: Mapping[str, Metrics], states: Mapping[str, State]) -> str | None:
    """Return the design that leads every other one that may win; None if none does."""
    measured = [name for name, values in metrics.items() if values != Metrics()]
    proved = [name for name in measured if states[name] in PROVED]
    fit = proved or [name for name in measured if states[name] == "inconclusive"]
    for name in fit:
        rivals = [other for other in measured if other != name]
        leads = (standing(name, rival, metrics).score > 0 for rival in rivals if rival in fit)
        if rivals and all(leads):
            return name
    return None


def worst_state(states: Sequence[State]) -> State:
    """Return the worst of them."""
    return min(states, key=STATES.index)


def design_states(outcomes: Sequence[Outcome]) -> dict[str, State]:
    """Return the worst state of each design over all its scenarios, in the order of the designs."""
    found: dict[str, State] = {}
    for outcome in outcomes:
        name = outcome.recording.design
        found[name] = worst_state([found.get(name, outcome.state), outcome.state])
    return found


def main_designs(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the designs that speak for the whole run: a design of one scenario does not."""
    counts = Counter(outcome.recording.design for outcome in outcomes)
    most = max(counts.values(), default=0)
    return tuple(name for name, count in counts.items() if 2 * count >= most)


def best_design(states: Mapping[str, State]) -> str:
    """Return the best design; of equals the last: designs are listed as they improved."""
    return max(reversed(list(states)), key=lambda name: STATES.index(states[name]))


def worst_design(states: Mapping[str, State]) -> str:
    """Return the worst design, of equals the first."""
    return min(states, key=lambda name: STATES.index(states[name]))
