"""The curves that thresholds are made of: a few counters of the settled pass on a fixed grid.

Rows fall where sampling could be afforded, so two runs have rows at different calls. A gate
compares at the marks of one grid instead, where every run of a benchmark does have a row: calls 1,
2, 3, 5 and each twentieth of the calls shown.

All are relative to call 0, but deferred bytes: those are a mean of the calls between two marks.
The live bytes of a gate are those of both heaps, to the byte; what is mapped and what children hold
come in pages, and each has a gate of its own.
"""

from memcurve.model.curve import Curve
from memcurve.model.recording import LEFT_BY_CALLS, PassRecord, Samples

GATED_COUNTERS = (
    "live_bytes",
    "mapped_bytes",
    "children_bytes",
    "deferred_bytes",
    "fds",
    "threads",
    "tasks",
    "connections_opened",
    "failures",
)
FIRST_MARKS = (1, 2, 3, 5)
PARTS = 20


def marks(calls: int) -> tuple[int, ...]:
    """Return the calls at which a run of that many calls is compared."""
    even = (max(round(calls * part / PARTS), 1) for part in range(1, PARTS + 1))
    return tuple(sorted({*(mark for mark in FIRST_MARKS if mark <= calls), *even}))


def gated_curves(settled: PassRecord, calls: int) -> dict[str, Curve]:
    """Return the gated counters that were read, each at the marks that the pass reached."""
    found = {name: gated_curve(settled, name, calls) for name in GATED_COUNTERS}
    return {name: curve for name, curve in found.items() if len(curve)}


def gated_curve(settled: PassRecord, counter: str, calls: int) -> Curve:
    """Return one counter at the marks, empty if it was not read."""
    curve = settled.samples.curve("heap_bytes" if counter == "live_bytes" else counter)
    if counter in LEFT_BY_CALLS:
        return _means(settled.samples, counter, calls)
    reached = [mark for mark in (0, *marks(calls)) if len(curve) and mark <= curve.last_call]
    grown = curve.grown()
    return Curve(
        counter=counter,
        calls=tuple(reached),
        values=tuple(grown.at(mark) for mark in reached),
    )


def _means(samples: Samples, counter: str, calls: int) -> Curve:
    """Return what a call between two marks left to the collector."""
    reached, values, before = [], [], 0
    for mark in marks(calls):
        if not samples.calls or mark > samples.calls[-1]:
            break
        mean = samples.left_a_call(counter, before, mark)
        if mean is None:
            continue
        reached.append(mark)
        values.append(round(mean))
        before = mark
    return Curve(counter=counter, calls=tuple(reached), values=tuple(values))
