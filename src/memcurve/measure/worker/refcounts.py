"""Count references to what lives longer than the calls, and tell those that nothing holds.

An extension that forgets a decrement on an object that lives for ever leaks no byte; only the
object's count rises. All that the collector knows before the calls is counted before and after
three windows of calls. A count that rises by as much in each of them is looked at once more: what
of its rise no object that the collector knows explains is a reference that was lost, or is held
where nobody can see it.

    lost = rise of the count - rise of the references that are found in all tracked objects

What runs on a thread has references that nobody can read. So nothing is told where the calls leave
threads behind.

Atoms (text, numbers, None) are not counted: most that hold them are not known to the collector.
"""

from __future__ import annotations

import gc
import sys
import types
from typing import Any, Callable, Dict, List, Tuple

from . import labels
from .references import referents_of

STEADY = 0.1  # the windows' rises may differ by so much of the largest, and by one
LEAST_SHARE = 0.05  # references a call below which nothing is told: one in 20 calls
MOST_TOLD = 5
MOST_LOOKED_AT = 200  # counts that rise: what a leak of objects takes is found among them

Fact = Dict[str, Any]


def references(run: Callable[[int], None], calls: int) -> List[Fact]:
    """Return what lost references in each of four windows of `calls` calls, the most first."""
    run(calls)  # what is made once
    gc.collect()
    things = gc.get_objects()
    counts = [_counts(things)]
    for _ in range(3):
        run(calls)
        gc.collect()
        counts.append(_counts(things))
    rises = zip(*([b - a for a, b in zip(x, y)] for x, y in zip(counts, counts[1:])))
    risen = [(min(rise), thing) for thing, rise in zip(things, rises) if _steady(rise, calls)]
    del things, counts, rises
    risen = sorted(risen, key=lambda pair: -pair[0])[:MOST_LOOKED_AT]
    wanted = [thing for _, thing in risen if not labels.is_ours(thing)]
    del risen
    return _lost(run, calls, wanted) if wanted else []


def _counts(things: List[Any]) -> List[int]:
    return [sys.getrefcount(thing) for thing in things]


def _steady(rise: Tuple[int, ...], calls: int) -> bool:
    least, most = min(rise), max(rise)
    return least >= max(LEAST_SHARE * calls, 1) and most - least <= STEADY * most + 1


def _lost(run: Callable[[int], None], calls: int, wanted: List[Any]) -> List[Fact]:
    """Run one window more, and subtract from each rise what the collector's objects explain."""
    counted, held, running = _counts(wanted), _held(wanted), len(sys._current_frames())
    run(calls)
    gc.collect()
    if len(sys._current_frames()) > running:
        return []
    now, holds = _counts(wanted), _held(wanted)
    found: List[Fact] = []
    for number, thing in enumerate(wanted):
        lost = (now[number] - counted[number]) - (holds[number] - held[number])
        if lost >= max(LEAST_SHARE * calls, 1):
            found.append({"name": _name(thing), "per_call": lost / calls})
    return sorted(found, key=lambda fact: -fact["per_call"])[:MOST_TOLD]


def _held(wanted: List[Any]) -> List[int]:
    """Return how many references to each thing all tracked objects hold.

    What is not tracked itself, but held by what is, holds its type.
    """
    places = {id(thing): number for number, thing in enumerate(wanted)}
    held, atoms = [0] * len(wanted), set()
    for holder in gc.get_objects():
        if holder is wanted:
            continue
        for referent in referents_of(holder):
            number = places.get(id(referent))
            if number is not None:
                held[number] += 1
            number = places.get(id(type(referent)))
            if number is not None and not gc.is_tracked(referent) and id(referent) not in atoms:
                atoms.add(id(referent))
                held[number] += 1
    return held


def _name(thing: Any) -> str:
    """Return by which name a module knows a thing, or what it is."""
    if labels.is_a(thing, type) or labels.is_a(thing, types.FunctionType):
        return labels.describe(thing)
    for module in list(sys.modules.values()):
        if labels.is_a(module, types.ModuleType):
            for name, value in list(vars(module).items()):
                if value is thing:
                    return "%s.%s (%s)" % (module.__name__, name, labels.describe(thing))
    return labels.describe(thing)
