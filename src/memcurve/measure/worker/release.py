"""Weigh what a holder keeps by letting it go: cut the references, and see which bytes are freed.

This counts what no size of an object tells, such as the certificates inside a TLS context. It
destroys the measured program, so it comes last in a process that ends after it.
"""

from __future__ import annotations

import collections
import re
import time
import types
from typing import AbstractSet, Any, Callable, Dict, Iterable, List, Optional, Tuple

from . import labels
from .counters import Counters

Find = Callable[[int], Any]  # a living object by its id, else None
Step = List[Any]  # label, what is there, its type, malloc bytes

SHARE = 0.5
LEAST_NATIVE_BYTES = 2048
MOST_STEPS, TRIES = 12, 3
PLAIN = (  # what carries no weight of its own to speak of
    *(str, bytes, int, float, type(None), type, types.ModuleType),
    *(types.FunctionType, types.BuiltinFunctionType),
)

LIKELY = re.compile(  # what owns native memory in most libraries, or leads to it
    "client|http|session|transport|pool|conn|context|ssl|engine|stream|socket|handle|buffer",
    re.I,
)


def cut(holder: Any, ids: AbstractSet[int]) -> bool:
    """Remove a holder's references to the objects with these ids; say whether that was done."""
    if labels.is_a(holder, labels.LRU_WRAPPER):
        holder.cache_clear()
    elif labels.is_a(holder, dict):
        for key, value in list(dict.items(holder)):
            if id(value) in ids or id(key) in ids:
                _delete(holder, key)
    elif labels.is_a(holder, (list, collections.deque)):
        # the place stays: what shrinks with the container is not the objects' own
        for place, item in enumerate(list(holder)):
            if id(item) in ids:
                holder[place] = None
    elif labels.is_a(holder, set):
        for item in [item for item in holder if id(item) in ids]:
            set.discard(holder, item)
    elif labels.is_a(holder, types.CellType):
        holder.cell_contents = None
    else:
        return _cut_attributes(holder, ids)
    return True


def _delete(holder: Any, key: Any) -> None:
    kind: Any = collections.OrderedDict if labels.is_a(holder, collections.OrderedDict) else dict
    kind.__delitem__(holder, key)


def _cut_attributes(holder: Any, ids: AbstractSet[int]) -> bool:
    done = False
    for text, value in list(labels.edges(holder)):
        if id(value) in ids and text.startswith("."):
            value = None
            try:
                object.__setattr__(holder, text[1:], None)
                done = True
            except Exception:
                continue
    return done


class Scales:
    """Reads both heaps around a cut, within limits of CPU time and of the clock."""

    def __init__(
        self, counters: Counters, settle: Callable[[], None], cpu_s: float, wall_s: float
    ) -> None:
        self._counters, self._settle = counters, settle
        self._cpu, self._wall = time.process_time() + cpu_s, time.monotonic() + wall_s
        self._settled = False
        self.python = self.malloc = 0  # freed so far

    def out_of_time(self) -> bool:
        return time.process_time() > self._cpu or time.monotonic() > self._wall

    def read(self) -> Tuple[int, int]:
        return self._counters.python.read(), self._counters.malloc.read()

    def freed_by(
        self, holder: Any, ids: AbstractSet[int], enough: Optional[float] = None
    ) -> Optional[Tuple[int, int]]:
        """Cut, settle, and return (Python bytes, malloc bytes) that this freed; None: no cut.

        With `enough` malloc bytes freed at once, the settle behind the cut is spared, and made up
        for before the next: what this cut still has to free must not count for that one.
        """
        if not self._settled:
            self._settle()
        before = self.read()
        if not cut(holder, ids):
            return None
        after = self.read()
        self._settled = enough is None or before[1] - after[1] < enough
        if self._settled:
            self._settle()
            after = self.read()
        freed = before[0] - after[0], before[1] - after[1]
        self.python += freed[0]
        self.malloc += freed[1]
        return freed


def walk_down(
    group_heads: Iterable[int],
    find: Find,
    born: AbstractSet[int],
    scales: Scales,
    native_each: float,
) -> List[Step]:
    """Follow the reference whose cut frees most of a head, a fresh head for each try.

    `find(id)` returns a living head; `born` are the ids of what the calls made, for what is older
    cannot carry their weight. Returns the steps down to what carries the native weight. What a
    tuple holds cannot be cut off: its only part, if it has one, is followed untried.
    """
    heads = list(group_heads)
    trail: List[str] = []
    steps: List[Step] = []
    while heads and len(trail) < MOST_STEPS and not scales.out_of_time():
        at = _follow(find(heads[-1]), trail)
        names, fixed = _children(at, born), labels.is_a(at, tuple)
        if fixed:
            if len(names) != 1 or len(_parts(at)) != 1:
                break
            step: Optional[Step] = _step(at, names[0]) + [steps[-1][3] if steps else 0]
        else:
            at = None
            step = _heaviest(names, heads, find, trail, scales, native_each)
        if step is None:
            break
        trail.append(step[0])
        steps.append(step)
    return steps


def _parts(holder: Iterable[Any]) -> List[Any]:
    return [part for part in holder if not labels.is_a(part, PLAIN)]


def _heaviest(
    names: List[str],
    heads: List[int],
    find: Find,
    trail: List[str],
    scales: Scales,
    native_each: float,
) -> Optional[Step]:
    """Return the step to the first child whose cut frees half of a head, in three rounds.

    One head may be kept by something else too, such as a task that has not ended.
    """
    for _ in range(TRIES):
        for name in names:
            if len(heads) < 2 or scales.out_of_time():
                return None
            step = _try(find(heads.pop()), trail, name, scales, native_each)
            if step is not None:
                return step
    return None


def _step(holder: Any, name: str) -> Step:
    child = _child(holder, name)
    return [name, labels.describe(child), labels.type_name(type(child))]


def _try(
    head: Any, trail: List[str], name: str, scales: Scales, native_each: float
) -> Optional[Step]:
    """Cut one named reference of one head; return the step if that frees half of its weight."""
    holder = _follow(head, trail)
    head = None
    child = _child(holder, name)
    if child is None:
        return None
    step = [name, labels.describe(child), labels.type_name(type(child))]
    ids = {id(child)}
    child = None
    freed = scales.freed_by(_namespace(holder, ids), ids, SHARE * native_each)
    if freed is None or freed[1] < SHARE * native_each:
        return None
    return step + [freed[1]]


def _namespace(holder: Any, ids: AbstractSet[int]) -> Any:
    """Return the dictionary that holds the attribute, where the holder has one."""
    attributes = labels.namespace_of(holder)
    if attributes is not None and any(id(value) in ids for value in attributes.values()):
        return attributes
    return holder


def _children(holder: Any, born: AbstractSet[int]) -> List[str]:
    """Return the labels of the references that may carry weight, each once, likely ones first."""
    names: Dict[str, bool] = {}
    for text, value in labels.edges(holder):
        if labels.is_a(value, PLAIN) or text == ".__dict__" or id(value) not in born:
            continue
        kind = type(value)
        known = kind in (dict, list, tuple) or LIKELY.search("%s %s" % (text, kind.__name__))
        names.setdefault(text, bool(known))
    return sorted(names, key=lambda text: not names[text])


def _child(holder: Any, name: str) -> Any:
    for text, value in labels.edges(holder):
        if text == name:
            return value
    return None


def _follow(head: Any, trail: List[str]) -> Any:
    for name in trail:
        head = _child(head, name)
    return head
