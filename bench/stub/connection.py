"""One client's connection: HTTP/1.1 by h11, one write for each reply, and the faults of the wire.

A reply leaves in a single write wherever it can: a head and a body in two segments would wait for a
delayed acknowledgement, 40 ms. asyncio sets TCP_NODELAY too, for the streams that are slowed down.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from itertools import chain
from typing import TYPE_CHECKING

import h11

from bench.stub.exchange import RefusedError, Reply, Request, json_reply
from bench.stub.faults import NO_FAULT, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.stub.service import Service

_MOST_BODY_BYTES = 16 * 2**20
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, for 0 s: close sends RST


class Connection(asyncio.Protocol):
    """Reads requests, and answers one at a time."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._counters = service.counters
        self._http = h11.Connection(h11.SERVER)
        self._timer: asyncio.TimerHandle | None = None
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._bytes_in = 0
        self._answering = False
        self._in_flight = False
        self._counting = True
        self._role = "silent"  # then "control" or "application", by its first request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_with_it = self._counters.connect()

    def data_received(self, data: bytes) -> None:
        self._bytes_in += len(data)
        self._http.receive_data(data)
        self._advance()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._end_request()
        if self._role == "silent":
            self._become_application()
        if self._role == "application":
            self._counters.bytes_in += self._bytes_in
            self._counters.disconnect()

    def _advance(self) -> None:
        while not self._answering and not self._transport.is_closing():
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as invalid:
                self._reject(invalid.error_status_hint, str(invalid))
                return
            match event:
                case h11.Request():
                    self._begin(event)
                case h11.Data():
                    self._take(event)
                case h11.EndOfMessage():
                    self._answering = True
                    self._serve()
                case h11.ConnectionClosed():
                    self._transport.close()
                case _:
                    return

    def _begin(self, head: h11.Request) -> None:
        self._head, self._body, self._body_bytes = head, [], 0
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._write(self._http.send(go_on) or b"")

    def _take(self, event: h11.Data) -> None:
        self._body.append(bytes(event.data))
        self._body_bytes += len(event.data)
        if self._body_bytes > _MOST_BODY_BYTES:
            self._reject(413, f"body: more than {_MOST_BODY_BYTES} bytes")

    def _serve(self) -> None:
        request = self._request()
        if self._service.is_control(request):
            if self._role == "silent":
                self._role = "control"
                self._counters.leave_out()
            self._counting = False
            self._send(self._service.control(request), NO_FAULT)
            self._bytes_in, self._counting = 0, True
            return
        self._become_application()
        self._counters.bytes_in += self._bytes_in
        self._bytes_in = 0
        try:
            fault = self._service.fault(request)
        except RefusedError as refused:
            self._begin_request(request, NO_FAULT)
            reply = self._service.refuse(request, refused.status, refused.reason)
            self._send(reply, NO_FAULT)
            return
        self._begin_request(request, fault)
        if fault.delay_s:
            self._later(fault.delay_s, self._answer, request, fault)
        else:
            self._answer(request, fault)

    def _request(self) -> Request:
        assert self._head is not None
        return Request(
            method=self._head.method.decode("ascii"),
            path=self._head.target.partition(b"?")[0].decode("latin-1"),
            headers=dict(self._head.headers),
            body=b"".join(self._body),
        )

    def _become_application(self) -> None:
        if self._role == "control":
            self._open_with_it = self._counters.connect()
        if self._role != "application":
            self._role = "application"
            self._counters.confirm(self._open_with_it)

    def _begin_request(self, request: Request, fault: Fault) -> None:
        self._in_flight = True
        self._counters.begin(f"{request.method} {request.path}", fault != NO_FAULT)

    def _end_request(self) -> None:
        if self._in_flight:
            self._in_flight = False
            self._counters.end()

    def _answer(self, request: Request, fault: Fault) -> None:
        if fault.hang:
            return
        if fault.reset:
            self._reset()
        else:
            self._send(self._service.answer(request, fault), fault)

    def _reset(self) -> None:
        raw = self._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    def _send(self, reply: Reply, fault: Fault) -> None:
        head, parts = self._encode(reply, fault)
        if fault.truncate:
            self._write(head + _first_half(parts))
            self._transport.close()
        elif fault.stream_delay_s and reply.streamed:
            self._drip(chain((head,), parts), fault.stream_delay_s)
        else:
            self._write(head + b"".join(parts))
            self._finish()

    def _encode(self, reply: Reply, fault: Fault) -> tuple[bytes, list[bytes]]:
        """Return the head's bytes and those of each piece of the body, the closing one included."""
        headers = [("server", "stub"), ("content-type", reply.content_type)]
        if not reply.streamed:
            headers.append(("content-length", str(sum(map(len, reply.body)))))
        if reply.retry_after_s is not None:
            headers.append(("retry-after", f"{reply.retry_after_s:g}"))
        if fault.close_after_response:
            headers.append(("connection", "close"))
        send = self._http.send
        head = send(h11.Response(status_code=reply.status, headers=headers)) or b""
        body = reply.body if fault.stream_delay_s else (b"".join(reply.body),)
        parts = [send(h11.Data(data=piece)) or b"" for piece in body]
        return head, [*parts, send(h11.EndOfMessage()) or b""]

    def _drip(self, pieces: Iterator[bytes], delay_s: float) -> None:
        piece = next(pieces, None)
        if piece is None:
            self._finish()
        else:
            self._write(piece)
            self._later(delay_s, self._drip, pieces, delay_s)

    def _finish(self) -> None:
        self._end_request()
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._answering = False
        else:
            self._transport.close()

    def _reject(self, status: int, reason: str) -> None:
        """Answer what is not HTTP, and hang up."""
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            reply = json_reply({"error": reason}, status=status)
            head, parts = self._encode(reply, NO_FAULT)
            self._write(head + b"".join(parts))
        self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._counting:
            self._counters.bytes_out += len(data)
        self._transport.write(data)

    def _later(self, delay_s: float, call: Callable[..., None], *args: object) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(delay_s, self._resume, call, *args)

    def _resume(self, call: Callable[..., None], *args: object) -> None:
        call(*args)
        self._advance()


def _first_half(parts: list[bytes]) -> bytes:
    body = b"".join(parts)
    return body[: len(body) // 2]
