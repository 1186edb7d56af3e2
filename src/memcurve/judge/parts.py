"""Read the shape of live memory: of the whole, and of each part that is counted in its own unit.

    heaps      Python's and malloc's, to the byte
    mapped     what is mapped past both, in whole pages
    children   what child processes hold, in the whole pages that they touch

Noise of one part would hide what another keeps: a child that touches a page now and then would
drown a leak of 16 B a call. So the shape of memory is that of its worst part, and the whole gives
the figures where it has the same shape.
"""

from collections.abc import Sequence

import msgspec

from memcurve.judge.growth import Reading, Shape, read_curve
from memcurve.judge.limits import Limits
from memcurve.model.curve import Curve
from memcurve.model.recording import Samples
from memcurve.model.thresholds import Thresholds

WORST_FIRST: tuple[Shape, ...] = ("growing", "undecided", "decaying", "flat")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of live memory: its curve, what that shows, and the limits that it was read by."""

    reading: Reading
    curve: Curve
    limits: Limits


def read_memory(samples: Samples, thresholds: Thresholds) -> Part:
    """Return the part that is judged as live memory; see the module."""
    limits = Limits.of_bytes(thresholds)
    whole = _part(samples, "live_bytes", limits)
    moving = [read for name, read in PAGED.items() if _moves(samples.counters.get(name, ()))]
    if not moving:
        return whole
    parts = [_part(samples, "heap_bytes", limits), *(read(samples, thresholds) for read in moving)]
    worst = min(parts, key=lambda part: WORST_FIRST.index(part.reading.shape))
    return whole if whole.reading.shape == worst.reading.shape else worst


def read_mapped(samples: Samples, thresholds: Thresholds) -> Part:
    """Return what is mapped past the heaps."""
    return _part(samples, "mapped_bytes", Limits.of_mapped(thresholds))


def read_children(samples: Samples, thresholds: Thresholds) -> Part:
    """Return what child processes hold."""
    return _part(samples, "children_bytes", Limits.of_children(thresholds))


def _part(samples: Samples, counter: str, limits: Limits) -> Part:
    curve = samples.curve(counter)
    return Part(reading=read_curve(curve, limits), curve=curve, limits=limits)


PAGED = {"mapped_bytes": read_mapped, "children_bytes": read_children}


def _moves(values: Sequence[int | None]) -> bool:
    return len(set(values)) > 1
