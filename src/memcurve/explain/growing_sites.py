"""Subtract two traced stretches of calls, stack by stack: what grows, not what is held."""

from collections.abc import Iterable

import msgspec

from memcurve.explain.places import is_stdlib, kept_frames
from memcurve.model.allocations_survey import CodeFrame, LiveStack, TraceSurvey
from memcurve.model.findings import Site

MOST_FRAMES = 12
"""Frames that a site is told with: a screen is not wider, and what is outside is the test's."""
LEAST_SHARE = 0.01
"""Of all that grows: what is lighter cannot be told from what a free list keeps."""

_Key = tuple[tuple[CodeFrame, ...], bool]


class _Gain(msgspec.Struct):
    """What the stacks that share a place gained, and the one of them that gained most."""

    bytes: int = 0
    blocks: int = 0
    stack: tuple[CodeFrame, ...] = ()
    most: int = 0

    def add(self, stack: tuple[CodeFrame, ...], size: int, blocks: int) -> None:
        self.bytes += size
        self.blocks += blocks
        if size > self.most or not self.stack:
            self.stack, self.most = stack, max(size, 0)


def growing_sites(short: TraceSurvey, long: TraceSurvey) -> tuple[Site, ...]:
    """Return the call sites whose live bytes grow with the calls, the steepest first.

    A stack that holds as much after the short stretch as after the long one falls out.
    """
    calls = max(long.calls - short.calls, 1)
    before, after = _by_stack(short.stacks), _by_stack(long.stacks)
    gains: dict[tuple[str, bool], _Gain] = {}
    for (stack, python), (size, blocks) in after.items():
        had = before.get((stack, python), (0, 0))
        gain = gains.setdefault((_place(stack), python), _Gain())
        gain.add(stack, size - had[0], blocks - had[1])
    for (stack, python), (size, blocks) in before.items():
        place = _place(stack), python
        if (stack, python) not in after and place in gains:
            gains[place].bytes -= size
            gains[place].blocks -= blocks
    return _ranked(gains, calls)


def _by_stack(stacks: Iterable[LiveStack]) -> dict[_Key, tuple[int, int]]:
    merged: dict[_Key, tuple[int, int]] = {}
    for live in stacks:
        had = merged.get((live.frames, live.python), (0, 0))
        merged[live.frames, live.python] = (had[0] + live.bytes, had[1] + live.blocks)
    return merged


def _place(stack: tuple[CodeFrame, ...]) -> str:
    places = [frame.place for frame in stack]
    return next((place for place in places if not is_stdlib(place)), places[0])


def _ranked(gains: dict[tuple[str, bool], _Gain], calls: int) -> tuple[Site, ...]:
    total = sum(gain.bytes for gain in gains.values() if gain.bytes > 0)
    rows = sorted(gains.items(), key=lambda item: -item[1].bytes)
    return tuple(
        _site(place, python, gain.stack, gain.bytes / calls, gain.blocks / calls)
        for (place, python), gain in rows
        if gain.bytes > 0 and gain.bytes >= LEAST_SHARE * total
    )


def _site(
    place: str, python: bool, stack: tuple[CodeFrame, ...], size: float, blocks: float
) -> Site:
    names = [frame.function for frame in stack if frame.place == place]
    return Site(
        site=place,
        function=names[0] if names else "",
        bytes_per_call=size,
        blocks_per_call=blocks,
        native=not python,
        stack=kept_frames(tuple(frame.place for frame in stack), MOST_FRAMES),
    )


def held_at_peak(traced: TraceSurvey) -> tuple[Site, ...]:
    """Return the sites that held most at the high-water mark; bytes in all, not a call."""
    rows = [
        _site(_place(stack), python, stack, size, blocks)
        for (stack, python), (size, blocks) in _by_stack(traced.peak).items()
    ]
    return tuple(sorted(rows, key=lambda site: -site.bytes_per_call))
