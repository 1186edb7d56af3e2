"""Find the interpreter's own lists of callbacks, which no Python object refers to.

Each is proved: a function of ours is registered, and the list that then holds it is the one. The
handlers of signals are asked for by name.
"""

from __future__ import annotations

import atexit
import codecs
import gc
import os
import signal
from typing import Any, Dict, List, Set

from . import labels


def _at_fork() -> None:
    return None


def lists() -> Dict[int, str]:
    """Return {id: kind} of lists that only the interpreter holds, proved by a function of ours."""
    found: Dict[int, str] = {}
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_at_fork, after_in_child=_at_fork, after_in_parent=_at_fork)
        found.update((key, "os.register_at_fork") for key in _around(_at_fork))
    codecs.register(_codec)
    found.update((key, "codecs.register") for key in _around(_codec))
    atexit.register(_at_exit)
    found.update((key, "atexit") for key in _around(_at_exit))
    atexit.unregister(_at_exit)
    return found


def signal_of(keys: List[int]) -> str:
    """Return the name of a signal whose handler is one of the objects with these ids, else ""."""
    wanted = frozenset(keys)
    for one in signal.Signals:
        try:
            handler = signal.getsignal(one)
        except ValueError:  # a number that this system keeps for itself
            continue
        if id(handler) in wanted:
            return one.name
    return ""


def _around(function: Any) -> Set[int]:
    """Return the ids of the lists that hold a function, directly or within a tuple."""
    holders = gc.get_referrers(function)
    holders += [h for t in holders if labels.is_a(t, tuple) for h in gc.get_referrers(t)]
    return {id(holder) for holder in holders if labels.is_a(holder, list)} - {id(holders)}


def _codec(name: str) -> None:
    return None


def _at_exit() -> None:
    return None
