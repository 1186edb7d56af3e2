"""Run a search into a fault that the stub is asked for, and give the error that comes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bench import cases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import httpx

HEADER = "x-stub-fault"
TIMEOUT_S = 0.03
CANCEL_AFTER_S = 0.015
# a server error, a reset, a hang that the client's timeout ends, one that the caller's cancel ends
FAULTS = ("status=500", "reset", "hang", "hang")


async def meet(
    number: int, http: httpx.AsyncClient, search: Callable[[str, str], Awaitable[Any]]
) -> BaseException | None:
    """Run one search, over `http`, into the next fault; return what it raised.

    Note: the fault travels with the request. An order on the server's board would outlive a search
    that was cancelled before it was sent, and meet the next scenario.
    """
    which = number % len(FAULTS)
    http.headers[HEADER] = FAULTS[which]
    searching = asyncio.ensure_future(search(cases.COLLECTION, cases.query(number)))
    if which == len(FAULTS) - 1:
        await asyncio.sleep(CANCEL_AFTER_S)
        searching.cancel()
    try:
        await searching
    except (Exception, asyncio.CancelledError) as error:
        return error
    return None
