"""Find containers that declare a bound and are not full yet: caches that are filling up.

Read are `functools.lru_cache`, `collections.deque(maxlen)`, and instances that carry an integer
attribute named like a bound (`maxsize`, `max_entries`, `capacity` …) beside a `__len__` or a
container of their own (cachetools, most hand-written LRUs). What a bound says is a claim of the
code, not a proof: the judge compares it with the curve.
"""

from __future__ import annotations

import collections
import functools
import gc
import re
import sys
import types
from typing import Any, Deque, Dict, Iterable, Iterator, List, Optional, Tuple

from .references import referents_of

# kind, name, the container, its entries, its bound
Found = Tuple[str, str, Any, int, int]

BOUND = re.compile(
    r"^(_[A-Za-z]\w*?__)?_*(max_?(cache_?)?(size|len|length|entries|items|keys|count)|capacity)$",
    re.I,
)
CONTAINERS = (dict, list, set, collections.OrderedDict, collections.deque)
PASSED_BY = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.FrameType,
    types.CodeType,
    types.MethodType,
)
MOST_OBJECTS = 20000
WRAPPER = type(functools.lru_cache(maxsize=1)(lambda: None))


class _Rehearsed:
    maxsize = 2

    def __init__(self) -> None:
        self.entries = {1: "one"}


def rehearsal() -> List[Any]:
    """Return one container of each sort: a first look at them makes what later looks reuse."""
    cached = functools.lru_cache(maxsize=2)(lambda key: key)
    cached(1)
    return [cached, collections.deque([1], maxlen=2), _Rehearsed()]


def filling(things: Optional[Iterable[Any]] = None) -> List[Dict[str, Any]]:
    """Return every bounded container, of `things` or of all, that holds something and is not full.

    Each is {"kind", "name", "id", "size", "bound", "entry_bytes"}; `entry_bytes` is the shallow
    size of everything reachable from it but code, divided by its entries. Costs one look at every
    tracked object (about 30 ms for 200,000).
    """
    found: List[Found] = []
    for thing in gc.get_objects() if things is None else things:
        try:
            containers = list(_bounded(thing))
        except Exception:  # an object that cannot be asked must not end the measurement
            continue
        found.extend(entry for entry in containers if 0 < entry[3] < entry[4])
    _NAMES.clear()
    return [
        {
            "kind": kind,
            "name": name,
            "id": id(holder),
            "size": size,
            "bound": bound,
            "entry_bytes": reachable_bytes(holder) / size,
        }
        for kind, name, holder, size, bound in found
    ]


def _bounded(thing: Any) -> Iterator[Found]:
    kind = type(thing)
    if kind is WRAPPER:
        information = thing.cache_info()
        if information.maxsize is not None:
            function = getattr(thing, "__wrapped__", thing)
            name = "%s.%s" % (
                getattr(function, "__module__", "?"),
                getattr(function, "__qualname__", "lru_cache"),
            )
            yield "lru_cache", name, thing, information.currsize, information.maxsize
    elif kind is collections.deque:
        if thing.maxlen is not None:
            yield "deque", "deque(maxlen=%d)" % thing.maxlen, thing, len(thing), thing.maxlen
    elif not issubclass(kind, PASSED_BY) and kind.__module__ != "builtins":
        for found in _declared(thing, kind):
            yield found


def _declared(thing: Any, kind: type) -> Iterator[Found]:
    names = _names_of(kind)
    if names is None:
        return
    bound_names, other_names = names
    for name in bound_names:
        bound = _read(thing, name)
        if type(bound) is not int or bound <= 0:
            continue
        label = "%s.%s(%s=%d)" % (kind.__module__, kind.__qualname__, name, bound)
        if hasattr(kind, "__len__"):
            yield kind.__name__, label, thing, len(thing), bound
            continue
        for other in other_names:
            value = _read(thing, other)
            if type(value) in CONTAINERS:
                yield kind.__name__, label, value, len(value), bound


_NAMES: Dict[
    type, Optional[Tuple[List[str], List[str]]]
] = {}  # emptied after every census: what is known of each class in it


def _names_of(kind: type) -> Optional[Tuple[List[str], List[str]]]:
    """Return (names like a bound, all other names) that the code of a class sets or holds.

    None for a class without a name like a bound. The names come from the class's own code, because
    asking an instance for its `__dict__` would create one, and so change what is measured.
    """
    if kind not in _NAMES:
        names: set[str] = set()
        for ancestor in kind.__mro__[:-1]:
            for name, value in list(vars(ancestor).items()):
                code = getattr(value, "__code__", None)
                if code is not None:
                    names.update(code.co_names)
                elif not callable(value) and not isinstance(value, property):
                    names.add(name)
        bound_names = sorted(name for name in names if BOUND.match(name))
        others = sorted(names.difference(bound_names))
        _NAMES[kind] = (bound_names, others) if bound_names else None
    return _NAMES[kind]


def _read(thing: Any, name: str) -> Any:
    """Return an attribute without running code of the program: no properties, no `__getattr__`."""
    for ancestor in type(thing).__mro__:
        held = vars(ancestor).get(name)
        runs_code = held is not None and hasattr(type(held), "__get__")
        if runs_code and not isinstance(held, types.MemberDescriptorType):
            return None
    try:
        return object.__getattribute__(thing, name)
    except (AttributeError, TypeError):
        return None


def reachable_bytes(holder: Any) -> int:
    """Return the size, in allocator blocks, of what is reachable from `holder` but code."""
    seen = {id(holder)}
    queue: Deque[Any] = collections.deque(
        item for item in referents_of(holder) if not issubclass(type(item), PASSED_BY)
    )
    total = block_bytes(holder)
    while queue and len(seen) < MOST_OBJECTS:
        item = queue.popleft()
        if id(item) in seen or issubclass(type(item), PASSED_BY) or item is sys.modules:
            continue
        seen.add(id(item))
        total += block_bytes(item)
        queue.extend(referents_of(item))
    return total


def block_bytes(item: Any) -> int:
    """Return the allocator block that an object of this size takes, collector header included."""
    try:
        size = sys.getsizeof(item)
    except Exception:
        return 0
    return (size + 15) // 16 * 16
