"""Make a tolerance band from repeated runs, and find where a curve leaves it for good.

The band at a mark spans the least and the greatest value of the repeats, widened on both sides by a
floor: with five exchangeable repeats a sixth leaves their bare span once in three times. The floor
is what one observed blip measures, or that span itself where the repeats differ by more: a sixth
value of a normal distribution goes farther up once in 70 times, and a curve that does is measured
again (see `run.scenarios`). It never depends on the machine's speed, since no gated counter does.

    floor(counter) = max(blip(counter) beside the greatest value, greatest - least value)

A curve has left its band for good at call n if it is above it at n and at every later mark, and if
these marks are at least `OUT_FOR` in number: a blip goes back.
"""

from collections.abc import Callable, Sequence
from statistics import median

from memcurve.compare.difference import Tolerance
from memcurve.model.baseline import AcceptedCurve
from memcurve.model.curve import Curve
from memcurve.model.units import KIB, MIB

Outside = Callable[[int, float], bool]

OUT_FOR = 3
# how far a curve strays from another one of the same code: measured over repeats of all scenarios
# under load
BLIPS: dict[str, Tolerance] = {
    "live_bytes": Tolerance(16 * KIB, 0.002),
    "mapped_bytes": Tolerance(64 * KIB, 0.002),  # a thread maps 16 KiB for its frames
    "children_bytes": Tolerance(MIB, 0.10),  # a child touches pages when it pleases
    "deferred_bytes": Tolerance(4 * KIB, 0.10),
    "fds": Tolerance(2),
    "threads": Tolerance(2),
    "tasks": Tolerance(1),
    "connections_opened": Tolerance(2, 0.5),  # idle ones expire by the clock, after 5 s
    "failures": Tolerance(0, 0.5),
}


def band(curves: Sequence[Curve]) -> AcceptedCurve:
    """Return the accepted curve of one counter: the median of the repeats, and their band.

    Only marks that every repeat reached are in it. Raises ValueError without curves.
    """
    if not curves:
        raise ValueError("no curves to make a band of")
    counter = curves[0].counter
    shared = sorted(set.intersection(*(set(curve.calls) for curve in curves)))
    columns = [[dict(curve)[call] for curve in curves] for call in shared]
    floors = [max(BLIPS[counter].at(max(c, key=abs)), max(c) - min(c)) for c in columns]
    return AcceptedCurve(
        counter=counter,
        calls=tuple(shared),
        values=tuple(float(median(column)) for column in columns),
        low=tuple(min(c) - floor for c, floor in zip(columns, floors, strict=True)),
        high=tuple(max(c) + floor for c, floor in zip(columns, floors, strict=True)),
    )


def limit_at(accepted: AcceptedCurve, call: int, *, low: bool = False) -> float:
    """Return the edge of a band at any call: between two marks it is a straight line."""
    edge = accepted.low if low else accepted.high
    if call <= accepted.calls[0]:
        return edge[0]
    for i in range(1, len(accepted.calls)):
        before, after = accepted.calls[i - 1], accepted.calls[i]
        if call <= after:
            part = (call - before) / (after - before)
            return edge[i - 1] + part * (edge[i] - edge[i - 1])
    return edge[-1]


def left_for_good(curve: Curve, accepted: AcceptedCurve) -> int | None:
    """Return the first call from which on the curve stays above its band, None if it does not."""
    return _out(curve, accepted, lambda call, value: value > limit_at(accepted, call))


def fell_for_good(curve: Curve, accepted: AcceptedCurve) -> int | None:
    """Return the first call from which on the curve stays below its band, None if it does not."""
    return _out(curve, accepted, lambda call, value: value < limit_at(accepted, call, low=True))


def _out(curve: Curve, accepted: AcceptedCurve, outside: Outside) -> int | None:
    if not accepted.calls:
        return None
    shared = list(curve.head(accepted.calls[-1]))
    first, marks = None, 0
    for call, value in reversed(shared):
        if not outside(call, value):
            break
        first, marks = call, marks + 1
    return first if marks >= min(OUT_FOR, len(shared)) else None
