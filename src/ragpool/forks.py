"""What a process inherits by `fork` belongs to its parent, who goes on using it.

Sockets are shared, and so is the selector of a loop: closing a connection in the child would end
the parent's. So the child begins anew and leaves what it inherited alone, neither used nor closed.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forked(Protocol):
    """What must know that it is in a child process now."""

    def begin_anew(self) -> None:
        """Replace locks and everything that belongs to the parent."""


_followed: weakref.WeakSet[Forked] = weakref.WeakSet()
_inherited: list[object] = []
"""Kept for as long as the child lives, since their ends would close what the parent uses."""


def follow_forks(one: Forked) -> None:
    """Have `begin_anew` called in each child process, for as long as the object lives."""
    _followed.add(one)


def keep_inherited(*objects: object) -> None:
    _inherited.extend(objects)


def _in_child() -> None:
    for one in list(_followed):
        one.begin_anew()


os.register_at_fork(after_in_child=_in_child)
