"""Find the line that leaves memory behind, from what each line gained over many calls.

The one line whose own gain is the judged growth is it, unless another line loses as much: what is
allocated for a moment is given back elsewhere. Where there is none, or more than one, gains count
along the chain of calls: from the outermost line inwards, the line is followed that gains it while
no other beside it gains or loses much, and it ends where a line's own gain is most of it. What a
line allocates and another frees cancels in the lines above both. Nothing is guessed beyond that.
"""

import msgspec

from memcurve.explain.places import kept_frames
from memcurve.model.allocations_survey import LineGain, TraceSurvey
from memcurve.model.findings import Site

NEAR = 0.25
"""Of the growth that is looked for: a count of some dozen calls is off the verdict's slope by what
a container gains in steps. Chosen; the labelled leaks hold it."""
OWN_SHARE = 0.5
"""A line whose own gain is most of the growth is where it happens; else a line that it calls is."""
LEAST_SHARE = 0.3
"""Of the growth: a line beside the one that is followed counts from here on, and stops it there."""
ALIKE = 0.05
"""Of a gain: so near a loss must be to answer it. Both are counted to the block."""
MOST_FRAMES = 12
"""Frames that a site is told with, as those of a traced one."""
NOBODY = -1


class _Line(msgspec.Struct):
    """A line as it was called from another: its own gain, and with all that it calls."""

    function: str
    file: str
    number: int
    above: int
    own: int
    malloc: int
    whole: int = 0

    @property
    def place(self) -> str:
        return f"{self.file}:{self.number}"


def growing_line(
    counted: TraceSurvey, bytes_per_call: float, *, of_malloc: bool = False
) -> Site | None:
    """Return the line that gains what a call leaves behind; None if no line gains that much.

    Where it is malloc's heap that grows, only malloc's bytes count.
    """
    calls = max(counted.calls, 1)
    lines = _tree(counted.lines, of_malloc)
    wanted = bytes_per_call * calls
    found = _alone(lines, wanted)
    if found == NOBODY:
        found = _inwards(lines, wanted)
    return _site(lines, found, calls) if found != NOBODY else None


def _tree(gains: tuple[LineGain, ...], of_malloc: bool) -> list[_Line]:
    """Return the lines; a caller stands before what it calls."""
    lines = []
    for gain in gains:
        own = gain.malloc if of_malloc else gain.python + gain.malloc
        lines.append(
            _Line(gain.function, gain.file, gain.line, gain.above, own, gain.malloc, whole=own)
        )
    for line in reversed(lines):
        if line.above != NOBODY:
            lines[line.above].whole += line.whole
    return lines


def _alone(lines: list[_Line], wanted: float) -> int:
    """Return where the one line that gains about as much as is wanted gains most."""
    gains: dict[str, int] = {}
    for line in lines:
        gains[line.place] = gains.get(line.place, 0) + line.own
    near = {place: gain for place, gain in gains.items() if _is_near(gain, wanted)}
    left = near.keys() - _given_back(near, gains)
    if len(left) != 1:
        return NOBODY
    at = [position for position, line in enumerate(lines) if line.place in left]
    return max(at, key=lambda position: lines[position].own)


def _given_back(near: dict[str, int], gains: dict[str, int]) -> set[str]:
    """Return those of `near` of which another line loses as much: what they gain came and went.

    A line's loss answers one gain, the nearest; of gains equally near, nobody knows which.
    """
    pairs = sorted(
        (abs(gain + loss), place, loser)
        for place, gain in near.items()
        for loser, loss in gains.items()
        if abs(gain + loss) <= ALIKE * gain
    )
    found: set[str] = set()
    answered: dict[str, int] = {}
    for apart, place, loser in pairs:
        if place not in found and answered.setdefault(loser, apart) == apart:
            found.add(place)
    return found


def _inwards(lines: list[_Line], wanted: float) -> int:
    """Follow the growth as far as it is plain: to where lines beside it gain or lose as well."""
    below: dict[int, list[int]] = {}
    for position, line in enumerate(lines):
        below.setdefault(line.above, []).append(position)
    found = NOBODY
    while moved := [p for p in below.get(found, []) if abs(lines[p].whole) >= LEAST_SHARE * wanted]:
        if len(moved) > 1 or not _is_near(lines[moved[0]].whole, wanted):
            break
        found = moved[0]
        if lines[found].own >= OWN_SHARE * wanted:
            break
    return found


def _is_near(gain: float, wanted: float) -> bool:
    return abs(gain - wanted) <= NEAR * wanted


def _site(lines: list[_Line], found: int, calls: int) -> Site:
    line = lines[found]
    stack: list[str] = []
    while found != NOBODY:
        stack.append(lines[found].place)
        found = lines[found].above
    return Site(
        site=line.place,
        function=line.function,
        bytes_per_call=line.whole / calls,
        blocks_per_call=0.0,
        native=2 * line.malloc > line.own,
        stack=kept_frames(tuple(stack), MOST_FRAMES),
    )
