"""Find who holds an object: the shortest way up to a place that a person recognises.

A root is a module global, a class attribute, an `lru_cache`, a suspended or running frame, an event
loop, a thread local, a context variable, the value of the set-up, or one of the interpreter's own
lists (forks, exit, codecs). Where nothing in Python refers to the object any more, it is "held
outside Python"; nothing is guessed beyond that. Nothing may be frozen: the search does not see
frozen objects.
"""

from __future__ import annotations

import asyncio
import atexit
import codecs
import contextvars
import gc
import os
import sys
import threading
import types
from _thread import _local
from typing import AbstractSet, Any, Dict, Iterator, List, Optional, Set, Tuple

from . import labels

OUTSIDE, TARGET = "held outside Python", "target"
DEEPEST, WIDEST = 24, 48
PASSING = (
    (types.TracebackType, "traceback of a kept exception"),
    (types.CellType, "closure cell"),
    (labels.LRU_WRAPPER, "lru_cache"),
    (labels.SUSPENDED, "suspended frame"),
)


class Root:
    """Where a way up ends, and the steps from there down; a weak one is the last resort."""

    __slots__ = ("kind", "steps", "weak")

    def __init__(self, kind: str, steps: List[str], weak: bool = False) -> None:
        self.kind, self.steps, self.weak = kind, steps, weak


class _Node:
    """An object on the way up, and the reference by which it holds the one below."""

    __slots__ = ("thing", "below", "label")

    def __init__(self, thing: Any, below: Optional[_Node], label: str) -> None:
        self.thing, self.below, self.label = thing, below, label


def _sentinel() -> None:
    return None


class Search:
    """Searches upwards from old objects; `named` are objects that are roots: {id: text}.

    `alive` are the ids of what there was before the search began: nothing else can be a holder.
    """

    def __init__(
        self,
        named: Dict[int, str],
        ignored: AbstractSet[int],
        alive: Optional[AbstractSet[int]] = None,
    ) -> None:
        self._named, self._ignored, self._alive = named, ignored, alive
        self._interpreter: Optional[Dict[int, str]] = None
        self._namespaces: Optional[Dict[int, Tuple[str, bool]]] = None

    def up(self, thing: Any) -> Root:
        """Return the nearest root that holds `thing`; costs a look at the heap for each level."""
        seen, level = {id(thing)}, [_Node(thing, None, "")]
        weak: List[Root] = []
        for _ in range(DEEPEST):
            roots = [root for root in map(self._root, level) if root is not None]
            weak.extend(root for root in roots if root.weak)
            strong = [root for root in roots if not root.weak]
            if strong:
                return min(strong, key=_rank)
            above = self._above(level, seen)
            if not above:
                return weak[0] if weak else self._dead_end(level)
            level = above
        return Root("unknown: more than %d steps away" % DEEPEST, _steps(level[0]))

    def _above(self, level: List[_Node], seen: Set[int]) -> List[_Node]:
        things = [node.thing for node in level]
        referrers = gc.get_referrers(*things)
        ignored = {id(things), id(level), id(referrers), id(seen)} | self._ignored
        ignored.update(id(node) for node in level)
        found = []
        for referrer in referrers:
            if id(referrer) in seen or id(referrer) in ignored or labels.is_ours(referrer):
                continue
            if self._is_later(referrer):
                continue
            seen.add(id(referrer))
            node = self._held_by(referrer, level)
            if node is not None:
                found.append(node)
            if len(found) >= WIDEST:
                break
        found.extend(self._frames_above(level))
        return found

    def _is_later(self, referrer: Any) -> bool:
        """Say whether the search itself made a thing; an instance's `__dict__` may be as young."""
        if self._alive is None or type(referrer) is dict:
            return False
        return id(referrer) not in self._alive

    def _held_by(self, referrer: Any, level: List[_Node]) -> Optional[_Node]:
        direct = {id(item) for item in gc.get_referents(referrer)}
        for node in level:
            if id(node.thing) in direct:
                return _Node(referrer, node, labels.label(referrer, node.thing))
        return None

    def _frames_above(self, level: List[_Node]) -> Iterator[_Node]:
        """Running frames of other threads: the collector does not list what they hold."""
        wanted = {id(node.thing): node for node in level}
        for _, frame in labels.thread_frames():
            if labels.is_ours(frame):
                continue
            for text, value in labels.edges(frame):
                if id(value) in wanted and text.startswith(" local"):
                    yield _Node(frame, wanted[id(value)], text)

    def _root(self, node: _Node) -> Optional[Root]:
        thing = node.thing
        if id(thing) in self._named:
            kind = self._named[id(thing)]
            first = kind if kind != TARGET else labels.describe(thing)
            return Root(_passing("", node) or kind, _below(node, first))
        if labels.is_a(thing, types.ModuleType):
            return Root("module global", _below(node, thing.__name__)) if node.below else None
        if labels.is_a(thing, dict):
            return self._module_namespace(node)
        return self._kind(node)

    def _kind(self, node: _Node) -> Optional[Root]:
        thing = node.thing
        if labels.is_a(thing, type) and node.below is not None:
            return Root("class attribute", _below(node, labels.type_name(thing)))
        if labels.is_a(thing, labels.LRU_WRAPPER):
            return Root("lru_cache", _below(node, labels.describe(thing)))
        if labels.is_a(thing, asyncio.AbstractEventLoop):
            return Root("event loop", _below(node, "event loop %s" % labels.describe(thing)))
        if labels.is_a(thing, _local):
            return Root("thread local", _below(node, "thread local %s" % labels.describe(thing)))
        if labels.is_a(thing, contextvars.Context):
            return Root("context variable", [_variables(thing)])  # its inside is nobody's
        if labels.is_a(thing, types.FrameType) and not _is_suspended(thing):
            weak = labels.is_stdlib(thing.f_code.co_filename)
            return Root("running frame", _below(node, labels.describe(thing)), weak)
        return None

    def _module_namespace(self, node: _Node) -> Optional[Root]:
        if self._namespaces is None:
            self._namespaces = _namespaces()
        name, is_class = self._namespaces.get(id(node.thing), (None, False))
        if name is None or node.below is None:
            return None
        label = labels.label(node.thing, node.below.thing)
        attribute = "." + label[2:-2] if label.startswith("['") else label
        rest = _below(node.below, None)
        first = "%s%s: %s" % (name, attribute, labels.describe(node.below.thing))
        kind = "class attribute" if is_class else "module global"
        return Root(_passing(name, node) or kind, [first] + rest)

    def _dead_end(self, level: List[_Node]) -> Root:
        """Nothing in Python refers to what is left: ask the interpreter's own lists."""
        for node in level:
            if labels.is_a(node.thing, labels.SUSPENDED):
                return Root("suspended frame", _below(node, labels.describe(node.thing)))
        if self._interpreter is None:
            self._interpreter = _interpreter_lists()
        for node in level:
            kind = self._interpreter.get(id(node.thing))
            if kind is not None:
                return Root(kind, _below(node, kind))
        return Root(OUTSIDE, _below(level[0], OUTSIDE))


def _is_suspended(frame: types.FrameType) -> bool:
    return any(labels.is_a(r, labels.SUSPENDED) for r in gc.get_referrers(frame))


def _namespaces() -> Dict[int, Tuple[str, bool]]:
    """Return {id of a namespace: (name, whether it is a class's)} of all modules and classes."""
    found: Dict[int, Tuple[str, bool]] = {}
    for thing in gc.get_objects():
        if labels.is_a(thing, type):
            for referent in gc.get_referents(thing):
                if type(referent) is dict:
                    found[id(referent)] = labels.type_name(thing), True
                    break
    for module in list(sys.modules.values()):
        if labels.is_a(module, types.ModuleType):
            found[id(vars(module))] = module.__name__, False
    return found


def _variables(context: contextvars.Context) -> str:
    """Return the variables of a context that hold something, by name."""
    names = sorted({variable.name for variable in context})
    return "context variable %s" % ", ".join(repr(name) for name in names[:3])


def _passing(name: str, node: _Node) -> Optional[str]:
    """Return the kind of root that what lies on the way makes of a module's or class's name."""
    if name.partition(".")[0] == "logging":
        return "logging"
    thing: Optional[_Node] = node
    while thing is not None:
        if labels.is_a(thing.thing, threading.Thread) and thing.thing.is_alive():
            return "running thread"
        if type(thing.thing).__module__.partition(".")[0] == "logging":
            return "logging"
        for kind, text in PASSING:
            if labels.is_a(thing.thing, kind):
                return text
        thing = thing.below
    return None


_RANKS = {
    "value of the set-up": 0,
    "target": 1,
    "lru_cache": 2,
    "class attribute": 3,
    "module global": 3,
    "running thread": 3,
}


def _rank(root: Root) -> Tuple[int, int]:
    return _RANKS.get(root.kind, 5), len(root.steps)


def _steps(node: _Node) -> List[str]:
    return _below(node, labels.describe(node.thing))


def _below(node: _Node, first: Optional[str]) -> List[str]:
    """Return the steps from a root down to where the search began, namespaces folded away.

    `first` is the root's own text, which the first step joins; None: it is told elsewhere.
    """
    steps = [] if first is None else [first]
    while node.below is not None:
        label, child = node.label, node.below
        if label == ".__dict__" and child.below is not None:
            key = labels.label(child.thing, child.below.thing)
            label = "." + key[2:-2] if key.startswith("['") else key
            child = child.below
        elif label == ".__closure__" and child.below is not None:
            label, child = _closure(node.thing, child.below)
        if (
            first is not None
            and steps == [first]
            and not labels.is_a(node.thing, types.FunctionType)
        ):
            steps = ["%s%s: %s" % (first, label, labels.describe(child.thing))]
        else:
            steps.append("%s: %s" % (label.strip(), labels.describe(child.thing)))
        node = child
    return steps


def _closure(function: Any, cell: _Node) -> Tuple[str, _Node]:
    label = labels.label(function, cell.thing)
    return (label, cell.below) if cell.below is not None else (label, cell)


def _interpreter_lists() -> Dict[int, str]:
    """Return {id: kind} of lists that only the interpreter holds, proved by a function of ours."""
    found: Dict[int, str] = {}
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_sentinel, after_in_child=_sentinel, after_in_parent=_sentinel)
        found.update((key, "os.register_at_fork") for key in _lists_around(_sentinel))
    codecs.register(_other_sentinel)
    found.update((key, "codecs.register") for key in _lists_around(_other_sentinel))
    atexit.register(_last_sentinel)
    found.update((key, "atexit") for key in _lists_around(_last_sentinel))
    atexit.unregister(_last_sentinel)
    return found


def _lists_around(function: Any) -> Set[int]:
    """Return the ids of the lists that hold a function, directly or within a tuple."""
    holders = gc.get_referrers(function)
    holders += [h for t in holders if labels.is_a(t, tuple) for h in gc.get_referrers(t)]
    return {id(holder) for holder in holders if labels.is_a(holder, list)} - {id(holders)}


def _other_sentinel(name: str) -> None:
    return None


def _last_sentinel() -> None:
    return None
