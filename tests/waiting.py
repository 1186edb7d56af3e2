"""Wait for what another process, thread or turn of the loop brings about a moment later."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

WAIT_S = 30.0
NAP_S = 0.01


def settled(read: Callable[[], T], wanted: T) -> T:
    """Read until the value is the one that is wanted, at most for 30 s; return the last one.

    A loaded machine takes its time, a fault stays: so a test asserts what this returns.
    """
    deadline = time.monotonic() + WAIT_S
    value = read()
    while value != wanted and time.monotonic() < deadline:
        time.sleep(NAP_S)
        value = read()
    return value


async def reached(is_there: Callable[[], bool]) -> None:
    """Let the loop run until something is so; raises TimeoutError after 30 s."""
    async with asyncio.timeout(WAIT_S):
        while True:
            if is_there():
                return
            await asyncio.sleep(NAP_S)
