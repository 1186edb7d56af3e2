"""The suite: every workload with its label, half of them clean and half of them leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bench.proof.accuracy.labels import (
    caches,
    children,
    concurrency,
    disguised,
    interpreter,
    leaks,
    lookalikes,
    mapped,
    registries,
    rhythms,
    steps,
    temporaries,
)

if TYPE_CHECKING:
    from bench.proof.accuracy.workload import Workload

_FILES: Final = (
    caches,
    lookalikes,
    interpreter,
    temporaries,
    mapped,
    concurrency,
    children,
    leaks,
    disguised,
    registries,
    rhythms,
    steps,
)

WORKLOADS: Final[tuple[Workload, ...]] = tuple(
    sorted((one for file in _FILES for one in file.LABELLED), key=lambda one: one.leaks)
)
"""What is clean comes first."""
