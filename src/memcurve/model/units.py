"""Counters, their units, and how quantities are printed and read.

Sizes are in units of 1024: B, KiB, MiB, GiB. What is printed can be read back.
"""

import re
from typing import Literal

import msgspec

from memcurve.model.errors import QuantityError

KIB, MIB, GIB = 1024, 1024**2, 1024**3
# below it "%g" writes an exponent, which is not read back: it is less than a byte in 10,000 calls
LEAST_PRINTED = 1e-4
_FACTORS = {"B": 1, "KIB": KIB, "MIB": MIB, "GIB": GIB}
_QUANTITY = re.compile(
    r"\s*([-+]?\d[\d,]*(?:\.\d+)?|[-+]?\.\d+)\s*(B|KiB|MiB|GiB)?\s*", re.IGNORECASE
)


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """What one curve counts.

    `exact` counters read the same whatever else the machine does; the others are noisy and are
    shown, never gated on their own. For all of them less is better.
    """

    name: str
    title: str
    unit: Literal["bytes", "count", "ns"]
    exact: bool
    cumulative: bool = False


COUNTERS = {
    counter.name: counter
    for counter in (
        Counter(name="live_bytes", title="live bytes", unit="bytes", exact=True),
        Counter(name="python_bytes", title="Python heap", unit="bytes", exact=True),
        Counter(name="malloc_bytes", title="malloc heap", unit="bytes", exact=True),
        Counter(name="heap_bytes", title="bytes of both heaps", unit="bytes", exact=True),
        Counter(name="mapped_bytes", title="mapped bytes", unit="bytes", exact=True),
        Counter(name="mapped_touched_bytes", title="mapped and touched", unit="bytes", exact=False),
        Counter(name="children_bytes", title="bytes of child processes", unit="bytes", exact=True),
        Counter(name="allocated_bytes", title="bytes allocated", unit="bytes", exact=True),
        Counter(name="peak_bytes", title="bytes at once", unit="bytes", exact=True),
        Counter(name="deferred_bytes", title="deferred bytes", unit="bytes", exact=True),
        Counter(name="deferred_objects", title="deferred objects", unit="count", exact=True),
        Counter(name="objects", title="objects", unit="count", exact=True),
        Counter(name="fds", title="descriptors", unit="count", exact=True),
        Counter(name="sockets", title="sockets", unit="count", exact=True),
        Counter(name="threads", title="threads", unit="count", exact=True),
        Counter(name="tasks", title="tasks", unit="count", exact=True),
        Counter(name="processes", title="child processes", unit="count", exact=True),
        Counter(name="zombies", title="zombies", unit="count", exact=True),
        Counter(name="connections_opened", title="connections opened", unit="count", exact=True),
        Counter(name="connections_open", title="connections open", unit="count", exact=True),
        Counter(name="connections_peak", title="connections at once", unit="count", exact=True),
        Counter(name="failures", title="failures", unit="count", exact=True),
        Counter(name="rss_bytes", title="resident memory", unit="bytes", exact=False),
        Counter(name="rss_peak_bytes", title="peak resident memory", unit="bytes", exact=False),
        Counter(name="cpu_ns", title="CPU time", unit="ns", exact=False, cumulative=True),
        Counter(name="wall_ns", title="wall time", unit="ns", exact=False, cumulative=True),
    )
}


def counter_of(name: str) -> Counter:
    """Return the counter of that name; gauges of a backend are counts of their own."""
    known = COUNTERS.get(name)
    return known or Counter(name=name, title=name.replace("_", " "), unit="count", exact=True)


def format_bytes(value: float) -> str:
    """Print a number of bytes with three significant digits or, below 1 KiB, as it is.

    >>> format_bytes(877_568)
    '857 KiB'
    """
    for factor, unit in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(value) >= factor:
            scaled = value / factor
            digits = 0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2
            return f"{scaled:,.{digits}f} {unit}"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f} B"
    if abs(value) < LEAST_PRINTED:
        return "0 B"
    return f"{value:.1f} B" if abs(value) >= 1 else f"{value:.2g} B"


def parse_bytes(text: str | float) -> float:
    """Read a number of bytes such as ``64 B``, ``8 KiB``, ``1.5 MiB`` or ``4096``.

    Raises QuantityError for anything else; ``KB`` and ``MB`` are refused because people disagree
    about what they mean.
    """
    if isinstance(text, int | float):
        return float(text)
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise QuantityError(
            f"{text!r} is not a size; write a number with B, KiB, MiB or GiB, such as '64 B'"
        )
    number, unit = match.groups()
    return float(number.replace(",", "")) * _FACTORS[(unit or "B").upper()]


def format_count(value: float) -> str:
    """Print a count; fractions appear only where a rate is below 10."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2g}"


def format_duration(seconds: float) -> str:
    """Print a duration with the unit that fits it."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if abs(seconds) < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def format_value(counter: Counter, value: float) -> str:
    """Print a value in the unit of its counter."""
    if counter.unit == "bytes":
        return format_bytes(value)
    return format_count(value) if counter.unit == "count" else format_duration(value / 1e9)
