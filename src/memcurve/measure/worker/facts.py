"""Say everything about one group of survivors as plain values."""

from __future__ import annotations

import re
import sys
import types
from typing import Any, Dict, List, Optional, Tuple

from . import block_sizes, bounds, evidence, interpreter, labels, retention_path, roots
from .chain import Root
from .evidence_holder import container_owner, wrapper_of
from .evidence_waiting import task_of
from .groups import Group
from .holders import Holder
from .references import referents_of
from .survey import Survey

MOST_TYPES = 12
SAMPLE_CHARACTERS = 32
"""Of a text that stays: enough to know it again, too few for most of what is secret."""


def facts(group: Group, survey: Survey, search: roots.Search, *, samples: bool) -> Dict[str, Any]:
    """Return type, counts, bytes, root, path, bound and traits of one group."""
    label, owner = retention_path.label_of(group, survey)
    first, inner = retention_path.inner_steps(group, survey)
    root = _root(group, label, owner, first, search)
    heads = len(group.heads)
    entries = [_entries_bytes(holder) for holder in group.holders]
    same = group.types[group.kind][0]
    return {
        "type": _kind_of(group, survey, root),
        "objects": heads if heads * 10 >= same else same,
        "bytes": group.bytes,
        "malloc": group.malloc,
        "later": len(group.all_heads) - heads,
        "holders": len(group.holders),
        "root": root.kind,
        "path": _general(root.steps) + inner if len(group.holders) > 1 else root.steps + inner,
        "holder": labels.describe(group.holder.thing) if group.holder is not None else "",
        "entries_before": group.holder.before if group.holder is not None else None,
        "entries_after": group.holder.after if group.holder is not None else None,
        "entries_bytes": sum(python + malloc for python, malloc in entries),
        "entries_malloc": sum(malloc for _, malloc in entries),
        "bound": _bound_of(group, owner),
        "sample": sample_of(survey.things[group.heads[0]]) if samples and heads else "",
        "traits": _traits(group, survey, search),
        "types": [
            [labels.type_name(kind), count, size]
            for kind, (count, size) in sorted(group.types.items(), key=lambda item: -item[1][1])
        ][:MOST_TYPES],
    }


def sample_of(thing: Any) -> str:
    """Return the beginning of a text or of bytes as Python writes it; "" for all else."""
    if type(thing) not in (str, bytes):
        return ""
    text = repr(thing[:SAMPLE_CHARACTERS])
    return text + "…" if len(thing) > SAMPLE_CHARACTERS else text


def _bound_of(group: Group, owner: Any) -> str:
    """Return the declared bound of what holds a group, as text; "" if it declares none."""
    if group.holder is None:
        return ""
    held = group.holder.thing
    for thing in (held, owner, wrapper_of(held), container_owner(held)):
        if thing is None or labels.is_a(thing, (types.ModuleType, type)):
            continue
        for _, name, bounded, size, bound in bounds._bounded(thing):
            if bounded is thing or bounded is held:
                return "%s: %d of %d" % (name, size, bound)
    return ""


def _traits(group: Group, survey: Survey, search: roots.Search) -> List[str]:
    """Return words that advice goes by."""
    return evidence.of_group(group, survey, search.leads_alone)


def _kind_of(group: Group, survey: Survey, root: Root) -> str:
    """Return the name of the heads' type; of callbacks, that of the object whose method it is."""
    things = [survey.things[key] for key in group.heads]
    owned = [retention_path.owners_of(thing)[-1:] for thing in things]
    owners = {type(owner) for found in owned for _, owner in found}
    if not all(owned):
        owners.clear()
    if things and all(map(task_of, things)):
        owners = {type(task_of(thing)) for thing in things}
    if root.kind == "lru_cache":
        # a cache's keys are tuples of arguments; the instance among them is what is kept
        keys = [thing for thing in things if labels.is_a(thing, tuple)]
        owners.update(
            type(part)
            for key in keys
            for part in referents_of(key)
            if id(part) in survey.things and type(part).__module__ != "builtins"
        )
    return labels.type_name(owners.pop() if len(owners) == 1 else group.kind)


def _entries_bytes(holder: Holder) -> Tuple[int, int]:
    """Return what the entries that a container gained added to itself, (Python, malloc) bytes."""
    if holder.before is None or holder.after <= holder.before:
        return 0, 0
    size, entries = sys.getsizeof(holder.thing), max(len(referents_of(holder.thing)), 1)
    if labels.is_a(holder.thing, list) and size == holder.size_before:
        return 0, 0  # it was made that long
    grown = size * (holder.after - holder.before) // entries
    return (grown, 0) if size <= block_sizes.LARGEST_SMALL else (0, grown)


def _general(steps: List[labels.Step]) -> List[labels.Step]:
    """Return the steps to one of many holders without the key that leads to this one."""
    return [(_KEY.sub("[*]", label), below) for label, below in steps]


_KEY = re.compile(r"\['[^']*'\]|\[\d+\]")


def _root(group: Group, label: str, owner: Any, first: str, search: roots.Search) -> Root:
    """Return the root above a holder, with the step from the holder to the new object below it."""
    if group.holder is None:
        signal = interpreter.signal_of(group.all_heads)
        kind = "signal handler" if signal else roots.OUTSIDE
        return Root(kind, [("", "%s of %s" % (kind, signal) if signal else kind)])
    place = _named_place(owner)
    if place is not None:
        kind, name = place
        return Root(kind, [(name + label, first)])
    root = search.up(owner)
    if first.startswith("hamt"):
        return root
    return Root(root.kind, root.steps + [labels.step(label, first)])


def _named_place(thing: Any) -> Optional[Tuple[str, str]]:
    """Return (kind of root, name) of a holder that is a root itself, else None."""
    if labels.is_a(thing, types.ModuleType):
        name = thing.__name__
        return "logging" if name.partition(".")[0] == "logging" else "module global", name
    if labels.is_a(thing, type):
        return "class attribute", labels.type_name(thing)
    if labels.is_a(thing, types.FrameType):
        return "running frame", labels.describe(thing)
    return None
