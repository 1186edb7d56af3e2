"""Ticks at round values of the unit that fits: KiB and MiB for bytes, s and ms for time."""

import math

from memcurve.model.units import GIB, KIB, MIB

_STEPS = (1, 2, 5, 10)
_SCALES = {
    "bytes": ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB"), (1, "B")),
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs")),
    "count": ((1, ""),),
}


def scale(unit: str, most: float) -> tuple[float, str]:
    """Return the (factor, name) in which values of up to `most` are written."""
    scales = _SCALES[unit]
    return next(((f, name) for f, name in scales if most >= f), scales[-1])


def ticks(low: float, high: float, unit: str, count: int = 5) -> list[tuple[float, str]]:
    """Return about `count` (value, label) that span the range, at multiples of 1, 2 or 5."""
    factor, name = scale(unit, max(abs(low), abs(high)))
    span = max((high - low) / factor, 1e-9)
    raw = span / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = min((s * power for s in _STEPS), key=lambda s: abs(math.log(s / raw)))
    if unit == "count" or name == "B":
        step = max(step, 1.0)
    first, last = math.ceil(low / factor / step - 1e-9), math.floor(high / factor / step + 1e-9)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(i * step * factor, _label(i * step, digits, name)) for i in range(first, last + 1)]


def _label(value: float, digits: int, name: str) -> str:
    if value == 0:
        return "0"
    return f"{value:,.{digits}f} {name}".rstrip()
