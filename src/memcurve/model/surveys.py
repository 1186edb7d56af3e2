"""What a pass was asked between its calls, and what it answered, as values.

A worker has no msgspec and answers in plain lists and dictionaries; `measure.runner` decodes them
here, once. A row of which there may be thousands is a list whose places are the fields of its
struct, in that order.
"""

from collections.abc import Iterable, Iterator

import msgspec

from memcurve.model.debt import Act


class PathStep(msgspec.Struct, frozen=True, array_like=True):
    """One reference of a retention path: how it is written, and what it leads to.

    The first step of a path is the root: its name, with the reference that leaves it, where it has
    one. `label` is empty where a reference has no name, inside an object of an extension.
    """

    label: str
    thing: str

    @property
    def text(self) -> str:
        """The step as one text, as a path is printed and as marks are made of it."""
        return f"{self.label}: {self.thing}" if self.label else self.thing


def texts_of(steps: Iterable[PathStep]) -> tuple[str, ...]:
    """Return a path as texts."""
    return tuple(step.text for step in steps)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer of an explaining pass carries: its cost so far, CPU seconds and calls."""

    pass_cpu_s: float = 0.0
    pass_calls: int = 0


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


class TypeTotal(msgspec.Struct, frozen=True, array_like=True):
    """Objects of one type, and their own bytes in all."""

    type: str
    count: int
    bytes: int


class TypeNumber(msgspec.Struct, frozen=True, array_like=True):
    """How many objects of one type there were."""

    type: str
    count: int


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """A line of code that was running when something was allocated."""

    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


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


class WindowMark(Answer, frozen=True, kw_only=True):
    """Where a window of a survivors pass began or ended, and how many objects there were."""

    call: int
    objects: int


class SurvivorGroup(msgspec.Struct, frozen=True, kw_only=True):
    """New objects of one type below one holder, born in the first window and alive at the end.

    `bytes` are their own sizes and those of what hangs below them, `malloc` that heap's part.
    `entries_bytes` is what the entries gained since the mark, over both windows, added to the
    holder itself. `holders` counts the holders of that shape. `later` are those born in the second
    window.
    """

    type: str
    objects: int
    bytes: int
    root: str
    path: tuple[PathStep, ...]
    malloc: int = 0
    later: int = 0
    holders: int = 1
    holder: str = ""
    entries_before: int | None = None
    entries_after: int | None = None
    entries_bytes: int = 0
    entries_malloc: int = 0
    bound: str = ""
    traits: tuple[str, ...] = ()
    sample: str = ""
    types: tuple[TypeTotal, ...] = ()


class GrownBuffer(msgspec.Struct, frozen=True, kw_only=True):
    """A buffer that was there before and grew by `grown` bytes since the mark."""

    type: str
    grown: int
    root: str
    path: tuple[PathStep, ...]


class OpenedDescriptors(msgspec.Struct, frozen=True, array_like=True):
    """How many descriptors of one kind are open that were not at the mark."""

    kind: str
    count: int


class SurvivorsSurvey(Answer, frozen=True, kw_only=True):
    """What was born in the first window, of `calls` calls, and outlived the second.

    `grown` and `descriptors` are counted over `calls_since_mark`: both windows. `files` says
    whether a survivor's class can have a descriptor.
    """

    calls: int
    calls_since_mark: int
    groups: tuple[SurvivorGroup, ...] = ()
    types: tuple[TypeTotal, ...] = ()
    grown: tuple[GrownBuffer, ...] = ()
    descriptors: tuple[OpenedDescriptors, ...] = ()
    files: bool = True
    call: int = 0


class DrawingsSurvey(Answer, frozen=True, kw_only=True):
    """For each of the first groups who refers to a survivor of it, in the language of graphviz."""

    drawings: tuple[str | None, ...] = ()


class SitesSurvey(Answer, frozen=True, kw_only=True):
    """For each of the first groups where objects of its types are made, innermost frame first."""

    sites: tuple[dict[str, tuple[Frame, ...]], ...] = ()


class WeightStep(msgspec.Struct, frozen=True, array_like=True):
    """A step down to what carries the native weight: `malloc` bytes went when it was cut off."""

    label: str
    thing: str
    type: str
    malloc: int


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """What letting one group go freed, by heap, and of how many of its heads.

    `root` is another kind of root than the group's where letting go proved it; "" otherwise.
    """

    group: int
    python: int
    malloc: int
    heads: int
    steps: tuple[WeightStep, ...] = ()
    root: str = ""


class UntrackedObjects(msgspec.Struct, frozen=True, kw_only=True):
    """Objects of one type that the collector does not track, and that nothing in Python leads to.

    Born in the first window, alive at the end; `bytes` are their own sizes, `malloc` that heap's
    part. `holder` says who has their addresses (see the worker's `address_search`): "lost" if
    nobody, "object", "library", "malloc" or "interned" where they stand, "unknown" where nobody
    could look; `where` names it. Each counts `references`, 0 where it is kept forever. `sample` is
    the beginning of one, of text and bytes only; `stack` is where they are made, innermost first.
    """

    type: str
    objects: int
    bytes: int
    malloc: int
    holder: str
    where: str = ""
    references: int = 0
    sample: str = ""
    stack: tuple[Frame, ...] = ()


class Outlived(msgspec.Struct, frozen=True, kw_only=True):
    """How many heads of a group with no holder outlived the cuts, and who has their addresses.

    `holder` and `where` as for `UntrackedObjects`; "" where none outlived them.
    """

    group: int
    alive: int
    heads: int
    holder: str = ""
    where: str = ""


class ReleaseSurvey(Answer, frozen=True, kw_only=True):
    """What letting the heaviest groups go freed, and what outlived it with no holder."""

    released: tuple[Release, ...] = ()
    lost: tuple[UntrackedObjects, ...] = ()
    outside: tuple[Outlived, ...] = ()


class TracerStart(Answer, frozen=True, kw_only=True):
    """Which tracer an allocations pass started."""

    tracer: str


class CodeFrame(msgspec.Struct, frozen=True, array_like=True):
    """A frame of an allocation's stack."""

    function: str
    file: str
    line: int

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


class LiveStack(msgspec.Struct, frozen=True, array_like=True):
    """What is live of one stack of allocations, innermost frame first; `python`: by its heap."""

    frames: tuple[CodeFrame, ...]
    python: bool
    bytes: int
    blocks: int


class LineGain(msgspec.Struct, frozen=True, array_like=True):
    """What one line gained in both heaps, as called from the line at position `above` (-1: none).

    A caller stands before what it calls.
    """

    function: str
    file: str
    line: int
    above: int
    python: int
    malloc: int


class TraceSurvey(Answer, frozen=True, kw_only=True):
    """What is live after `calls` traced calls, by stack; or what each line gained."""

    calls: int
    tracer: str = ""
    sees_malloc: bool = False
    stacks: tuple[LiveStack, ...] = ()
    peak: tuple[LiveStack, ...] = ()
    peak_bytes: int = 0
    flame_graph: bool = False
    lines: tuple[LineGain, ...] = ()


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
