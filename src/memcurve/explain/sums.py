"""Let the bytes of the culprits add up to the growth of the verdict, in both heaps.

A culprit is weighed over one window of calls, the verdict over all of them, and what two holders
share counts for both. So more than the verdict is scaled down to it; less is a row of its own: "not
explained", with its share. Which heap a byte is in is known of the verdict to the byte, of an
object by its size: what is too much for one heap is the other's.
"""

from collections.abc import Sequence

import msgspec

from memcurve.explain.figures import Growth
from memcurve.model.findings import NOT_EXPLAINED, Culprit


def balanced(growth: Growth, culprits: Sequence[Culprit]) -> list[Culprit]:
    """Return the culprits with bytes that are at most those of a proved growth, in each heap."""
    found = [culprit for culprit in culprits if culprit.type != NOT_EXPLAINED]
    whole = sum(culprit.bytes_per_call for culprit in found)
    if not growth.proved or growth.bytes_per_call <= 0 or whole <= 0:
        return found
    factor = min(growth.bytes_per_call / whole, 1.0)
    scaled = [_weighing(c, c.bytes_per_call * factor, c.native_per_call * factor) for c in found]
    native = _native(growth)
    return _in_heaps(scaled, native, growth.bytes_per_call - native)


def rest_of(growth: Growth, culprits: Sequence[Culprit]) -> Culprit:
    """Return the row of what balanced culprits do not explain; it has no mark."""
    native = _native(growth) - sum(culprit.native_per_call for culprit in culprits)
    left = max(growth.left(culprits), 0.0)
    return Culprit(
        type=NOT_EXPLAINED,
        per_call=0.0,
        bytes_per_call=left,
        native_per_call=min(max(native, 0.0), left),
    )


def _native(growth: Growth) -> float:
    return min(max(growth.native_per_call, 0.0), growth.bytes_per_call)


def _in_heaps(culprits: list[Culprit], native: float, python: float) -> list[Culprit]:
    """Return culprits of which neither heap's bytes are more than there are in that heap."""
    of_malloc = sum(culprit.native_per_call for culprit in culprits)
    of_python = sum(_python(culprit) for culprit in culprits)
    if of_malloc > native:
        share = native / of_malloc
        return [_weighing(c, c.bytes_per_call, c.native_per_call * share) for c in culprits]
    if of_python > python:
        share = python / of_python
        return [
            _weighing(c, c.bytes_per_call, c.bytes_per_call - _python(c) * share) for c in culprits
        ]
    return culprits


def _python(culprit: Culprit) -> float:
    return culprit.bytes_per_call - culprit.native_per_call


def _weighing(culprit: Culprit, whole: float, native: float) -> Culprit:
    share = whole / culprit.bytes_per_call if culprit.bytes_per_call else 1.0
    steps = tuple(size * share for size in culprit.step_bytes)
    return msgspec.structs.replace(
        culprit, bytes_per_call=whole, native_per_call=native, step_bytes=steps
    )
