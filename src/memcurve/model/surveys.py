"""What a pass was asked between its calls, and what it answered, as values.

A worker has no msgspec and answers in plain lists and dictionaries; `measure.runner` decodes them
here, once.
"""

from collections.abc import Iterator

import msgspec

from memcurve.model.allocations_survey import TracerStart, TraceSurvey
from memcurve.model.answers import Answer
from memcurve.model.debt import Act
from memcurve.model.garbage_survey import CycleLinesSurvey, GarbageSurvey
from memcurve.model.survivors_survey import (
    DrawingsSurvey,
    ReleaseSurvey,
    SitesSurvey,
    SurvivorsSurvey,
    WindowMark,
)


class CollectorCounts(msgspec.Struct, frozen=True, array_like=True):
    """Where the collector was: collections of each generation, its first count, its threshold.

    `threshold` is 0 where it is off.
    """

    young: int
    middle: int
    full: int
    count: int
    threshold: int


class ResidentState(msgspec.Struct, frozen=True, kw_only=True):
    """What resident memory consisted of at one moment, in bytes; see the worker's `mappings`.

    `heap` is None, and what else is read from ``smaps`` 0, where there is no such file.
    """

    python_bytes: int = 0
    malloc_bytes: int = 0
    rss_bytes: int = 0
    arena_bytes: int = 0
    malloc_system_bytes: int = 0
    malloc_free_bytes: int = 0
    heap: int | None = None
    stack: int = 0
    other: int = 0
    heap_size: int = 0
    deferred_python: int = 0
    deferred_malloc: int = 0
    deferred_objects: int = 0
    deferred_descriptors: int = 0
    counts: CollectorCounts | None = None


class ChurnSurvey(msgspec.Struct, frozen=True, kw_only=True):
    """What calls are to the collector; see the worker's `churn`. Nothing where nobody looked.

    `starts` and `left` are by the threshold of the collector's first count.
    """

    calls: int = 0
    net: float = 0.0
    heap: int = 0
    recent: int = 0
    young_objects: int = 0
    young_bytes: int = 0
    old_objects: int = 0
    old_bytes: int = 0
    peak: int = 0
    caught: int = 0
    descriptors: int = 0
    starts: dict[str, int] = {}
    left: dict[str, int] = {}


class LostReference(msgspec.Struct, frozen=True, kw_only=True):
    """A long-lived object whose count rises at each call, by what nothing known explains."""

    name: str
    per_call: float


class Surveys(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the stages of one pass answered, by the name of the stage; None: it was not reached."""

    begin: ResidentState | None = None
    end: ResidentState | None = None
    churn: ChurnSurvey | None = None
    references: tuple[LostReference, ...] | None = None
    act: Act | None = None
    cycles: GarbageSurvey | None = None
    cycle_lines: CycleLinesSurvey | None = None
    mark: WindowMark | None = None
    middle: WindowMark | None = None
    survivors: SurvivorsSurvey | None = None
    drawings: DrawingsSurvey | None = None
    sites: SitesSurvey | None = None
    release: ReleaseSurvey | None = None
    start: TracerStart | None = None
    stop: TraceSurvey | None = None

    def answers(self) -> Iterator[Answer]:
        """Yield what the stages of an explaining pass answered so far."""
        for name in self.__struct_fields__:
            answer = getattr(self, name)
            if isinstance(answer, Answer):
                yield answer

    def with_answer(self, stage: str, answer: object) -> "Surveys":
        """Return these with a worker's answer at one stage; msgspec's error names the field."""
        if stage not in self.__struct_fields__:
            raise msgspec.ValidationError(f"no stage is named {stage!r}")
        decoded = msgspec.convert({stage: answer}, Surveys)
        return msgspec.structs.replace(self, **{stage: getattr(decoded, stage)})
