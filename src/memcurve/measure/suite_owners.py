"""Say of many containers at once who owns them: the nearest name above each, a few steps up."""

import gc
import sys
import types
from typing import Any

from memcurve.measure.suite_tools import Tools
from memcurve.measure.worker import labels
from memcurve.measure.worker.interpreter_bugs import collector_referents_of as referents_of
from memcurve.model.suite import KeptBy

STEPS = 5
"""Levels upwards: each is one look at the heap for all containers together. A list in a dictionary
in an attribute of an attribute of an object is four away from it."""
FOR_OTHERS = frozenset(
    (
        "asyncio",
        "atexit",
        "concurrent",
        "contextvars",
        "http",
        "logging",
        "multiprocessing",
        "signal",
        "socketserver",
        "sqlite3",
        "subprocess",
        "threading",
        "unittest",
        "urllib",
        "weakref",
        "xmlrpc",
    )
)
"""Modules of the standard library that keep what a program gives them, and so are no caches."""
_FRAMES = (types.FrameType, types.GeneratorType)
_Places = dict[int, set[int]]


class Owners:
    """Looks upwards from containers; `private` are the ids of what this survey itself made."""

    def __init__(self, things: list[Any], tools: Tools, private: set[int]) -> None:
        self._things, self._tools = things, tools
        self._seen = private | set(map(id, things)) | {id(things)}
        self._found: dict[int, KeptBy] = {}

    def find(self) -> list[KeptBy]:
        """Return who owns each, "program" where no other is nearer or none was found.

        Costs a look at the heap for each of `STEPS` levels. Nothing may be frozen.
        """
        places: _Places = {}
        for number, thing in enumerate(self._things):
            places.setdefault(id(thing), set()).add(number)
        level = self._things
        for _ in range(STEPS):
            if not level:
                break
            level, places = self._above(level, places)
        return [self._found.get(number, "program") for number in range(len(self._things))]

    def _above(self, level: list[Any], places: _Places) -> tuple[list[Any], _Places]:
        referrers = gc.get_referrers(*level)
        above: _Places = {}
        next_level: list[Any] = []
        named: dict[int, set[KeptBy]] = {}
        self._seen |= {id(level), id(places), id(referrers), id(above), id(next_level), id(named)}
        for thing in referrers:
            if id(thing) in self._seen or labels.is_a(thing, _FRAMES):
                continue
            numbers = set().union(*(places.get(id(one), ()) for one in referents_of(thing)))
            numbers -= self._found.keys()
            owner = self._owner(thing)
            if owner is not None:
                for number in numbers:
                    named.setdefault(number, set()).add(owner)
            elif numbers:
                above[id(thing)] = numbers
                next_level.append(thing)
        self._found |= {number: _first_of(owners) for number, owners in named.items()}
        self._seen |= above.keys()
        return next_level, above

    def _owner(self, thing: Any) -> KeptBy | None:
        """Return whose a thing is if it has a name, None for a step in between."""
        if self._tools.own(thing) or self._tools.is_namespace(thing):
            return "tools"
        if labels.is_a(thing, labels.LRU_WRAPPER):
            return "cache"
        name = _name_of(thing)
        if name is None:
            return None
        return "cache" if is_library(name) else "program"


def is_library(module: str) -> bool:
    """Say whether a module is the standard library's and keeps nothing for others."""
    package = module.partition(".")[0]
    return package in sys.stdlib_module_names and package not in FOR_OTHERS


def _name_of(thing: Any) -> str | None:
    if type(thing) is dict and "__loader__" in thing:
        name = thing.get("__name__")
    elif labels.is_a(thing, type):
        name = thing.__module__
    elif labels.is_a(thing, types.ModuleType):
        name = thing.__name__
    elif labels.is_a(thing, types.FunctionType):
        name = thing.__module__
    else:
        return None
    return name if type(name) is str else None


def _first_of(owners: set[KeptBy]) -> KeptBy:
    """Return the owner that counts among equally near ones: the program, if it is one."""
    if "program" in owners:
        return "program"
    return "tools" if "tools" in owners else "cache"
