"""The routes of the stub: the three APIs that it speaks, and the control of the stub itself.

| route | answer |
|---|---|
| `POST /v1/chat/completions`, `GET /v1/models` | OpenAI |
| `POST /v1/messages`, `POST /v1/messages/count_tokens` | Anthropic |
| `POST /rag/search`, `GET /rag/health` | retrieval |
| `GET /stats`, `POST /stats/reset` | the counters |
| `GET /control`, `POST /control`, `DELETE /control` | the faults in force, one more, none |
"""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import Any

import msgspec

from bench.stub import anthropic_api, openai_api, retrieval_api
from bench.stub.counters import Counters, GaugeFile
from bench.stub.exchange import RefusedError, Reply, Request, Route, json_reply, spoil
from bench.stub.faults import HEADER, NO_FAULT, Fault, FaultBoard, parse_header

_ROUTES = {
    "POST /v1/chat/completions": Route(answer=openai_api.chat, error=openai_api.error),
    "GET /v1/models": Route(answer=openai_api.list_models, error=openai_api.error),
    "POST /v1/messages": Route(answer=anthropic_api.messages, error=anthropic_api.error),
    "POST /v1/messages/count_tokens": Route(
        answer=anthropic_api.count_tokens, error=anthropic_api.error
    ),
    "POST /rag/search": Route(answer=retrieval_api.search, error=retrieval_api.error),
    "GET /rag/health": Route(answer=retrieval_api.health, error=retrieval_api.error),
}
_PATHS = {route.partition(" ")[2] for route in _ROUTES}
_CONTROL_PATHS = frozenset({"/stats", "/stats/reset", "/control"})


class Service:
    """Answers requests; knows nothing of sockets."""

    def __init__(self, gauges: GaugeFile | None = None) -> None:
        self.counters = Counters(_ROUTES, gauges)
        self.faults = FaultBoard()

    @staticmethod
    def is_control(request: Request) -> bool:
        return request.path in _CONTROL_PATHS

    def fault(self, request: Request) -> Fault:
        """Decide what goes wrong; raises RefusedError (400) for a header that makes no sense."""
        if (asked := request.headers.get(HEADER)) is None:
            return self.faults.draw(request.path)
        try:
            return parse_header(asked)
        except msgspec.ValidationError as invalid:
            raise RefusedError(400, f"{HEADER.decode()}: {invalid}") from invalid

    def answer(self, request: Request, fault: Fault = NO_FAULT) -> Reply:
        """Answer one request of an application."""
        route = _ROUTES.get(f"{request.method} {request.path}")
        if route is None:
            status = 405 if request.path in _PATHS else 404
            return self.refuse(request, status, f"no route {request.method} {request.path}")
        if fault.status is not None:
            reason = f"the stub was told to fail with {fault.status}"
            return self.refuse(request, fault.status, reason, fault.retry_after_s)
        try:
            reply = route.answer(request, fault)
        except RefusedError as refused:
            return self.refuse(request, refused.status, refused.reason)
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as invalid:
            return self.refuse(request, 400, f"{type(invalid).__name__}: {invalid}")
        return spoil(reply) if fault.bad_json else reply

    def refuse(
        self, request: Request, status: int, reason: str, retry_after_s: float | None = None
    ) -> Reply:
        """Report an error in the shape of the API that was asked."""
        route = _ROUTES.get(f"{request.method} {request.path}")
        error = route.error if route else retrieval_api.error
        return json_reply(error(status, reason), status=status, retry_after_s=retry_after_s)

    def control(self, request: Request) -> Reply:
        """Answer one request about the stub itself."""
        match request.method, request.path:
            case "GET", "/stats":
                return json_reply(self.counters.to_json() | _process())
            case "POST", "/stats/reset":
                self.counters.reset()
                return json_reply(self.counters.to_json())
            case "GET", "/control":
                pass
            case "DELETE", "/control":
                self.faults.clear()
            case "POST", "/control":
                try:
                    self.faults.post(request.body)
                except msgspec.DecodeError as invalid:
                    return json_reply({"error": str(invalid)}, status=422)
            case method, path:
                return json_reply({"error": f"no route {method} {path}"}, status=405)
        return json_reply({"faults": self.faults.orders()})


def _process() -> dict[str, Any]:
    """Tell what the server costs; `rss_bytes` is its high-water mark where /proc is missing."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        rss_bytes = pages * resource.getpagesize()
    except OSError:
        rss_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rss_bytes": rss_bytes, "cpu_s": time.process_time()}
