"""The server of `python -m ragpool`: uvicorn, with an end that is bounded.

1. The first SIGTERM or SIGINT: nothing new is taken; executions have `drain_s` to end, then they
   are cancelled. Whoever waits for one gets its answer, and every end is stored.
2. The second: they are cancelled at once, and a second later what callers have not sent or read
   is cut off.
3. The third: uvicorn leaves as it stands. What was not stored is `interrupted` when its lease is.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import uvicorn

from ragpool.logs import log_config

if TYPE_CHECKING:
    import socket
    from types import FrameType
    from typing import Any

    from fastapi import FastAPI

    from ragpool.config import ConfigClient
    from ragpool.runtime import Runtime

BEYOND_DRAIN_S = 10.0
"""What storing and answering may take after the drain, until slow callers are cut off."""
_CUT_AFTER_S = 1.0


class Server(uvicorn.Server):
    """Serve one application until a signal comes."""

    def __init__(self, app: FastAPI, settings: ConfigClient, **options: Any) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=log_config(settings),
                timeout_graceful_shutdown=math.ceil(settings.drain_s + BEYOND_DRAIN_S),
                **options,
            )
        )
        self._state = app.state
        self._signals = 0
        self._loop: Any = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Do what the module's text says; called between any two steps of the main thread."""
        self._signals += 1
        runtime: Runtime | None = getattr(self._state, "runtime", None)
        if self._signals == 1 or runtime is None or self._signals > 2:
            super().handle_exit(sig, frame)
        if runtime is not None and self._loop is not None:
            ask = self._end_soon if self._signals == 1 else self._end_now
            self._loop.call_soon_threadsafe(ask, runtime)

    def _end_soon(self, runtime: Runtime) -> None:
        runtime.drain()

    def _end_now(self, runtime: Runtime) -> None:
        runtime.hurry()
        self._loop.call_later(_CUT_AFTER_S, self._cut)

    def _cut(self) -> None:
        for connection in tuple(self.server_state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()
