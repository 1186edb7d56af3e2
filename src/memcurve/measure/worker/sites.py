"""Find the line that makes an object, by tracing a few more calls with tracemalloc."""

import contextlib
import ctypes
import gc

from . import labels
from .allocations import trimmed

FRAMES = 16
NEAR = 4000
# the collector's header, and the pointers to a managed `__dict__`, stand before an object
HEADER_BYTES = (0, 16, 32)


@contextlib.contextmanager
def traced():
    """Trace Python's allocators meanwhile."""
    import tracemalloc

    tracemalloc.start(FRAMES)
    try:
        yield
    finally:
        tracemalloc.stop()


def children(holder):
    """Return the ids of what a holder refers to now."""
    return frozenset() if holder is None else frozenset(map(id, gc.get_referents(holder.thing)))


def of_group(group, before):
    """Return the frames, innermost first, in which a new object like a group's heads was made.

    The newest that was traced tells it; [] if none was, as where growth is rarer than the calls.
    """
    if group.holder is not None:
        new = [t for t in gc.get_referents(group.holder.thing) if id(t) not in before]
        found = _first_site(_below(new, group.kind))
        if found:
            return found
        return _first_site(t for t in gc.get_objects() if type(t) is group.kind)
    return _first_site(t for t in gc.get_objects() if type(t) is group.kind)


def _below(things, kind):
    """Yield objects of a type among new objects and what they refer to, the nearest first."""
    seen, level = set(), things[::-1]
    while level and len(seen) < NEAR:
        for thing in level:
            if type(thing) is kind:
                yield thing
        seen.update(map(id, level))
        level = [
            child
            for child in gc.get_referents(*level[:200])
            if id(child) not in seen and not isinstance(child, type)
        ]


def _first_site(things):
    rest = []
    for thing in things:
        if labels.is_ours(thing):
            continue
        found = frames_of(thing)
        if found:
            return found
        if len(rest) < 20:
            rest.append(thing)
    for thing in rest:
        for child in gc.get_referents(thing):
            found = frames_of(child)
            if found:
                return found
    return []


def frames_of(thing):
    """Return [[file, line], …] of the allocation of an object, [] if it was not traced."""
    try:
        read = ctypes.pythonapi._PyTraceMalloc_GetTraceback
    except AttributeError:
        return _by_the_book(thing)
    read.restype, read.argtypes = ctypes.py_object, [ctypes.c_uint, ctypes.c_size_t]
    for offset in HEADER_BYTES:
        trace = read(0, id(thing) - offset)
        if trace is not None:
            return _plain([(frame[0], frame[1]) for frame in trace])
    return []


def _by_the_book(thing):
    import tracemalloc

    trace = tracemalloc.get_object_traceback(thing)
    if trace is None:
        return []
    return _plain([(frame.filename, frame.lineno) for frame in reversed(trace)])


def _plain(frames):
    return [[name, line] for _, name, line in trimmed([("", name, line) for name, line in frames])]
