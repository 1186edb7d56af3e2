"""Write down the references from a root to what it holds, the way a person would."""

from __future__ import annotations

import contextvars
import threading
import types
from typing import Any, List, Optional, Tuple

from . import labels

PASSING = (
    (types.TracebackType, "traceback of a kept exception"),
    (types.CellType, "closure cell"),
    (labels.LRU_WRAPPER, "lru_cache"),
    (labels.SUSPENDED, "suspended frame"),
)


class Root:
    """Where a way up ends, and the steps from there down; a weak one is the last resort."""

    __slots__ = ("kind", "steps", "weak")

    def __init__(self, kind: str, steps: List[labels.Step], weak: bool = False) -> None:
        self.kind, self.steps, self.weak = kind, steps, weak


class Link:
    """An object on the way up, and the reference by which it holds the one below."""

    __slots__ = ("thing", "below", "label")

    def __init__(self, thing: Any, below: Optional[Link], label: str) -> None:
        self.thing, self.below, self.label = thing, below, label


def steps_below(link: Link, first: Optional[str]) -> List[labels.Step]:
    """Return the steps from a root down to where the search began, namespaces folded away.

    `first` is the root's own text, which the first step joins; None: it is told elsewhere.
    """
    steps = [] if first is None else [("", first)]
    while link.below is not None:
        label, child = link.label, link.below
        if label == ".__dict__" and child.below is not None:
            key = labels.label(child.thing, child.below.thing)
            label = "." + key[2:-2] if key.startswith("['") else key
            child = child.below
        elif label == ".__closure__" and child.below is not None:
            label, child = _closure(link.thing, child.below)
        joins = first is not None and steps == [("", first)]
        if joins and not labels.is_a(link.thing, types.FunctionType):
            steps = [("%s%s" % (first, label), labels.describe(child.thing))]
        else:
            steps.append(labels.step(label, labels.describe(child.thing)))
        link = child
    return steps


def _closure(function: Any, cell: Link) -> Tuple[str, Link]:
    label = labels.label(function, cell.thing)
    return (label, cell.below) if cell.below is not None else (label, cell)


def passing(name: str, link: Link) -> Optional[str]:
    """Return the kind of root that what lies on the way makes of a module's or class's name."""
    if name.partition(".")[0] == "logging":
        return "logging"
    at: Optional[Link] = link
    while at is not None:
        if labels.is_a(at.thing, threading.Thread) and at.thing.is_alive():
            return "running thread"
        if type(at.thing).__module__.partition(".")[0] == "logging":
            return "logging"
        for kind, text in PASSING:
            if labels.is_a(at.thing, kind):
                return text
        at = at.below
    return None


def variables(context: contextvars.Context) -> str:
    """Return the variables of a context that hold something, by name."""
    names = sorted({variable.name for variable in context})
    return "context variable %s" % ", ".join(repr(name) for name in names[:3])
