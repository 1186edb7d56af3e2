"""A caller that waits for an execution: with one answer at the end, or with news on the way.

A caller that leaves takes its execution along, down to the model's call, unless it said `detach`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from ragpool.execution_record import ExecutionStatus
from ragpool.executions import shown
from ragpool.progress import Progress
from ragpool.workflow import plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from starlette.types import Receive, Scope, Send

    from ragpool.execution_record import ExecutionRecord
    from ragpool.executions import AsyncWorkflowExecutor

EVENT_STREAM = "text/event-stream"
_STILL_HERE_S = 15.0
"""How often a silent stream says that it lives; proxies cut one after 30 to 60 s."""


async def unless_left(
    work: Coroutine[Any, Any, None], receive: Receive, if_left: Callable[[], object]
) -> bool:
    """Do the work while the caller is there; otherwise stop it, call `if_left`, return False."""
    doing = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(receive))
    done = False
    try:
        await asyncio.wait((doing, leaving), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            with contextlib.suppress(OSError):  # the caller left while it was written to
                doing.result()
                done = True
    finally:
        for task in doing, leaving:
            task.cancel()
        if not done:
            if_left()
    return done


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def status_of(record: ExecutionRecord, *, failed_is_200: bool) -> int:
    """Return the HTTP status that tells how an execution ended."""
    if record.status is ExecutionStatus.COMPLETED or failed_is_200:
        return 200
    if record.error is None:
        return 409  # somebody cancelled it
    return 504 if "Timeout" in record.error.type else 502


class Channel:
    """News of an execution, from its worker's thread to the loop of whoever reads.

    What waits for a slow reader is bounded by the execution itself: pieces of one answer that
    nobody has read become one.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Progress] = deque()
        self._news = asyncio.Event()

    def put(self, progress: Progress) -> None:
        """Tell something, from any thread."""
        with contextlib.suppress(RuntimeError):  # the reader's loop is closed
            self._loop.call_soon_threadsafe(self._put, progress)

    async def read(self, silence_s: float) -> list[Progress]:
        """Return what waits; nothing when it was silent for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(silence_s):
                await self._news.wait()
        self._news.clear()
        waiting, self._waiting = list(self._waiting), deque()
        return waiting

    def wake(self) -> None:
        self._news.set()

    def _put(self, progress: Progress) -> None:
        last = self._waiting[-1] if self._waiting else None
        if last is not None and last.kind == progress.kind == "answer" and _same(last, progress):
            text = last.data["text"] + progress.data["text"]
            self._waiting[-1] = Progress(kind="answer", node=last.node, data={"text": text})
        else:
            self._waiting.append(progress)
        self._news.set()


def _same(one: Progress, other: Progress) -> bool:
    return one.node == other.node


class EventStream(Response):
    """Server-sent events: `execution`, then `round`, `answer` and `node`, and at last `end`."""

    media_type = EVENT_STREAM

    def __init__(
        self, executor: AsyncWorkflowExecutor, channel: Channel, if_left: Callable[[], object]
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._executor = executor
        self._channel = channel
        self._if_left = if_left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await unless_left(self._send_all(send), receive, self._if_left)

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async for text in self._events():
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _events(self) -> AsyncIterator[str]:
        yield _event("execution", shown(self._executor.record()))
        ending = asyncio.ensure_future(self._executor.finished())
        ending.add_done_callback(lambda _: self._channel.wake())
        try:
            while not ending.done():
                news = await self._channel.read(_STILL_HERE_S)
                for progress in news:
                    yield _told(progress)
                if not news and not ending.done():
                    yield ": still here\n\n"
        finally:
            ending.cancel()
        for progress in await self._channel.read(0):
            yield _told(progress)
        yield _event("end", shown(ending.result()))


def _told(progress: Progress) -> str:
    return _event(progress.kind, plain({"node": progress.node, **progress.data}))


def _event(kind: str, data: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
