"""Find who holds what outlived its test, and tell apart what tools, caches and imports keep."""

import collections
import gc
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import ReferenceType

from memcurve.measure.suite_lines import adding_lines
from memcurve.measure.suite_owners import Owners, is_library
from memcurve.measure.suite_tools import Tools
from memcurve.measure.worker import labels, roots
from memcurve.measure.worker.census import chunks, is_static
from memcurve.measure.worker.chain import Root
from memcurve.measure.worker.references import referents_of
from memcurve.model.suite import KeptBy, Survivors

Born = Mapping[int, tuple[str, int]]
Grown = list[tuple[Any, dict[str, int]]]

MOST_SEARCHED = 12
"""Groups whose way to a root is looked for, the heaviest: a level up costs a look at the heap."""


class _Group:
    """Survivors of one type that hang below one holder."""

    __slots__ = ("bytes", "head", "holder", "kept_by", "kind", "objects", "tests")

    def __init__(self, kind: type, head: Any, holder: Any) -> None:
        self.kind, self.head, self.holder = kind, head, holder
        self.objects = self.bytes = 0
        self.tests: collections.Counter[str] = collections.Counter()
        self.kept_by: KeptBy = "program"

    def add(self, test: str, size: int) -> None:
        self.objects += 1
        self.bytes += size
        self.tests[test] += size


def survivors_of(
    born: Born,
    watched: Grown,
    tools: Tools,
    private: set[int],
    is_worth: Callable[[int, int], bool],
    seconds: float,
) -> tuple[Survivors, ...]:
    """Return what is still alive by holder and type, the heaviest first.

    Nothing may be frozen. Costs one look at each reference of the heap, and one at each object for
    every level of the ways to a root, for about `seconds`.
    """
    objects = gc.get_objects()
    private = private | {id(objects)}
    alive = {id(t): t for t in objects if id(t) in born and born[id(t)][1] == id(type(t))}
    private.add(id(alive))
    for key in private & alive.keys():  # an address of a survivor that is gone, and ours now
        del alive[key]
    groups = [*_groups(alive, objects, born, tools, private).values(), *_of_watched(watched)]
    groups.sort(key=lambda group: -group.bytes)
    everything = frozenset(map(id, objects))
    ignored = private | {id(groups), id(everything), *map(id, groups)}
    del objects
    held = [group.holder for group in groups]
    owners = Owners(held, tools, ignored).find()
    ignored.add(id(held))
    search = roots.Search({}, ignored, everything)
    found = []
    searched, deadline = 0, time.monotonic() + seconds
    for group, owner in zip(groups, owners, strict=True):
        root, group.kept_by = None, owner
        if (
            owner == "program"
            and searched < MOST_SEARCHED
            and is_worth(len(group.tests), group.bytes)
        ):
            searched += 1
            root = search.up(group.head) if time.monotonic() < deadline else None
        found.append(_survivors(group, root, tools))
    return tuple(found)


def _groups(
    alive: dict[int, Any], objects: list[Any], born: Born, tools: Tools, private: set[int]
) -> dict[tuple[int, int], _Group]:
    """Reach survivors from what is older: what the program holds first, then what tools hold."""
    groups: dict[tuple[int, int], _Group] = {}
    seen: set[int] = set()
    counted: set[int] = set()
    later = []
    for holder, heads in _edges(alive, objects, private):
        if tools.own(holder) or tools.is_namespace(holder):
            later.append((holder, heads))
            continue
        for head in heads:
            _reach(groups, holder, head, alive, born, seen, counted, tools)
    del later  # what only tools hold is theirs
    return groups


def _edges(
    alive: dict[int, Any], objects: list[Any], private: set[int]
) -> Iterator[tuple[Any, list[Any]]]:
    """Yield (older holder, survivors that it refers to), weak references and frames left out."""
    ids = alive.keys()
    for piece in chunks(objects):
        if ids.isdisjoint(map(id, referents_of(*piece))):
            continue
        for holder in piece:
            if id(holder) in alive or id(holder) in private or labels.is_a(holder, _PASSED_BY):
                continue
            heads = [thing for thing in referents_of(holder) if id(thing) in alive]
            if heads:
                yield holder, heads


_PASSED_BY = (ReferenceType, types.FrameType)


def _reach(
    groups: dict[tuple[int, int], _Group],
    holder: Any,
    head: Any,
    alive: dict[int, Any],
    born: Born,
    seen: set[int],
    counted: set[int],
    tools: Tools,
) -> None:
    key = id(holder), id(type(head))
    queue = collections.deque([head])
    while queue:
        thing = queue.popleft()
        if id(thing) in seen or tools.own(thing):
            continue
        seen.add(id(thing))
        group = groups.setdefault(key, _Group(type(head), head, holder))
        group.add(born[id(thing)][0], _size(thing, counted))
        queue.extend(child for child in referents_of(thing) if id(child) in alive)


def _size(thing: Any, counted: set[int]) -> int:
    """Return the bytes of a survivor and of what only it holds and the collector does not track."""
    total = _own_size(thing)
    for child in referents_of(thing):
        if gc.is_tracked(child) or id(child) in counted or is_static(child):
            continue
        counted.add(id(child))
        if sys.getrefcount(child) <= HELD_ONCE:
            total += _own_size(child)
    return total


HELD_ONCE = 4
"""References to what one survivor alone holds: its own, the list's, the loop's, the argument's."""


def _own_size(thing: Any) -> int:
    try:
        return sys.getsizeof(thing)
    except Exception:  # a class of the program may define a size that fails
        return object.__sizeof__(thing)


def _of_watched(watched: Grown) -> Iterator[_Group]:
    """Yield what the collector does not track and old containers gained: bytes, text, numbers."""
    for container, grown in watched:
        entries = _newest(container, sum(grown.values()))
        gained = [kept for kept in map(_kept_of, entries) if kept]
        if gained:
            group = _Group(type(gained[0][0]), container, container)
            each = sum(_own_size(one) for kept in gained for one in kept) // len(gained)
            for test, count in grown.items():
                for _ in range(min(count, len(gained) - group.objects)):
                    group.add(test, each)
            yield group


def _newest(container: Any, count: int) -> list[tuple[Any, ...]]:
    """Return the last entries: of a dictionary (value, key), since either may be what is kept."""
    if labels.is_a(container, dict):
        return [(value, key) for key, value in list(dict.items(container))[-count:]]
    return [(value,) for value in list(container)[-count:]]


def _kept_of(entry: tuple[Any, ...]) -> list[Any]:
    """Return what of an entry counts; a value that the collector tracks is a survivor itself."""
    if gc.is_tracked(entry[0]):
        return []
    kept = [thing for thing in entry if not gc.is_tracked(thing) and not is_static(thing)]
    return [thing for thing in kept if type(thing) is not type]  # a class written in C


def _survivors(group: _Group, root: Root | None, tools: Tools) -> Survivors:
    return Survivors(
        kind=labels.type_name(group.kind),
        holder=_text(root) if root is not None else "",
        place=labels.position(group.head) if labels.is_a(group.head, types.FunctionType) else "",
        added_at=adding_lines(root) if root is not None else (),
        objects=group.objects,
        total_bytes=group.bytes,
        tests=tuple(test for test, _ in group.tests.most_common()),
        kept_by=_kept_by(group, root, tools),
    )


def _text(root: Root) -> str:
    steps = " → ".join(f"{label}: {what}" if label else what for label, what in root.steps)
    return f"{root.kind}: {steps}"


def _kept_by(group: _Group, root: Root | None, tools: Tools) -> KeptBy:
    if root is None:
        return group.kept_by
    first = root.steps[0][0] or root.steps[0][1] if root.steps else ""
    package = first.partition(".")[0].strip()
    if root.kind == "lru_cache" or _is_bounded(group.head):
        return "cache"
    if tools.is_tool(package):
        return "tools"
    if root.kind in ("module global", "class attribute") and is_library(package):
        return "import" if first.startswith("sys.modules") else "cache"
    return "program"


def _is_bounded(head: Any) -> bool:
    return labels.is_a(head, collections.deque) and head.maxlen is not None
