"""Refuse request bodies that are too large, or too slow, before they are held in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ragpool.dependencies import settings_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CLOSE = {"Connection": "close"}  # the rest of the body would be read as the next request


class BodyLimit:
    """Answer 413 to more than `max_body_bytes`, announced or not; 408 after `body_timeout_s`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        settings = settings_of(scope["app"])
        limit = settings.max_body_bytes
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            answer = JSONResponse(
                {"error": "BodyTooLarge", "detail": _reason(limit)}, 413, headers=_CLOSE
            )
            await answer(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + settings.body_timeout_s
        received, complete = 0, False

        async def counting() -> Message:
            nonlocal received, complete
            if complete:  # from here on there is only the news that the caller left
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(
                    408, f"request body: not complete after {settings.body_timeout_s} s", _CLOSE
                ) from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > limit:
                raise HTTPException(413, _reason(limit), _CLOSE)
            return message

        await self._app(scope, counting, send)


def _reason(limit: int) -> str:
    return f"request body: larger than {limit} bytes; send less, or raise max_body_bytes"
