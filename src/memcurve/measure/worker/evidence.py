"""Note what advice may rest on: words for what was seen of a group, and for nothing else.

traceback           an exception that keeps its traceback; in `failed` futures, too
done, waits=PLACE   a task that has ended; one that waits, and at which line
nobody              nothing but the waiting task itself leads to what it waits for
never awaited       a coroutine that was not started
generator, context  a generator that was begun and not ended; a context that was not left
timer               what an event loop will call, and when
callback            a function, a method, or what calls one
class               a class
thread              a thread that runs
maxsize=N, method=C what an `lru_cache` declares; the class whose method it is on
base=TEXT           a view, how much it shows, and how much it keeps
closer TYPE=TEXT    how objects of that type are closed
remover=C.name      the method that takes an entry out again of what holds it
weak key            the value in a weak dictionary leads to its own key
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import types
import weakref
from concurrent.futures import Future
from typing import Any, Callable, List, Optional, Tuple

from . import labels
from .evidence_holder import is_weak_key, of_cache, remover
from .evidence_waiting import NobodyLeads, is_entered, never_awaited, of_tasks, was_begun
from .groups import Group
from .survey import Survey

LOOKED_AT = 5
"""Heads that are asked: those of a group are alike, and what is said must be true of all."""
CALLABLE = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    functools.partial,
    asyncio.Handle,
)
COROUTINE_FLAG = 0x80
KEPT_SHARE = 2
"""A view that shows half of its base or more is worth no word: a copy would save less than half."""


def of_group(group: Group, survey: Survey, leads: NobodyLeads) -> List[str]:
    """Return the words of one group; `leads(thing, but)` says that only `but` leads to it."""
    things = [survey.things[key] for key in group.heads[:LOOKED_AT]]
    owner = group.holder.thing if group.holder is not None else None
    if not things:
        return []
    found = [word for word, fits in _KINDS if all(map(fits, things))]
    found += of_tasks(things, leads)
    found += of_cache(things, owner)
    found += _base(things, survey)
    found += ["closer %s=%s" % closer for closer in map(_closer, group.types) if closer]
    found += remover(owner)
    if is_weak_key(owner, things):
        found.append("weak key")
    return found


def _keeps_traceback(thing: Any) -> bool:
    return labels.is_a(thing, BaseException) and thing.__traceback__ is not None


def _failed(thing: Any) -> bool:
    if not labels.is_a(thing, (Future, asyncio.Future)):
        return False
    return _keeps_traceback(getattr(thing, "_exception", None))


def _calls(thing: Any) -> bool:
    if labels.is_a(thing, tuple):
        return any(labels.is_a(part, CALLABLE) for part in thing)
    if labels.is_a(thing, weakref.ReferenceType):
        return labels.is_a(thing.__callback__, CALLABLE) and not _is_pythons(thing.__callback__)
    return labels.is_a(thing, CALLABLE)


def _is_pythons(function: Any) -> bool:
    """Say whether a function is the standard library's, as that of a weak set is."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and labels.is_stdlib(code.co_filename)


_KINDS: Tuple[Tuple[str, Callable[[Any], bool]], ...] = (
    ("traceback", _keeps_traceback),
    ("failed", _failed),
    ("timer", lambda thing: labels.is_a(thing, asyncio.TimerHandle)),
    ("callback", _calls),
    ("generator", was_begun),
    ("context", is_entered),
    ("never awaited", never_awaited),
    ("class", lambda thing: labels.is_a(thing, type)),
    (
        "thread",
        lambda thing: labels.is_a(thing, threading.Thread) and threading.Thread.is_alive(thing),
    ),
)


def _base(things: List[Any], survey: Survey) -> List[str]:
    """Return what views show and keep, where all show less than half of what they keep.

    A base that was there before is nobody's leak. Arrays of NumPy tell the collector of no base:
    there each view has to keep another one.
    """
    shown = [_view_of(thing) for thing in things]
    found = [view for view in shown if view is not None]
    if len(found) < len(things):
        return []
    bases = {id(base) for base, _, _ in found}
    if not bases <= survey.things.keys() and len(bases) < max(len(found), 2):
        return []
    if any(KEPT_SHARE * shows > keeps for _, shows, keeps in found):
        return []
    base, shows, keeps = found[0]
    return ["base=%d B of a %s of %d B" % (shows, labels.type_name(type(base)), keeps)]


def _view_of(thing: Any) -> Optional[Tuple[Any, int, int]]:
    """Return (base, bytes shown, bytes kept) of a view of a buffer, None for all else."""
    if labels.is_a(thing, memoryview):
        return thing.obj, thing.nbytes, sys.getsizeof(thing.obj)
    kind = next((k for k in type(thing).__mro__ if labels.type_name(k) == "numpy.ndarray"), None)
    if kind is None:
        return None
    base = vars(kind)["base"].__get__(thing)
    if base is None or type(base).__mro__[-2:-1] != (kind,):
        return None
    size = vars(kind)["nbytes"].__get__
    return base, size(thing), size(base)


def _closer(kind: type) -> Optional[Tuple[str, str]]:
    """Return (type, how its objects are closed), None for what nobody opens."""
    names = {name for ancestor in kind.__mro__[:-1] for name in vars(ancestor)}
    if not names & {"__enter__", "__aenter__", "dispose", "aclose"}:
        return None
    for name in ("aclose", "close", "dispose"):
        if name in names:
            waits = name == "aclose" or _is_coroutine(kind, name)
            return labels.type_name(kind), "%s%s()" % ("await " if waits else "", name)
    return None


def _is_coroutine(kind: type, name: str) -> bool:
    value = next(vars(k)[name] for k in kind.__mro__ if name in vars(k))
    code = getattr(value, "__code__", None)
    return code is not None and bool(code.co_flags & COROUTINE_FLAG)
