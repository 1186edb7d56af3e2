"""Make one group of many whose holders have one shape: ten loggers that each gain a handler.

Two holders have one shape if they are entries of one container, or the same attribute of instances
of one class. What a module or a class holds by name is itself and never merged.
"""

from __future__ import annotations

import gc
from typing import AbstractSet, Any, DefaultDict, Dict, Hashable, List, Optional, Tuple

from . import labels
from .groups import Group
from .references import referents_of

MANY = 3
"""Holders that count as many: two are told one by one, and each by its own name."""
MOST_SHAPES = 8
"""Kinds of holder and survivor that are looked at: each costs one or two looks at the heap."""


def merged(groups: List[Group], least_bytes: float, theirs: AbstractSet[int]) -> List[Group]:
    """Return the groups, those whose holders have one shape made one; the heaviest lends its path.

    Looked at are those that together have `least_bytes`. `theirs` are the ids of what was there
    before the worker looked: nothing else can be a holder.
    """
    alike: DefaultDict[Tuple[type, type], List[Group]] = DefaultDict(list)
    for group in groups:
        if group.holder is not None and not group.holder.frame_label:
            alike[type(group.holder.thing), group.kind].append(group)
    many = [found for found in alike.values() if _weighs(found, least_bytes)]
    many.sort(key=lambda found: -sum(group.bytes for group in found))
    gone = set()
    for found in many[:MOST_SHAPES]:
        for same in _by_shape(found, theirs).values():
            if len(same) >= MANY:
                same.sort(key=lambda group: -group.bytes)
                for other in same[1:]:
                    same[0].absorb(other)
                    gone.add(id(other))
    return [group for group in groups if id(group) not in gone]


def _weighs(groups: List[Group], least_bytes: float) -> bool:
    return len(groups) >= MANY and sum(group.bytes for group in groups) >= least_bytes


def _by_shape(groups: List[Group], theirs: AbstractSet[int]) -> Dict[Hashable, List[Group]]:
    holders = [group.holder.thing for group in groups if group.holder is not None]
    shapes = _shapes(holders, theirs)
    found: DefaultDict[Hashable, List[Group]] = DefaultDict(list)
    for group in groups:
        assert group.holder is not None
        shape = shapes.get(id(group.holder.thing))
        if shape is not None:
            found[shape].append(group)
    return found


def _shapes(holders: List[Any], theirs: AbstractSet[int]) -> Dict[int, Hashable]:
    """Return {id of a holder: its shape} of those that have one."""
    wanted = {id(holder) for holder in holders}
    shapes: Dict[int, Hashable] = {}
    dictionaries: List[Any] = []
    for referrer in _referrers(holders, theirs):
        if type(referrer) is dict:
            dictionaries.append(referrer)
            continue
        for child in referents_of(referrer):
            shape = _below(referrer, child) if id(child) in wanted else None
            if shape is not None:
                shapes[id(child)] = shape
    owners = _owners(dictionaries, theirs)
    for dictionary in dictionaries:
        owner = owners.get(id(dictionary))
        for key, child in list(dict.items(dictionary)):
            if id(child) not in wanted or _is_named(owner):
                continue
            shape = (id(dictionary), "[*]") if owner is None else (type(owner), "." + str(key))
            shapes.setdefault(id(child), shape)
    return shapes


def _owners(dictionaries: List[Any], theirs: AbstractSet[int]) -> Dict[int, Any]:
    """Return {id of a dictionary: the instance, class or module whose namespace it is}."""
    wanted = {id(one) for one in dictionaries}
    found: Dict[int, Any] = {}
    for owner in _referrers(dictionaries, theirs) if dictionaries else ():
        if labels.is_a(owner, type):
            found.update((id(one), owner) for one in referents_of(owner) if id(one) in wanted)
        else:
            namespace = labels.namespace_of(owner)
            if namespace is not None and id(namespace) in wanted:
                found[id(namespace)] = owner
    return found


def _below(referrer: Any, child: Any) -> Optional[Hashable]:
    """Return the shape of a child below what refers to it, None where that has none."""
    if _is_named(referrer):
        return None
    if labels.entry(referrer) is not None:
        return id(referrer), "[*]"
    label = labels.label(referrer, child)
    return (type(referrer), label) if label.startswith(".") else None


def _is_named(thing: Any) -> bool:
    return labels.is_a(thing, (type, type(gc)))


def _referrers(things: List[Any], theirs: AbstractSet[int]) -> List[Any]:
    return [
        one
        for one in gc.get_referrers(*things)
        # the namespace of an instance may be made by a look at it
        if (id(one) in theirs or type(one) is dict) and not labels.is_ours(one)
    ]
