"""The judged growth that an explanation is about, and which share of it is explained."""

from collections.abc import Collection, Iterable

import msgspec

from memcurve.model.findings import NOT_EXPLAINED, Culprit
from memcurve.model.recording import ChildProcess

LEAST_BYTES = 1.0
"""A share is of at least one byte a call: the tolerance of a verdict, below which nothing grows."""
MOST = 0.8
"""What is left is looked for in malloc's heap alone from four fifths on: the other fifth may
be left unexplained as well."""

NEARLY_NOTHING = 0.01
"""Of a growth: what is lighter is not worth a line, nor a pass that looks for it."""


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """The judged growth a call: bytes by heap, and descriptors, threads and tasks.

    `children_per_call` is the part of it that child processes gain, if that is proved; `children`
    are they.
    """

    scenario: str
    bytes_per_call: float
    python_per_call: float
    native_per_call: float
    children_per_call: float = 0.0
    children: tuple[ChildProcess, ...] = ()
    deferred_objects: float = 0.0
    fds_per_call: float = 0.0
    threads_per_call: float = 0.0
    tasks_per_call: float = 0.0
    proved: bool = True

    @property
    def is_elsewhere(self) -> bool:
        """Say whether child processes gain nearly all of it: no tracer of this one sees that."""
        here = self.bytes_per_call - self.children_per_call
        return self.children_per_call > 0 and here <= NEARLY_NOTHING * self.bytes_per_call

    def left(self, culprits: Iterable[Culprit]) -> float:
        """Return the bytes a call that these culprits do not explain."""
        return self.bytes_per_call - sum(c.bytes_per_call for c in _explained(culprits))

    def native_left(self, culprits: Iterable[Culprit]) -> float:
        """Return malloc's bytes a call that these culprits do not explain."""
        return self.native_per_call - sum(c.native_per_call for c in _explained(culprits))

    def is_left_in_malloc(self, culprits: Collection[Culprit]) -> bool:
        """Say whether most of what these culprits do not explain is malloc's."""
        return self.native_left(culprits) >= MOST * self.left(culprits)

    def unexplained(self, culprits: Iterable[Culprit]) -> float:
        """Return the share of a proved growth that these culprits do not explain."""
        if not self.proved or self.bytes_per_call <= 0:
            return 0.0
        return self.left(culprits) / self.bytes_per_call


def _explained(culprits: Iterable[Culprit]) -> Iterable[Culprit]:
    return (culprit for culprit in culprits if culprit.type != NOT_EXPLAINED)
