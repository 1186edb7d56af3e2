"""Find the line that makes an object, by tracing a few more calls with tracemalloc."""

from __future__ import annotations

import ctypes
import gc
import time
from typing import AbstractSet, Any, Dict, Iterable, Iterator, List, Set, Tuple

from . import labels
from .allocations import trimmed
from .groups import Group
from .references import referents_of

Frames = List[List[Any]]  # [file, line], innermost first

DEEP, SHALLOW = 100, 5
"""Frames that are traced: to the user's own line through a framework, and to a library's. Each that
is there costs about as much again as tracing itself."""
DEEP_S = 2.0
"""CPU seconds of calls after which shallow traces must do: as much as the looks themselves cost."""
NEAR = 4000
"""Objects below the new ones of a holder whose lines are asked for: a limit on time."""
MOST_TYPES = 60
"""Types whose lines are told of one group: a client of a vendor is made of some dozens."""
FEW = 50
"""Entries of a holder that are asked for their trace: a new one has one, an old one has none."""
# the collector's header, and the pointers to a managed `__dict__`, stand before an object
HEADER_BYTES = (0, 16, 32)


class Tracing:
    """tracemalloc, deep while that is affordable: what was traced before a change is forgotten."""

    def __init__(self) -> None:
        import tracemalloc

        self._tracemalloc, self._began_s = tracemalloc, time.process_time()

    def __enter__(self) -> Tracing:  # noqa: PYI034 - CPython 3.8 has no Self
        self._tracemalloc.start(DEEP)
        return self

    def __exit__(self, *about: object) -> None:
        self._tracemalloc.stop()

    def spare(self) -> None:
        """Trace few frames from here on, if many have cost too much."""
        deep = self._tracemalloc.get_traceback_limit() == DEEP
        if deep and time.process_time() - self._began_s > DEEP_S:
            self._tracemalloc.stop()
            self._tracemalloc.start(SHALLOW)


def of_group(group: Group, before: AbstractSet[int]) -> Dict[str, Frames]:
    """Return {type: frames} of where new objects of a group were made, heads under their own type.

    The newest of each type that was traced tells it, frames innermost first; a type is missing
    where growth is rarer than the calls.
    """
    if group.holder is not None:
        new = group.children()
        if len(before) > FEW:  # of few, one may have come back at the address of another
            new = [thing for thing in new if id(thing) not in before]
    else:
        new = [t for t in gc.get_objects() if type(t) is group.kind]
    found: Dict[type, Frames] = {}
    for thing in _below(new):
        kind = type(thing)
        if kind not in found and len(found) < MOST_TYPES:
            frames = frames_of(thing)
            if frames:
                found[kind] = frames
    if group.kind not in found:
        heads = [t for t in gc.get_objects() if type(t) is group.kind]
        frames = _first(heads) or next(iter(found.values()), [])
        if frames:
            found[group.kind] = frames
    return {labels.type_name(kind): frames for kind, frames in found.items()}


def _below(things: List[Any]) -> Iterator[Any]:
    """Yield new objects and the new ones that they refer to, the nearest first.

    What is older is frozen meanwhile, so the collector lists the new ones.
    """
    young = frozenset(map(id, gc.get_objects()))
    seen: Set[int] = set()
    level = [t for t in things[::-1] if id(t) in young or not gc.is_tracked(t)]
    while level and len(seen) < NEAR:
        for thing in level:
            if not labels.is_ours(thing):
                yield thing
        seen.update(map(id, level))
        level = [
            child
            for child in referents_of(*level[:200])
            if id(child) not in seen and (id(child) in young or not gc.is_tracked(child))
        ]


def commonest(stacks: Iterable[Frames]) -> Frames:
    """Return the stack that made the most of these objects, [] where two made one object each.

    Between the calls something else may have made an object or two of the same type: one vote is
    no majority. Of stacks that made equally many, the first one tells.
    """
    votes: Dict[Tuple[Tuple[Any, ...], ...], int] = {}
    for frames in stacks:
        key = tuple(map(tuple, frames))
        votes[key] = votes.get(key, 0) + 1
    most = max(votes, key=lambda key: votes[key], default=())
    clear = len(votes) == 1 or votes.get(most, 0) > 1
    return [list(frame) for frame in most] if clear else []


def _first(things: Iterable[Any]) -> Frames:
    for thing in things:
        frames = [] if labels.is_ours(thing) else frames_of(thing)
        if frames:
            return frames
    return []


def _reader() -> Any:
    """Return the function that reads the trace of an address, None where it is not exported."""
    try:
        read = ctypes.pythonapi._PyTraceMalloc_GetTraceback
    except AttributeError:
        return None
    read.restype, read.argtypes = ctypes.py_object, [ctypes.c_uint, ctypes.c_size_t]
    return read


_READ = _reader()  # made before anything is traced: what it takes is not the program's


def frames_of(thing: Any) -> Frames:
    """Return [[file, line], …] of the allocation of an object, [] if it was not traced."""
    if _READ is None:
        return _by_the_book(thing)
    for offset in HEADER_BYTES:
        trace = _READ(0, id(thing) - offset)
        if trace is not None:
            return _plain([(frame[0], frame[1]) for frame in trace])
    return []


def frames_at(address: int) -> Frames:
    """Return [[file, line], …] of the allocation of a block, [] if it was not traced."""
    trace = _READ(0, address) if _READ is not None else None
    return _plain([(frame[0], frame[1]) for frame in trace]) if trace is not None else []


def _by_the_book(thing: Any) -> Frames:
    import tracemalloc

    trace = tracemalloc.get_object_traceback(thing)
    if trace is None:
        return []
    return _plain([(frame.filename, frame.lineno) for frame in reversed(trace)])


def _plain(frames: Iterable[Tuple[str, int]]) -> Frames:
    return [[name, line] for _, name, line in trimmed([("", name, line) for name, line in frames])]
