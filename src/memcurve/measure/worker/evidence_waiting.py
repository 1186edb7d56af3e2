"""Note how far what can wait has come: tasks, coroutines, generators and contexts."""

from __future__ import annotations

import asyncio
import contextlib
import types
from typing import Any, Callable, List

from . import labels

MANAGED = getattr(contextlib, "_GeneratorContextManagerBase", ())
NobodyLeads = Callable[[Any, Any], bool]


def was_begun(thing: Any) -> bool:
    """Say whether a generator came further than to where it was made, and has not ended."""
    if not labels.is_a(thing, (types.GeneratorType, types.AsyncGeneratorType)):
        return False
    frame = getattr(thing, "gi_frame", None) or getattr(thing, "ag_frame", None)
    return frame is not None and frame.f_lineno != frame.f_code.co_firstlineno


def is_entered(thing: Any) -> bool:
    """Say whether a context of a decorated generator was entered and not left."""
    return labels.is_a(thing, MANAGED) and was_begun(getattr(thing, "gen", None))


def never_awaited(thing: Any) -> bool:
    """Say whether a coroutine was made and not started."""
    if not labels.is_a(thing, types.CoroutineType) or thing.cr_frame is None:
        return False
    suspended = getattr(thing, "cr_suspended", None)
    return thing.cr_frame.f_lasti == -1 if suspended is None else not suspended


def of_tasks(things: List[Any], leads: NobodyLeads) -> List[str]:
    """Return what is known of tasks that stay, or that wait for the futures that stay."""
    tasks = [task_of(thing) for thing in things]
    if not all(tasks):
        return []
    if all(task.done() for task in tasks):
        return ["done"]
    waiting = [task for task in tasks if not task.done()]
    if len(waiting) < len(tasks):
        return []
    place = _place_of(waiting[0])
    found = ["waits=%s" % place] if place else []
    awaited = getattr(waiting[0], "_fut_waiter", None)
    if awaited is not None and leads(awaited, waiting[0]):
        found.append("nobody")
    return found


def task_of(thing: Any) -> Any:
    """Return a task, or the task that waits for a future."""
    if labels.is_a(thing, asyncio.Task):
        return thing
    if not labels.is_a(thing, asyncio.Future):
        return None
    for callback, _ in getattr(thing, "_callbacks", None) or ():
        if not labels.is_a(callback, (types.BuiltinFunctionType, types.MethodType)):
            continue
        waiting = callback.__self__
        if labels.is_a(waiting, asyncio.Task):
            return waiting
    return None


def _place_of(task: Any) -> str:
    """Return the innermost line of the program itself at which a task waits, "file:line"."""
    place, thing = "", task.get_coro()
    while labels.is_a(thing, labels.SUSPENDED):
        frame = getattr(thing, "cr_frame", None) or getattr(thing, "gi_frame", None)
        if frame is not None and not labels.is_stdlib(frame.f_code.co_filename):
            place = "%s:%d" % (frame.f_code.co_filename, frame.f_lineno)
        thing = getattr(thing, "cr_await", None) or getattr(thing, "gi_yieldfrom", None)
    return place
