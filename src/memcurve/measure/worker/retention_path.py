"""Tell the way from a holder down to what it keeps."""

from __future__ import annotations

import asyncio
import functools
import types
from typing import Any, Iterator, List, Optional, Tuple

from . import labels
from .groups import INTERNAL, Group
from .holders import namespace_owner
from .survey import Survey


def label_of(group: Group, survey: Survey) -> Tuple[str, Any]:
    """Return the label between a holder and the group's heads, and the namespace's owner."""
    holder = group.holder
    if holder is None:
        return "", None
    if holder.frame_label:
        return holder.frame_label, holder.thing
    owner = namespace_owner(holder.thing)
    general = labels.entry(holder.thing) is not None and owner is None
    found = []
    for key in group.heads[:3]:
        above = survey.parent[key]
        while above is not None:
            key, above = above, survey.parent[above]
        text = labels.label(holder.thing, survey.things[key], general)
        if owner is not None and text == " key":
            text = ".*"  # a name by itself: what it leads to is none of the calls'
        found.append("." + text[2:-2] if owner is not None and text.startswith("['") else text)
    text = found[0] if len(set(found)) == 1 else (".*" if owner is not None else "[*]")
    return text, owner if owner is not None else holder.thing


def inner_steps(group: Group, survey: Survey) -> Tuple[str, List[labels.Step]]:
    """Return the type of the first new object below a holder, and the steps down to the heads."""
    if not group.heads:
        return "", []
    key: Optional[int] = group.heads[len(group.heads) // 2]
    chain: List[Any] = []
    while key is not None:
        chain.append(survey.things[key])
        key = survey.parent[key]
    steps: List[labels.Step] = []
    for above, below in zip(chain[::-1], chain[-2::-1]):
        step = labels.step(labels.label(above, below, general=True), labels.describe(below))
        if step not in steps and type(below).__name__ not in INTERNAL:
            steps.append(step)
    for text, thing in owners_of(chain[0]):
        steps.append(labels.step(text, labels.describe(thing)))
    return labels.describe(chain[-1]), steps


def owners_of(thing: Any) -> List[Tuple[str, Any]]:
    """Return (label, object) for each step from a callback to the object whose method it calls.

    [] for what calls no method. A person looks for the owner, not for the timer or the method.
    """
    found = list(_behind(thing))
    return found if found and found[-1][0] == ".__self__" else []


def _behind(thing: Any) -> Iterator[Tuple[str, Any]]:
    while True:
        if labels.is_a(thing, types.MethodType):
            text, thing = ".__self__", thing.__self__
        elif labels.is_a(thing, functools.partial):
            text, thing = ".func", thing.func
        elif labels.is_a(thing, asyncio.Handle):
            text, thing = "._callback", thing._callback
        else:
            return
        yield text, thing
