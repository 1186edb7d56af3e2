"""Weigh what a holder keeps by letting it go: cut the references, and see which bytes are freed.

This counts what no size of an object tells, such as the certificates inside a TLS context. It
destroys the measured program, so it comes last in a process that ends after it.
"""

from __future__ import annotations

import collections
import time
import types
from functools import partial
from typing import AbstractSet, Any, Callable, Dict, Iterable, List, Optional, Tuple

from . import labels
from .counters import Counters
from .holders import children

Find = Callable[[int], Any]  # a living object by its id, else None
Step = List[Any]  # label, what is there, its type, malloc bytes

SHARE = 0.5
"""A part carries the weight of its head if cutting it off frees half of it: two cannot both."""
LEAST_NATIVE_BYTES = 2048
"""Of malloc's, a call: less is not looked for part by part. Chosen: a half of it still stands out
from what the allocators' own caches take and give back around one cut."""
MOST_STEPS = 12
"""Steps down: a vendor's client over an HTTP client, its transport, pool, connection, and the TLS
context, each with a container between, are about so many."""
TRIES = 6
"""Parts of a head that are tried at each step: the likeliest first, and each try costs a head."""
MOST_OBJECTS = 2000
"""Objects below a head that are looked at, once for part of each ranked head: limits time."""
RANKED = 8
"""Heads that are looked at before each step: more than may be tried."""
PLAIN = (  # what carries no weight of its own to speak of
    *(str, bytes, int, float, type(None), type, types.ModuleType),
    *(types.FunctionType, types.BuiltinFunctionType),
)
FIXED = (tuple, types.MethodType)


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


class ReleaseMeter:
    """Reads both heaps around a cut, within limits of CPU time and of the clock."""

    def __init__(
        self, counters: Counters, settle: Callable[[], None], cpu_s: float, wall_s: float
    ) -> None:
        self._counters, self._settle = counters, settle
        self._cpu, self._wall = time.process_time() + cpu_s, time.monotonic() + wall_s
        self._settled = False

    def settled(self) -> Tuple[int, int]:
        """Settle, unless nothing was cut since, and return (Python bytes, malloc bytes)."""
        if not self._settled:
            self._settle()
            self._settled = True
        return self.read()

    def out_of_time(self) -> bool:
        return time.process_time() > self._cpu or time.monotonic() > self._wall

    def read(self) -> Tuple[int, int]:
        return self._counters.python.read(), self._counters.malloc.read()

    def freed_by(
        self, let_go: Callable[[], bool], enough: Optional[float] = None
    ) -> Optional[Tuple[int, int]]:
        """Cut, settle, and return (Python bytes, malloc bytes) that this freed; None: no cut.

        What an earlier cut still has to free must not count for this one. So a settle comes before,
        or, where `enough` malloc bytes are asked for, instead: bytes that go with the reference are
        seen at once; what needs the collector is not believed while an earlier cut waits for it.
        """
        before = self.settled() if enough is None else self.read()
        if not let_go():
            return None
        after = self.read()
        waiting, self._settled = not self._settled, False
        if enough is None or (before[1] - after[1] < enough and not waiting):
            after = self.settled()
        return before[0] - after[0], before[1] - after[1]


def walk_down(
    group_heads: Iterable[int],
    find: Find,
    born: AbstractSet[int],
    meter: ReleaseMeter,
    native_each: float,
) -> List[Step]:
    """Follow the reference whose cut frees most of a head, a fresh head for each try.

    `find(id)` returns a living head; `born` are the ids of what the calls made, for what is older
    cannot carry their weight. Returns the steps down to what carries the native weight. What a
    tuple or a bound method holds cannot be cut off: its only part, if it has one, is followed
    untried.
    """
    heads = list(group_heads)
    trail: List[str] = []
    steps: List[Step] = []
    while heads and len(trail) < MOST_STEPS and not meter.out_of_time():
        at = _follow(find(heads[-1]), trail)
        names, fixed = _children(at, born), labels.is_a(at, FIXED)
        if fixed:
            if len(names) != 1 or len(_parts(at)) != 1:
                break
            step: Optional[Step] = _step(at, names[0]) + [steps[-1][3] if steps else 0]
        else:
            at = None
            step = _heaviest(heads, find, born, trail, meter, native_each)
        if step is None:
            break
        trail.append(step[0])
        steps.append(step)
    return steps


def _parts(holder: Any) -> List[Any]:
    return [part for part in children(holder) if not labels.is_a(part, PLAIN)]


def _heaviest(
    heads: List[int],
    find: Find,
    born: AbstractSet[int],
    trail: List[str],
    meter: ReleaseMeter,
    native_each: float,
) -> Optional[Step]:
    """Return the step to the first child whose cut frees half of a head.

    Tried first is what alone leads to most objects: one head's part may be kept by a traceback or a
    task too, which another head does not have.
    """
    tried = 0
    waiting = _candidates(heads, find, born, trail)
    while waiting and tried < TRIES:
        for name in list(waiting):
            fresh = [key for key in waiting[name] if key in heads]
            if not fresh:
                del waiting[name]
                continue
            if tried >= TRIES or len(heads) < 2 or meter.out_of_time():
                return None
            tried += 1
            heads.remove(fresh[0])
            step = _try(partial(find, fresh[0]), born, trail, name, meter, native_each)
            if step is not None:
                return step
    return None


def _candidates(
    heads: List[int], find: Find, born: AbstractSet[int], trail: List[str]
) -> Dict[str, List[int]]:
    """Return {label: heads on which most hangs on that reference alone, the most first}.

    The label on which most hangs comes first.
    """
    found: Dict[str, List[Tuple[int, int]]] = {}
    for key in heads[-RANKED:]:
        head = find(key)
        holder = _follow(head, trail)
        whole = _reached(head, born)
        for name in _children(holder, born):
            without = _reached(head, born, holder, _child(holder, name))
            found.setdefault(name, []).append((whole - without, key))
    for pairs in found.values():
        pairs.sort(key=lambda pair: -pair[0])
    names = sorted(found, key=lambda name: -found[name][0][0])
    return {name: [key for _, key in found[name]] for name in names}


def _reached(head: Any, born: AbstractSet[int], holder: Any = None, child: Any = None) -> int:
    """Return how many born objects a head leads to, but for one reference."""
    around = {id(holder), id(labels.namespace_of(holder))} if child is not None else set()
    seen, stack = {id(head)}, [head]
    while stack and len(seen) < MOST_OBJECTS:
        thing = stack.pop()
        cut_here = id(thing) in around
        for referent in children(thing):
            key = id(referent)
            if key in born and key not in seen and not (cut_here and referent is child):
                seen.add(key)
                stack.append(referent)
    return len(seen)


def _step(holder: Any, name: str) -> Step:
    child = _child(holder, name)
    return [name, labels.describe(child), labels.type_name(type(child))]


def _try(
    find: Callable[[], Any],
    born: AbstractSet[int],
    trail: List[str],
    name: str,
    meter: ReleaseMeter,
    native_each: float,
) -> Optional[Step]:
    """Let go of one named part of a head; return the step if that frees half of its weight."""
    holder = _follow(find(), trail)
    child = _child(holder, name)
    if child is None:
        return None
    step = _step(holder, name)
    key = id(child)
    holder = child = None
    freed = meter.freed_by(lambda: _let_go(find(), born, key), SHARE * native_each)
    if freed is None or freed[1] < SHARE * native_each:
        return None
    return step + [freed[1]]


def _let_go(head: Any, born: AbstractSet[int], key: int) -> bool:
    """Cut every reference below a head to the part with this id; say whether there was one.

    A pool and its open connections may hold one TLS context: it is the head's all the same.
    """
    done = False
    seen, stack = {id(head), key}, [head]
    while stack and len(seen) < MOST_OBJECTS:
        thing = stack.pop()
        found = children(thing)
        if any(id(part) == key for part in found):
            done = cut(_namespace(thing, {key}), {key}) or done
        for part in found:
            if id(part) in born and id(part) not in seen:
                seen.add(id(part))
                stack.append(part)
    return done


def _namespace(holder: Any, ids: AbstractSet[int]) -> Any:
    """Return the dictionary that holds the attribute, where the holder has one."""
    attributes = labels.namespace_of(holder)
    if attributes is not None and any(id(value) in ids for value in attributes.values()):
        return attributes
    return holder


def _children(holder: Any, born: AbstractSet[int]) -> List[str]:
    """Return the labels of the references that may carry weight, each once."""
    names: Dict[str, None] = {}
    for text, value in labels.edges(holder):
        if not labels.is_a(value, PLAIN) and text != ".__dict__" and id(value) in born:
            names[text] = None
    return list(names)


def _child(holder: Any, name: str) -> Any:
    for text, value in labels.edges(holder):
        if text == name:
            return value
    return None


def _follow(head: Any, trail: List[str]) -> Any:
    for name in trail:
        head = _child(head, name)
    return head
