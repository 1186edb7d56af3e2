"""When two values differ, and which way: better, worse and "~" are decided here and nowhere else.

Two values of one figure are the same, "~", while they are no further apart than the figure's
tolerance; beyond it the smaller one is better, since less is better for all that is counted:

    tolerance(figure) = max(least, share · |reference|)

    what is compared                  tolerance                      reference
    two designs of one run            `metrics.METRICS`, each own    the larger value
    two revisions, CPU time           `CPU`                          the smaller value
    two revisions, a gated curve      `bands.BLIPS`, each counter    the smaller value
    a curve with its accepted band    `bands.BLIPS`, each counter    the greatest of the repeats

A rate of growth has intervals instead: two of them differ when the intervals are further apart than
what the verdicts tolerate (`revisions`). What a design must save over another is agreed in the
scenario, not a difference that is found (`leads`).
"""

from typing import Literal

import msgspec

Sign = Literal["better", "worse", "~"]


class Tolerance(msgspec.Struct, frozen=True):
    """How far apart two values of one figure may be and count as the same.

    `least` is in the unit of the figure: what it may be off by whatever its size. `share` is of
    the reference.
    """

    least: float
    share: float = 0.0

    def at(self, reference: float) -> float:
        """Return the tolerance beside a value of that size."""
        return max(self.least, self.share * abs(reference))


CPU = Tolerance(500_000, 1 / 3)
"""Nanoseconds a call, and a share: a convention of ours, for what else the machine does moves CPU
time too. What seems to differ is measured again before it counts (`cli.against`)."""


def sign(value: float, other: float, tolerance: float) -> Sign:
    """Say whether `value` is better (less) than `other`, or the same within a tolerance."""
    if abs(value - other) <= tolerance:
        return "~"
    return "better" if value < other else "worse"
