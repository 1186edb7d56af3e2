"""Find the line that makes a cycle, by tracing a call or two and looking at what they leave.

A cycle is made where its most telling member is: the object whose name its words begin with. Where
that was not traced, the next one round tells. Cycles that read alike vote; where no line has the
majority, or no member was traced, nothing is told.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from . import cycles, sites


class CycleLines:
    """Where the cycles of a few traced calls were made."""

    def __init__(self) -> None:
        self._stacks: Dict[Tuple[str, int], List[sites.Frames]] = {}

    def look(self, things: List[Any]) -> None:
        """Look at what one call left, which was traced."""
        garbage = cycles.Garbage(things)
        for shape in cycles.shapes(garbage):
            told = self._stacks.setdefault((shape.fact["words"], shape.fact["size"]), [])
            found = (_first(garbage, ring) for ring in shape.rings)
            told.extend(frames for frames in found if frames)

    @property
    def complete(self) -> bool:
        """Whether cycles were seen, and of each where it is made."""
        stacks = self._stacks.values()
        return bool(stacks) and all(map(sites.commonest, stacks))

    def facts(self) -> List[List[Any]]:
        """Return [words, members, frames] of each cycle whose line is known."""
        told = [(key, sites.commonest(stacks)) for key, stacks in self._stacks.items()]
        return [[words, size, frames] for (words, size), frames in told if frames]


def _first(garbage: cycles.Garbage, ring: List[int]) -> sites.Frames:
    for key in ring:
        frames = sites.frames_of(garbage.things[key])
        if frames:
            return frames
    return []
