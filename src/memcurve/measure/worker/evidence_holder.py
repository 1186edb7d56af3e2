"""Note what the holder of a group is: a cache, a list of listeners, a weak dictionary."""

from __future__ import annotations

import gc
import re
import types
import weakref
from typing import Any, Callable, Iterator, List, Optional

from . import labels
from .references import referents_of

MOST_PARTS = 400
"""Objects below a value among which its key is looked for: limits time."""
REMOVERS = re.compile(r"^(remove|unregister|unsubscribe|disconnect|detach|discard|unlisten)", re.I)
LISTENING = re.compile(r"listener|receiver|handler|callback|observer|hook|subscri|filter", re.I)


def container_owner(thing: Any) -> Any:
    """Return the instance that has a container as an attribute, None where it is nobody's."""
    for referrer in gc.get_referrers(thing):
        if labels.is_a(referrer, dict):
            for above in gc.get_referrers(referrer):
                if labels.namespace_of(above) is referrer and not _is_place(above):
                    return above
        elif _names(referrer, thing) and not _is_place(referrer) and not labels.is_ours(referrer):
            return referrer
    return None


def _is_place(thing: Any) -> bool:
    return labels.is_a(thing, (types.ModuleType, type, types.FunctionType, types.FrameType))


def _names(holder: Any, thing: Any) -> bool:
    """Say whether an instance of a class has a thing as an attribute."""
    if labels.is_a(holder, (list, tuple, set, frozenset, dict, types.CellType)):
        return False
    return labels.label(holder, thing).startswith(".")


def wrapper_of(owner: Any) -> Any:
    """Return the `lru_cache` whose entries a dictionary has, or that this is; None for all else."""
    if labels.is_a(owner, labels.LRU_WRAPPER):
        return owner
    if type(owner) is not dict:
        return None
    caches = (r for r in gc.get_referrers(owner) if labels.is_a(r, labels.LRU_WRAPPER))
    return next(caches, None)


def of_cache(things: List[Any], owner: Any) -> List[str]:
    """Return the bound that an `lru_cache` declares, and the class whose method it is on."""
    wrapper = wrapper_of(owner)
    if wrapper is None:
        return []
    maxsize = wrapper.cache_info().maxsize
    found = ["maxsize=%s" % maxsize]
    kinds = {kind for kind in map(_class_with(wrapper), things) if kind is not None}
    if kinds:
        found.append("method=%s" % ", ".join(sorted(map(labels.type_name, kinds))))
    return found


def _class_with(wrapper: Any) -> Callable[[Any], Optional[type]]:
    """Return a function that gives the class of a key's first part, if the cache is its method."""

    def of(thing: Any) -> Optional[type]:
        for part in _parts_of_key(thing):
            for ancestor in type(part).__mro__:
                for value in list(vars(ancestor).values()):
                    found = value.fget if labels.is_a(value, property) else value
                    if found is wrapper:
                        return type(part)
        return None

    return of


def _parts_of_key(thing: Any) -> Iterator[Any]:
    """Yield the instances among the arguments of a cached call, from whatever holds its key."""
    yield thing
    if labels.is_a(thing, (list, tuple)) or type(thing).__name__ == "_lru_list_elem":
        for part in referents_of(thing):
            yield part
            if labels.is_a(part, (list, tuple)):
                for inner in referents_of(part):
                    yield inner


def remover(owner: Any) -> List[str]:
    """Name the method by which an entry of a list of listeners is taken out again."""
    if not labels.is_a(owner, (list, dict, set)):
        return []
    above = container_owner(owner)
    if above is None or not LISTENING.search(labels.label(above, owner)):
        return []
    kind, stem = type(above), labels.label(above, owner).strip("._").lower().rstrip("s")
    names = {name for ancestor in kind.__mro__[:-1] for name in vars(ancestor)}
    fitting = sorted((n for n in names if REMOVERS.match(n)), key=lambda n: stem not in n.lower())
    return ["remover=%s.%s" % (kind.__qualname__, fitting[0])] if fitting else []


def is_weak_key(owner: Any, things: List[Any]) -> bool:
    """Say whether values of a `WeakKeyDictionary` lead to the keys that they stand under."""
    if type(owner) is not dict:
        return False
    above = container_owner(owner)
    if not labels.is_a(above, weakref.WeakKeyDictionary):
        return False
    wanted = {id(value): key for key, value in list(owner.items())}
    keys = [(thing, wanted[id(thing)]()) for thing in things if id(thing) in wanted]
    return bool(keys) and all(key is not None and _leads_to(value, key) for value, key in keys)


def _leads_to(thing: Any, wanted: Any) -> bool:
    seen, queue = {id(thing)}, [thing]
    while queue and len(seen) < MOST_PARTS:
        for part in referents_of(queue.pop(0)):
            if part is wanted:
                return True
            if id(part) not in seen and not _is_place(part):
                seen.add(id(part))
                queue.append(part)
    return False
