"""Count live bytes line by line: which line leaves memory behind, whoever allocates it.

Needs nothing but the two counters, so it sees what no tracer does: malloc called by a library where
memray is missing, or reached through `dlsym`. Before and after each line of Python that runs, both
heaps are read; what changed meanwhile belongs to that line. A line that makes a temporary object
gains what another one loses, so lines are told apart by what stays after many calls.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, Callable, Dict, List, Optional, Tuple

from .allocations import OWN_FOLDER, Frame

Place = Tuple[Frame, ...]  # the line first, then its callers
Trace = Callable[[FrameType, str, Any], Any]

MOST_LINES = 20000
DEEPEST = 12


class LineCounter:
    """A trace function that charges every change of the heaps to the line that runs."""

    name = "lines"
    sees_malloc, settles = True, False  # what settling frees belongs to no line

    def __init__(self, python: Callable[[], int], malloc: Callable[[], int]) -> None:
        self._python, self._malloc = python, malloc
        self._gains: Dict[Place, List[int]] = {}
        self._current: Optional[Place] = None
        self._last = (0, 0)

    def start(self) -> None:
        self._last = self._python(), self._malloc()
        sys.settrace(self._on_call)

    def stop(self) -> None:
        sys.settrace(None)

    def _charge(self) -> None:
        python, malloc = self._python(), self._malloc()
        if self._current is not None:
            entry = self._gains.get(self._current)
            if entry is None and len(self._gains) < MOST_LINES:
                entry = self._gains[self._current] = [0, 0]
            if entry is not None:
                entry[0] += python - self._last[0]
                entry[1] += malloc - self._last[1]

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Optional[Trace]:
        if frame.f_code.co_filename.startswith(OWN_FOLDER):
            return None
        return self._on_line(frame, "line", argument)

    def _on_line(self, frame: FrameType, event: str, argument: Any) -> Trace:
        self._charge()
        if event == "return":
            above = frame.f_back
            ours = above is None or above.f_code.co_filename.startswith(OWN_FOLDER)
            self._current = None if ours else _place(above)
        else:
            self._current = _place(frame)
        # what this function itself keeps is not the program's
        self._last = self._python(), self._malloc()
        return self._on_line

    def read(self, flame_graph: Optional[str] = None, keep: Optional[str] = None) -> Dict[str, Any]:
        """Return {"stacks"} like the tracers: [frames, python, bytes, blocks] of each line."""
        rows: List[List[Any]] = []
        for places, (python, malloc) in self._gains.items():
            frames = [list(place) for place in places]
            rows.append([frames, True, python, 0])
            rows.append([frames, False, malloc, 0])
        return {"stacks": rows, "peak_bytes": 0, "peak": []}


def _place(frame: Optional[FrameType]) -> Place:
    """Return the frames from here outwards, as (function, file, line), up to the worker's own."""
    places: List[Frame] = []
    while frame is not None and len(places) < DEEPEST:
        code = frame.f_code
        if code.co_filename.startswith(OWN_FOLDER):
            break
        places.append((code.co_name, code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(places)
