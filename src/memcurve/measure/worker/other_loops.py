"""Timers that were cancelled: what asyncio keeps of them, in the target's loop and in others.

A loop drops cancelled timers when more than a hundred are. Until then they hold what they would
have called, and the level of memory is a sawtooth. So a settled process drops them early: of the
target's loop directly, of one that runs in another thread by a callback of its own.
"""

from __future__ import annotations

import heapq
import sys
import threading
import types
from typing import Any, List, Optional

ANSWER_S = 0.05  # a loop that is busy for longer keeps its timers for this time


def forget_cancelled_timers(loop: Any) -> None:
    """Do early what asyncio does when more than a hundred timers are cancelled: drop them."""
    if not getattr(loop, "_timer_cancelled_count", 0):
        return
    waiting = []
    for handle in loop._scheduled:
        if handle.cancelled():
            handle._scheduled = False
        else:
            waiting.append(handle)
    heapq.heapify(waiting)
    loop._scheduled = waiting
    loop._timer_cancelled_count = 0


def forget_timers_elsewhere() -> None:
    """Let the loops of other threads drop theirs. Costs a thread switch for each that has any."""
    if threading.active_count() < 2:
        return
    for loop in _running_elsewhere():
        if getattr(loop, "_timer_cancelled_count", 0):
            done = threading.Event()
            try:
                loop.call_soon_threadsafe(_forget, loop, done)
            except RuntimeError:  # it was closed meanwhile
                continue
            done.wait(ANSWER_S)


def _forget(loop: Any, done: threading.Event) -> None:
    forget_cancelled_timers(loop)
    done.set()


def _running_elsewhere() -> List[Any]:
    """Return the loops whose `run_forever` is on the stack of another thread."""
    own, loops = threading.get_ident(), []
    for thread, top in sys._current_frames().items():
        frame: Optional[types.FrameType] = top
        while thread != own and frame is not None:
            if frame.f_code.co_name == "run_forever":
                loops.append(frame.f_locals.get("self"))
            frame = frame.f_back
    return loops
