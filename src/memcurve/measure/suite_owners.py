"""Say of many containers at once whether a tool owns them, a few steps up the heap."""

import gc
import types
from typing import Any

from memcurve.measure.suite_tools import Tools
from memcurve.measure.worker import labels
from memcurve.measure.worker.interpreter_bugs import referents_of

STEPS = 5
"""Levels upwards: each is one look at the heap for all containers together. A list in a dictionary
in an attribute of an attribute of an object is four away from it."""
_ENDS = (types.ModuleType, type, types.FunctionType)


def of_tools(things: list[Any], tools: Tools, private: set[int]) -> frozenset[int]:
    """Return the ids of those that only tools are found to own, before anyone else is."""
    places = {id(thing): {number} for number, thing in enumerate(things)}
    level, seen = list(things), set(places) | private
    tool: set[int] = set()
    other: set[int] = set()
    for _ in range(STEPS):
        seen |= {id(level), id(places)}
        referrers = gc.get_referrers(*level)
        above: dict[int, set[int]] = {}
        next_level: list[Any] = []
        for referrer in referrers:
            if id(referrer) in seen or referrer is referrers or labels.is_a(referrer, _FRAMES):
                continue
            numbers = _numbers_below(referrer, places)
            if not numbers:
                continue
            if tools.own(referrer) or tools.is_namespace(referrer):
                tool |= numbers - other
            elif labels.is_a(referrer, _ENDS) or _names_module(referrer):
                other |= numbers - tool
            else:
                above[id(referrer)] = numbers
                next_level.append(referrer)
        seen |= {id(referrers), id(above), id(next_level), *above}
        places, level = above, next_level
        if not level:
            break
    return frozenset(id(things[number]) for number in tool - other)


_FRAMES = (types.FrameType, types.GeneratorType)


def _numbers_below(referrer: Any, places: dict[int, set[int]]) -> set[int]:
    found: set[int] = set()
    for child in referents_of(referrer):
        found |= places.get(id(child), set())
    return found


def _names_module(thing: Any) -> bool:
    return type(thing) is dict and "__name__" in thing and "__loader__" in thing
