"""Find who holds an object: the shortest way up to a place that a person recognises.

A root is a module global, a class attribute, an `lru_cache`, a suspended or running frame, an event
loop, a thread local, a context variable, the value of the set-up, or one of the interpreter's own
lists (forks, exit, codecs). Where nothing in Python refers to the object any more, it is "held
outside Python"; nothing is guessed beyond that. Nothing may be frozen: the search does not see
frozen objects.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import types
from _thread import _local
from typing import AbstractSet, Any, Dict, Iterator, List, Optional, Sequence, Set, Tuple

from . import interpreter, labels
from .chain import Link, Root, passing, steps_below, variables
from .holders import namespace_owner
from .references import referents_of

OUTSIDE, TARGET = "held outside Python", "target"
DEEPEST, WIDEST = 24, 48
"""Steps up, and objects a level: each level is a look at the whole heap, and what many hold is held
by all of them."""


class Search:
    """Searches upwards from old objects; `named` are objects that are roots: {id: text}.

    `alive` are the ids of what there was before the search began: nothing else can be a holder.
    `untracked` are dictionaries that the collector does not list: these hold things, too.
    """

    def __init__(
        self,
        named: Dict[int, str],
        ignored: AbstractSet[int],
        alive: Optional[AbstractSet[int]] = None,
        untracked: Sequence[Any] = (),
    ) -> None:
        self._named, self._ignored, self._alive = named, ignored, alive
        self._untracked = untracked
        self._interpreter: Optional[Dict[int, str]] = None
        self._namespaces: Optional[Dict[int, Tuple[str, bool]]] = None
        self._cut_short = False

    def up(self, thing: Any) -> Root:
        """Return the nearest root that holds `thing`; costs a look at the heap for each level."""
        seen, level = {id(thing)}, [Link(thing, None, "")]
        weak: List[Root] = []
        self._cut_short = False
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
        kind = "unknown: more than %d steps away" % DEEPEST
        return Root(kind, steps_below(level[0], labels.describe(level[0].thing)))

    def leads_alone(self, thing: Any, holder: Any) -> bool:
        """Say whether nothing in the program leads to a thing but through `holder`."""
        known, self._ignored = self._ignored, self._ignored | {id(holder)}
        try:
            return self.up(thing).kind in (OUTSIDE, "suspended frame")
        finally:
            self._ignored = known

    def _above(self, level: List[Link], seen: Set[int]) -> List[Link]:
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
                self._cut_short = True
                break
        found.extend(self._frames_above(level))
        return found or list(self._untracked_above(level, seen))

    def _untracked_above(self, level: List[Link], seen: Set[int]) -> Iterator[Link]:
        """Dictionaries of text, bytes and numbers alone: `gc.get_referrers` does not find them."""
        for holder in self._untracked:
            node = None if id(holder) in seen else self._held_by(holder, level)
            if node is not None:
                seen.add(id(holder))
                yield node

    def _is_later(self, referrer: Any) -> bool:
        """Say whether the search itself made a thing; an instance's `__dict__` may be as young."""
        if self._alive is None or id(referrer) in self._alive:
            return False
        owner = namespace_owner(referrer)
        return owner is None or labels.is_ours(owner)

    def _held_by(self, referrer: Any, level: List[Link]) -> Optional[Link]:
        direct = {id(item) for item in referents_of(referrer)}
        for node in level:
            if id(node.thing) in direct:
                return Link(referrer, node, labels.label(referrer, node.thing))
        return None

    def _frames_above(self, level: List[Link]) -> Iterator[Link]:
        """Running frames of other threads: the collector does not list what they hold."""
        wanted = {id(node.thing): node for node in level}
        for _, frame in labels.thread_frames():
            if labels.is_ours(frame):
                continue
            for text, value in labels.edges(frame):
                if id(value) in wanted and text.startswith(" local"):
                    yield Link(frame, wanted[id(value)], text)

    def _root(self, node: Link) -> Optional[Root]:
        thing = node.thing
        if id(thing) in self._named:
            kind = self._named[id(thing)]
            first = kind if kind != TARGET else labels.describe(thing)
            return Root(passing("", node) or kind, steps_below(node, first))
        if labels.is_a(thing, types.ModuleType):
            return Root("module global", steps_below(node, thing.__name__)) if node.below else None
        if labels.is_a(thing, dict):
            return self._module_namespace(node)
        return self._kind(node)

    def _kind(self, node: Link) -> Optional[Root]:
        thing = node.thing
        if labels.is_a(thing, type) and node.below is not None:
            return Root("class attribute", steps_below(node, labels.type_name(thing)))
        if labels.is_a(thing, labels.LRU_WRAPPER):
            return Root("lru_cache", steps_below(node, labels.describe(thing)))
        if labels.is_a(thing, asyncio.AbstractEventLoop):
            return Root("event loop", steps_below(node, "event loop %s" % labels.describe(thing)))
        if labels.is_a(thing, _local):
            return Root(
                "thread local", steps_below(node, "thread local %s" % labels.describe(thing))
            )
        if labels.is_a(thing, contextvars.Context):
            return Root("context variable", [("", variables(thing))])  # its inside is nobody's
        if labels.is_a(thing, types.FrameType) and not _is_suspended(thing):
            weak = labels.is_stdlib(thing.f_code.co_filename)
            return Root("running frame", steps_below(node, labels.describe(thing)), weak)
        return None

    def _module_namespace(self, node: Link) -> Optional[Root]:
        if self._namespaces is None:
            self._namespaces = _namespaces()
        name, is_class = self._namespaces.get(id(node.thing), (None, False))
        if name is None or node.below is None:
            return None
        label = labels.label(node.thing, node.below.thing)
        attribute = "." + label[2:-2] if label.startswith("['") else label
        rest = steps_below(node.below, None)
        first = name + attribute, labels.describe(node.below.thing)
        kind = "class attribute" if is_class else "module global"
        return Root(passing(name, node) or kind, [first] + rest)

    def _dead_end(self, level: List[Link]) -> Root:
        """Nothing in Python refers to what is left: ask the interpreter's own lists."""
        for node in level:
            if labels.is_a(node.thing, labels.SUSPENDED):
                return Root("suspended frame", steps_below(node, labels.describe(node.thing)))
        if self._interpreter is None:
            self._interpreter = interpreter.lists()
        for node in level:
            kind = self._interpreter.get(id(node.thing))
            if kind is not None:
                return Root(kind, steps_below(node, kind))
        if self._cut_short:  # what was passed by may lead to a root
            kind = "unknown: more than %d objects hold it" % WIDEST
            return Root(kind, steps_below(level[0], labels.describe(level[0].thing)))
        return Root(OUTSIDE, steps_below(level[0], OUTSIDE))


def _is_suspended(frame: types.FrameType) -> bool:
    return any(labels.is_a(r, labels.SUSPENDED) for r in gc.get_referrers(frame))


def _namespaces() -> Dict[int, Tuple[str, bool]]:
    """Return {id of a namespace: (name, whether it is a class's)} of all modules and classes."""
    found: Dict[int, Tuple[str, bool]] = {}
    for thing in gc.get_objects():
        if labels.is_a(thing, type):
            for referent in referents_of(thing):
                if type(referent) is dict:
                    found[id(referent)] = labels.type_name(thing), True
                    break
    for module in list(sys.modules.values()):
        if labels.is_a(module, types.ModuleType):
            found[id(vars(module))] = module.__name__, False
    return found


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
