"""Anthropic's messages, plain and streamed, with tools and JSON output; its token counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bench.stub import model
from bench.stub.exchange import RefusedError, Reply, Request, event, event_reply, json_reply
from bench.stub.model import Form, Prompt
from bench.stub.openai_api import pieces

if TYPE_CHECKING:
    from bench.stub.faults import Fault

_ERRORS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def error(status: int, reason: str) -> dict[str, Any]:
    kind = _ERRORS.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": reason}}


def count_tokens(request: Request, fault: Fault) -> Reply:
    """Answer `POST /v1/messages/count_tokens`."""
    return json_reply({"input_tokens": _prompt(msgspec.json.decode(request.body)).tokens()})


def messages(request: Request, fault: Fault) -> Reply:
    """Answer `POST /v1/messages`."""
    body = msgspec.json.decode(request.body)
    prompt = _prompt(body)
    if not isinstance(body.get("max_tokens"), int):
        raise RefusedError(400, "max_tokens: an integer is required")
    block, written, stop = _block(body, prompt, fault)
    message = {
        "id": f"msg_{prompt.seed.hex()}",
        "type": "message",
        "role": "assistant",
        "model": prompt.model,
        "content": [block] if written else [],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": _usage(prompt.tokens(), model.tokens(written)),
    }
    if body.get("stream"):
        return event_reply(_events(message, written))
    return json_reply(message)


def _prompt(body: Any) -> Prompt:
    said = [
        (_role(one), model.flat_text(one.get("content"))) for one in model.require_messages(body)
    ]
    system = model.flat_text(body.get("system"))
    return Prompt(model=body["model"], messages=[("system", system), *said])


def _role(message: dict[str, Any]) -> str:
    """A result of a tool arrives inside a user message."""
    content = message.get("content")
    blocks = content if isinstance(content, list) else ()
    answered = any(isinstance(one, dict) and one.get("type") == "tool_result" for one in blocks)
    return "tool" if answered else str(message["role"])


def _block(body: dict[str, Any], prompt: Prompt, fault: Fault) -> tuple[dict[str, Any], str, str]:
    """Write the one content block: as an object, as the text it streams as, and why it ends."""
    if tool := _chosen_tool(body, prompt):
        written = model.fill(tool, prompt, fault.bad_output)
        if fault.bad_output in ("prose", "empty"):
            return {"type": "text", "text": written}, written, "end_turn"
        # a plain answer carries the input as an object, so one that was cut has nothing to show
        filled = {} if fault.bad_output == "cut" else msgspec.json.decode(written)
        use_id = f"toolu_{prompt.seed.hex()[:24]}"
        block = {"type": "tool_use", "id": use_id, "name": tool.name, "input": filled}
        return block, written, "tool_use"
    if form := _output_form(body):
        written, cut = model.fill(form, prompt, fault.bad_output), False
    else:
        written, cut = model.answer(prompt, body["max_tokens"], fault.bad_output)
    return {"type": "text", "text": written}, written, "max_tokens" if cut else "end_turn"


def _chosen_tool(body: dict[str, Any], prompt: Prompt) -> Form | None:
    """Pick the tool that is demanded, else the first, unless a tool has just answered."""
    tools = [one for one in body.get("tools") or () if "input_schema" in one]
    choice = body.get("tool_choice") or {"type": "auto"}
    kind = choice.get("type")
    if not tools or kind == "none" or (kind == "auto" and prompt.answers_tool):
        return None
    wanted = choice["name"] if kind == "tool" else tools[0]["name"]
    for tool in tools:
        if tool["name"] == wanted:
            return Form(name=wanted, schema=tool["input_schema"])
    raise RefusedError(400, f"tool_choice: no tool is named {wanted!r}")


def _output_form(body: dict[str, Any]) -> Form | None:
    wanted = (body.get("output_config") or {}).get("format") or body.get("output_format")
    if not wanted:
        return None
    if wanted.get("type") != "json_schema":
        raise RefusedError(400, f"output_config.format: type {wanted.get('type')!r} does not exist")
    return Form(name=wanted["schema"].get("title", ""), schema=wanted["schema"])


def _usage(input_tokens: int, output_tokens: int) -> dict[str, Any]:
    cache = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    return {"input_tokens": input_tokens, **cache, "output_tokens": output_tokens}


def _events(message: dict[str, Any], written: str) -> list[bytes]:
    """Spread a finished message over the events that a client rebuilds it from."""
    usage = message["usage"]
    opening = message | {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    closing = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    blocks = _block_events(message["content"][0], written) if message["content"] else []
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": opening},
        {"type": "ping"},
        *blocks,
        {"type": "message_delta", "delta": closing, "usage": usage},
        {"type": "message_stop"},
    ]
    return [event(one, one["type"]) for one in events]


def _block_events(block: dict[str, Any], written: str) -> list[dict[str, Any]]:
    if block["type"] == "tool_use":
        empty, kind, key = block | {"input": {}}, "input_json_delta", "partial_json"
    else:
        empty, kind, key = block | {"text": ""}, "text_delta", "text"
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": kind, key: piece}}
        for piece in pieces(written)
    ]
    start = {"type": "content_block_start", "index": 0, "content_block": empty}
    return [start, *deltas, {"type": "content_block_stop", "index": 0}]
