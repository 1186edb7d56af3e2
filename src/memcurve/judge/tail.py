"""What the rules ask of the end of a curve, each computed once and only if it is asked for."""

from functools import cached_property
from itertools import pairwise
from statistics import median

from memcurve.judge.trend import Levels, PairSlopes, Trend, block_levels, pair_slopes
from memcurve.model.curve import Curve
from memcurve.model.thresholds import Thresholds


class Tail:
    """The rows of a curve from some call on. Lives as long as one reading of the curve."""

    def __init__(self, rows: Curve, thresholds: Thresholds) -> None:
        self.rows, self.thresholds = rows, thresholds

    @property
    def first(self) -> int:
        return self.rows.calls[0]

    @property
    def last(self) -> int:
        return self.rows.last_call

    @property
    def calls(self) -> int:
        """How many calls lie between the first row and the last."""
        return self.last - self.first

    @cached_property
    def levels(self) -> Levels:
        """The blocks, of which there are many."""
        return block_levels(self.rows, self.thresholds.slope.blocks)

    @cached_property
    def long_levels(self) -> Levels:
        """Blocks so long that what comes and goes averages out in each."""
        return block_levels(self.rows, self.thresholds.rise.long_blocks)

    @cached_property
    def slopes(self) -> PairSlopes | None:
        return pair_slopes(self.levels, self.thresholds.slope)

    def trend(self, errors: float) -> Trend | None:
        """Return the slope with an interval of so many standard errors; None: too few rows."""
        if self.slopes is None:
            return None
        low, high = self.slopes.interval(errors)
        return Trend(
            per_call=median(self.slopes.slopes),
            low=low,
            high=high,
            from_call=self.first,
            to_call=self.last,
            rows=len(self.rows),
        )

    @cached_property
    def noise(self) -> int:
        """The span from the lowest tenth of the rows to the highest tenth."""
        ordered = sorted(self.rows.values)
        cut = int(self.thresholds.flat.low_quantile * len(ordered))
        return ordered[len(ordered) - 1 - cut] - ordered[cut]

    @cached_property
    def kept(self) -> Curve:
        """What is never given back, without the end, which had no time to."""
        edge = round(self.calls * self.thresholds.rise.edge_share)
        return self.rows.kept().head(self.last - edge)

    @cached_property
    def rise_calls(self) -> tuple[int, ...]:
        """The calls at which what is never given back rises, with both ends of the tail."""
        rises = (call for call, rise in self.kept.steps() if rise > 0)
        return (self.first, *rises, self.kept.last_call)


def step_slopes(levels: Levels) -> list[float]:
    """Return the slopes from each block to the next."""
    return [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(levels)]
