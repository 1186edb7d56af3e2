"""Known bugs of interpreters that a look at the heap would run into, and what is done instead.

One row a bug. `since` and `before` are the versions between which it is there, the second one free
of it. Who meets another adds a row, and asks `has` where the worker would run into it.
"""

from __future__ import annotations

import gc
import sys
from typing import Any, Callable, List, NamedTuple, Tuple

Version = Tuple[int, ...]


class Bug(NamedTuple):
    """What is wrong in which versions of CPython, and what the worker does about it."""

    issue: str
    since: Version
    before: Version
    effect: str
    instead: str


FINAL = 0xF0
"""Fourth figure of the version of a release; candidate n has 0xC0 + n."""

ASYNCIO_SPARES = Bug(
    issue="https://github.com/python/cpython/issues/122695",
    since=(3, 12),
    before=(3, 12, 6),
    effect="gc.get_referents of the module _asyncio frees its list of spare iterators once more: "
    "the next coroutine that waits for a future hangs or crashes",
    instead="the module is not asked for what it refers to",
)
ASYNCIO_SPARES_BEFORE_3_13 = ASYNCIO_SPARES._replace(since=(3, 13), before=(3, 13, 0, 0xC2))
CAPSULES = Bug(
    issue="https://github.com/python/cpython/issues/124538",
    since=(3, 13),
    before=(3, 13, 0, 0xC3),
    effect="gc.get_referents of a capsule calls a function that most capsules do not have",
    instead="capsules are not asked for what they refer to",
)
TYPE_CACHE = Bug(
    issue="Objects/typeobject.c: PyType_ClearCache",
    since=(3, 10),
    before=(3, 11),
    effect="clearing the cache of type attributes numbers the versions of types from 0 again, and "
    "bytecode that remembers a version and a place may take one class for another",
    instead="the cache is not cleared, and the names in it are noise",
)
BUGS = (ASYNCIO_SPARES, ASYNCIO_SPARES_BEFORE_3_13, CAPSULES, TYPE_CACHE)


def running() -> Version:
    """Return the version of this interpreter."""
    info = sys.version_info
    stages = {"alpha": 0xA0, "beta": 0xB0, "candidate": 0xC0, "final": FINAL}
    return info.major, info.minor, info.micro, stages[info.releaselevel] + info.serial


def has(version: Version, *bugs: Bug) -> bool:
    """Say whether CPython of that version has one of these bugs."""
    return any(bug.since <= version < bug.before for bug in bugs)


Referents = Callable[..., List[Any]]


def referents_for(version: Version) -> Referents:
    """Return what stands for `gc.get_referents` in CPython of that version."""
    modules = has(version, ASYNCIO_SPARES, ASYNCIO_SPARES_BEFORE_3_13)
    capsules = has(version, CAPSULES)
    return _passing_by(modules, capsules) if modules or capsules else gc.get_referents


def _passing_by(asyncio_module: bool, capsules: bool) -> Referents:
    capsule = _capsule_type() if capsules else None

    def referents(*things: Any) -> List[Any]:
        module = sys.modules.get("_asyncio") if asyncio_module else None
        safe = [t for t in things if t is not module and type(t) is not capsule]
        return gc.get_referents(*safe)

    return referents


def _capsule_type() -> type:
    import datetime  # what is measured need not have it

    return type(datetime.datetime_CAPI)


collector_referents_of = referents_for(running())
