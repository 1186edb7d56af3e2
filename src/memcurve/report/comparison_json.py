"""The objects that `memcurve compare --json` prints: against baselines, and between revisions.

Values are in the unit of their counter: bytes, counts, and nanoseconds of CPU.
"""

import math
from collections.abc import Iterable, Sequence

import msgspec

from memcurve.compare.revisions import Difference
from memcurve.model.caveat import Caveat
from memcurve.model.outcome import Comparison, CounterChange, Crossing, Outcome
from memcurve.model.recording import Recording

COMPARISON_VERSION = 1


class _Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class CrossingShape(_Shape, frozen=True, kw_only=True):
    """A threshold that was crossed for good."""

    scenario: str
    design: str
    counter: str
    kind: str
    call: int
    value: float | None
    limit: float | None
    over: float | None
    message: str


class ComparedShape(_Shape, frozen=True, kw_only=True):
    """One design held against its baseline; `has_baseline` is false where there is none."""

    scenario: str
    design: str
    has_baseline: bool
    changes: tuple[CounterChange, ...]
    crossings: tuple[CrossingShape, ...]
    caveats: tuple[Caveat, ...]


class ComparisonShape(_Shape, frozen=True, kw_only=True):
    """The object that `memcurve compare --json` prints."""

    schema_version: int = COMPARISON_VERSION
    passed: bool
    designs: tuple[ComparedShape, ...]


class DifferingShape(_Shape, frozen=True, kw_only=True):
    """One design of two revisions; a failure means that a side could not be measured."""

    scenario: str
    design: str
    differences: tuple[Difference, ...]
    worse: bool
    failure: str | None


class RevisionsShape(_Shape, frozen=True, kw_only=True):
    """The object that `memcurve compare --against REV --json` prints."""

    schema_version: int = COMPARISON_VERSION
    revision: str
    passed: bool
    designs: tuple[DifferingShape, ...]


def comparison_of(outcomes: Iterable[Outcome]) -> ComparisonShape:
    """Return what was compared; nothing passes of which no design has a baseline."""
    held = [outcome.comparison for outcome in outcomes if outcome.comparison is not None]
    crossed = any(one.crossings for one in held)
    known = any(one.baseline is not None for one in held)
    return ComparisonShape(passed=known and not crossed, designs=tuple(map(_compared, held)))


def _compared(one: Comparison) -> ComparedShape:
    return ComparedShape(
        scenario=one.scenario,
        design=one.design,
        has_baseline=one.baseline is not None,
        changes=one.changes,
        crossings=tuple(map(crossing_of, one.crossings)),
        caveats=one.caveats,
    )


def crossing_of(crossing: Crossing) -> CrossingShape:
    """Return a crossed threshold as programs read it; null: not finite."""
    return CrossingShape(
        scenario=crossing.scenario,
        design=crossing.design,
        counter=crossing.counter,
        kind=crossing.kind,
        call=crossing.call,
        value=_finite(crossing.value),
        limit=_finite(crossing.limit),
        over=_finite(crossing.over),
        message=crossing.message,
    )


def revisions_of(
    revision: str, found: Sequence[tuple[Recording, Sequence[Difference], str | None]]
) -> RevisionsShape:
    """Return how two revisions differ: (recording, differences, failure) of each design."""
    designs = tuple(
        DifferingShape(
            scenario=recording.scenario,
            design=recording.design,
            differences=tuple(differences),
            worse=any(one.worse for one in differences),
            failure=failure,
        )
        for recording, differences, failure in found
    )
    passed = not any(one.worse or one.failure is not None for one in designs)
    return RevisionsShape(revision=revision, passed=passed, designs=designs)


def _finite(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
