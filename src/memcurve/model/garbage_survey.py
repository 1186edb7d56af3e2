"""What a pass answers of garbage in cycles: what waits, in which cycles, made on which lines."""

import msgspec

from memcurve.model.answers import Answer, Frame, TypeNumber


class CycleEdge(msgspec.Struct, frozen=True, array_like=True):
    """A reference between two drawn members of a cycle, by their positions."""

    source: int
    target: int
    label: str


class KeptWaiting(msgspec.Struct, frozen=True, kw_only=True):
    """What the cycles of one shape keep waiting for the collector, themselves included."""

    objects: int = 0
    bytes: int = 0
    names: tuple[str, ...] = ()


class CycleShape(msgspec.Struct, frozen=True, kw_only=True):
    """Cycles that read alike: `count` of `size` members, and what is told of one of them."""

    words: str
    count: int
    size: int
    bytes: int
    members: tuple[str, ...]
    edges: tuple[CycleEdge, ...]
    types: tuple[TypeNumber, ...]
    finalizers: tuple[str, ...] = ()
    held: KeptWaiting = KeptWaiting()


class GarbageSurvey(Answer, frozen=True, kw_only=True):
    """What the last `calls` calls left to the cyclic collector, taken apart."""

    calls: int
    objects: int
    bytes: int = 0
    uncollectable: int = 0
    types: tuple[TypeNumber, ...] = ()
    finalizers: tuple[str, ...] = ()
    cycles: tuple[CycleShape, ...] = ()
    call: int = 0


class CycleLine(msgspec.Struct, frozen=True, array_like=True):
    """Where cycles of `size` members that read alike are made, innermost frame first."""

    words: str
    size: int
    frames: tuple[Frame, ...]


class CycleLinesSurvey(Answer, frozen=True, kw_only=True):
    """Where cycles of a few traced calls were made, as far as that was seen."""

    lines: tuple[CycleLine, ...] = ()
    call: int = 0
