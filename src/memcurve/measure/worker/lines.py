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

from .allocations import OWN_FOLDER

Node = Tuple[str, str, int, int]  # function, file, line, and the number of its caller's node
Trace = Callable[[FrameType, str, Any], Any]

MOST_LINES = 50000
OUTERMOST, NOWHERE = -1, -2


class LineCounter:
    """A trace function that charges every change of the heaps to the line that runs.

    Lines are nodes of a tree: a line that is called from elsewhere is another one. So the whole way
    out is known, however deep the calls, for one look-up a line.
    """

    name = "lines"
    sees_malloc, settles = True, False  # what settling frees belongs to no line

    def __init__(self, python: Callable[[], int], malloc: Callable[[], int]) -> None:
        self._python, self._malloc = python, malloc
        self._numbers: Dict[Node, int] = {}
        self._gains: List[List[int]] = []
        self._current = NOWHERE
        self._last = (0, 0)

    def start(self) -> None:
        self._last = self._python(), self._malloc()
        sys.settrace(self._on_call)

    def stop(self) -> None:
        sys.settrace(None)

    def _charge(self) -> None:
        python, malloc = self._python(), self._malloc()
        if self._current >= 0:
            gain = self._gains[self._current]
            gain[0] += python - self._last[0]
            gain[1] += malloc - self._last[1]

    def _on_call(self, frame: FrameType, event: str, argument: Any) -> Optional[Trace]:
        if frame.f_code.co_filename.startswith(OWN_FOLDER):
            return None
        self._charge()
        above = self._above(frame)
        name, file = frame.f_code.co_name, frame.f_code.co_filename

        def on_line(frame: FrameType, event: str, argument: Any) -> Trace:
            self._charge()
            if event == "return":
                self._current = above if above != OUTERMOST else NOWHERE
            else:
                self._current = self._number((name, file, frame.f_lineno, above))
            # what this function itself keeps is not the program's
            self._last = self._python(), self._malloc()
            return on_line

        self._current = self._number((name, file, frame.f_lineno, above))
        self._last = self._python(), self._malloc()
        return on_line

    def _above(self, frame: FrameType) -> int:
        """Return the node of the line that calls a frame; lines of the worker itself are none."""
        chain: List[FrameType] = []
        above = frame.f_back
        while above is not None and not above.f_code.co_filename.startswith(OWN_FOLDER):
            chain.append(above)
            above = above.f_back
        number = OUTERMOST
        for one in reversed(chain):
            code = one.f_code
            number = self._number((code.co_name, code.co_filename, one.f_lineno, number))
        return number

    def _number(self, node: Node) -> int:
        number = self._numbers.get(node, NOWHERE)
        if number == NOWHERE and len(self._gains) < MOST_LINES:
            number = self._numbers[node] = len(self._gains)
            self._gains.append([0, 0])
        return number

    def read(self, flame_graph: Optional[str] = None, keep: Optional[str] = None) -> Dict[str, Any]:
        """Return {"lines": [function, file, line, position of its caller, python, malloc], …}.

        A caller stands before what it calls; the outermost have -1. There are no stacks.
        """
        rows = [[*node, *gain] for node, gain in zip(self._numbers, self._gains)]
        return {"lines": rows, "stacks": [], "peak_bytes": 0, "peak": []}
