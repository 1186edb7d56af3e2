"""What an allocations pass answers: what is live, by the stack or the line that made it."""

import msgspec

from memcurve.model.answers import Answer


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
