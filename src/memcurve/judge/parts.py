"""Read the shape of live memory: of the whole, and of each part that is counted in its own unit.

    heaps      Python's and malloc's, to the byte
    mapped     what is mapped past both, in whole pages
    children   what child processes hold, in the whole pages that they touch

Noise of one part would hide what another keeps: a child that touches a page now and then would
drown a leak of 16 B a call. So the shape of memory is that of its worst part, and the whole gives
the figures where it has the same shape.
"""

from collections.abc import Sequence

from memcurve.judge.growth import Limits, Reading, Shape, read_curve
from memcurve.model.curve import Curve
from memcurve.model.recording import Samples
from memcurve.model.thresholds import Thresholds

WORST_FIRST: tuple[Shape, ...] = ("growing", "undecided", "decaying", "flat")

Part = tuple[Reading, Curve]


def read_memory(samples: Samples, thresholds: Thresholds) -> Part:
    """Return the reading that is judged as live memory, with its curve; see the module."""
    live = samples.curve("live_bytes")
    whole = read_curve(live, Limits.of_bytes(thresholds)), live
    moving = [read for name, read in PAGED.items() if _moves(samples.counters.get(name, ()))]
    if not moving:
        return whole
    heaps = samples.curve("heap_bytes")
    parts = [(read_curve(heaps, Limits.of_bytes(thresholds)), heaps)]
    parts += [read(samples, thresholds) for read in moving]
    worst = min(parts, key=lambda part: WORST_FIRST.index(part[0].shape))
    return whole if whole[0].shape == worst[0].shape else worst


def read_mapped(samples: Samples, thresholds: Thresholds) -> Part:
    """Return the reading of what is mapped past the heaps."""
    curve = samples.curve("mapped_bytes")
    return read_curve(curve, Limits.of_mapped(thresholds)), curve


def read_children(samples: Samples, thresholds: Thresholds) -> Part:
    """Return the reading of what child processes hold."""
    curve = samples.curve("children_bytes")
    return read_curve(curve, Limits.of_children(thresholds)), curve


PAGED = {"mapped_bytes": read_mapped, "children_bytes": read_children}


def _moves(values: Sequence[int | None]) -> bool:
    return len(set(values)) > 1
