"""The objects that `memcurve compare --json` prints: against baselines, and between revisions.

Values are in the unit of their counter: bytes, counts, and nanoseconds of CPU.
"""

from collections.abc import Iterable, Sequence

from memcurve.compare.revisions import Difference, RevisionsOfDesign
from memcurve.model.caveat import Caveat
from memcurve.model.outcome import Comparison, CounterChange, Crossing, Outcome
from memcurve.report.crossings import crossing_message
from memcurve.report.json.shape import Shape, finite

COMPARISON_VERSION = 1


class CrossingShape(Shape, frozen=True, kw_only=True):
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


class ComparedShape(Shape, frozen=True, kw_only=True):
    """One design compared with its baseline; `has_baseline` is false where there is none."""

    scenario: str
    design: str
    has_baseline: bool
    changes: tuple[CounterChange, ...]
    crossings: tuple[CrossingShape, ...]
    caveats: tuple[Caveat, ...]


class ComparisonShape(Shape, frozen=True, kw_only=True):
    """The object that `memcurve compare --json` prints."""

    schema_version: int = COMPARISON_VERSION
    passed: bool
    designs: tuple[ComparedShape, ...]


class DifferingShape(Shape, frozen=True, kw_only=True):
    """One design of two revisions; a failure means that a side could not be measured."""

    scenario: str
    design: str
    differences: tuple[Difference, ...]
    worse: bool
    failure: str | None


class RevisionsShape(Shape, frozen=True, kw_only=True):
    """The object that `memcurve compare --against REV --json` prints."""

    schema_version: int = COMPARISON_VERSION
    revision: str
    passed: bool
    designs: tuple[DifferingShape, ...]


def comparison_of(outcomes: Iterable[Outcome]) -> ComparisonShape:
    """Return what was compared; nothing passes of which no design has a baseline."""
    compared = [outcome.comparison for outcome in outcomes if outcome.comparison is not None]
    crossed = any(one.crossings for one in compared)
    known = any(one.baseline is not None for one in compared)
    return ComparisonShape(passed=known and not crossed, designs=tuple(map(_compared, compared)))


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
        value=finite(crossing.value),
        limit=finite(crossing.limit),
        over=finite(crossing.over),
        message=crossing_message(crossing),
    )


def revisions_of(revision: str, designs: Sequence[RevisionsOfDesign]) -> RevisionsShape:
    """Return how two revisions differ."""
    shapes = tuple(
        DifferingShape(
            scenario=design.scenario,
            design=design.design,
            differences=design.differences,
            worse=design.worse,
            failure=design.failure,
        )
        for design in designs
    )
    passed = not any(one.worse or one.failure is not None for one in shapes)
    return RevisionsShape(revision=revision, passed=passed, designs=shapes)
