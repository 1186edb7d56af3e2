"""OpenAI's chat completions, plain and streamed, and its list of models.

Not spoken: the Responses API (`/v1/responses`) and more than one choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from bench.stub import model
from bench.stub.exchange import RefusedError, Reply, Request, event, event_reply, json_reply
from bench.stub.model import Form, Prompt

if TYPE_CHECKING:
    from bench.stub.faults import Fault

_CREATED = 1_767_225_600  # fixed, so that equal requests get equal bytes
_MODELS = ("gpt-4o-mini", "gpt-4o", "claude-haiku-4-5")
_PIECE_CHARS = 40


def error(status: int, reason: str) -> dict[str, Any]:
    kinds = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}
    kind = kinds.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": reason, "type": kind, "param": None, "code": None}}


def list_models(request: Request, fault: Fault) -> Reply:
    """List a few models, in a form that both providers' clients read."""
    data = [_model(name) for name in _MODELS]
    ends = {"first_id": _MODELS[0], "last_id": _MODELS[-1], "has_more": False}
    return json_reply({"object": "list", "data": data, **ends})


def chat(request: Request, fault: Fault) -> Reply:
    """Answer `POST /v1/chat/completions`."""
    body = msgspec.json.decode(request.body)
    prompt = _prompt(body)
    if body.get("n") not in (None, 1):
        raise RefusedError(400, f"n: the stub gives 1 choice, not {body['n']}")
    message, finish = _message(body, prompt, fault)
    usage = _usage(prompt.tokens(), model.tokens(_said(message)))
    head = {
        "id": f"chatcmpl-{prompt.seed.hex()}",
        "created": _CREATED,
        "model": prompt.model,
        "system_fingerprint": "fp_stub",
    }
    if body.get("stream"):
        counted = bool((body.get("stream_options") or {}).get("include_usage"))
        return event_reply(_events(head, message, finish, usage if counted else None))
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    return json_reply({**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _model(name: str) -> dict[str, Any]:
    ours = {"id": name, "object": "model", "created": _CREATED, "owned_by": "stub"}
    return ours | {"type": "model", "display_name": name, "created_at": "2026-01-01T00:00:00Z"}


def _prompt(body: Any) -> Prompt:
    messages = [
        (one["role"], model.flat_text(one.get("content"))) for one in model.require_messages(body)
    ]
    return Prompt(model=body["model"], messages=messages)


def _message(body: dict[str, Any], prompt: Prompt, fault: Fault) -> tuple[dict[str, Any], str]:
    """Write the assistant's message, and say why it ends."""
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
    if tool := _chosen_tool(body, prompt):
        written = model.fill(tool, prompt, fault.bad_output)
        if fault.bad_output in ("prose", "empty"):
            return message | {"content": written}, "stop"
        function = {"name": tool.name, "arguments": written}
        call = {"id": f"call_{prompt.seed.hex()[:24]}", "type": "function", "function": function}
        return message | {"tool_calls": [call]}, "tool_calls"
    if form := _response_form(body, prompt):
        return message | {"content": model.fill(form, prompt, fault.bad_output)}, "stop"
    most = body.get("max_completion_tokens") or body.get("max_tokens")
    text, cut = model.answer(prompt, most, fault.bad_output)
    return message | {"content": text}, "length" if cut else "stop"


def _said(message: dict[str, Any]) -> str:
    calls = message.get("tool_calls")
    return str(calls[0]["function"]["arguments"] if calls else message["content"])


def _chosen_tool(body: dict[str, Any], prompt: Prompt) -> Form | None:
    """Pick the tool that is demanded, else the first, unless a tool has just answered."""
    tools = [one["function"] for one in body.get("tools") or () if one.get("type") == "function"]
    choice = body.get("tool_choice", "auto")
    if not tools or choice == "none" or (choice == "auto" and prompt.answers_tool):
        return None
    wanted = choice["function"]["name"] if isinstance(choice, dict) else tools[0]["name"]
    for tool in tools:
        if tool["name"] == wanted:
            return Form(name=wanted, schema=tool.get("parameters") or {"type": "object"})
    raise RefusedError(400, f"tool_choice: no tool is named {wanted!r}")


def _response_form(body: dict[str, Any], prompt: Prompt) -> Form | None:
    wanted = body.get("response_format") or {"type": "text"}
    match wanted.get("type"):
        case "json_schema":
            spec = wanted["json_schema"]
            return Form(name=spec["name"], schema=spec["schema"])
        case "json_object":
            return model.form_in_text(prompt)
        case "text":
            return None
        case other:
            raise RefusedError(400, f"response_format: type {other!r} does not exist")


def _usage(prompt_tokens: int, completion_tokens: int) -> dict[str, Any]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def _events(
    head: dict[str, Any], message: dict[str, Any], finish: str, usage: dict[str, Any] | None
) -> list[bytes]:
    head = {**head, "object": "chat.completion.chunk"} | ({"usage": None} if usage else {})
    deltas = _call_deltas(message) if "tool_calls" in message else _text_deltas(message["content"])
    ends = [*((delta, None) for delta in deltas), ({}, finish)]
    events = [
        event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
        for delta, end in ends
    ]
    if usage:
        events.append(event(head | {"choices": [], "usage": usage}))
    return [*events, b"data: [DONE]\n\n"]


def _text_deltas(text: str) -> list[dict[str, Any]]:
    return [
        {"role": "assistant", "content": "", "refusal": None},
        *({"content": piece} for piece in pieces(text)),
    ]


def _call_deltas(message: dict[str, Any]) -> list[dict[str, Any]]:
    call = message["tool_calls"][0]
    opening = {**call, "index": 0, "function": {**call["function"], "arguments": ""}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [opening]},
        *(
            {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
            for piece in pieces(call["function"]["arguments"])
        ),
    ]


def pieces(text: str) -> list[str]:
    """Cut a text as a stream of tokens would, a few words at a time."""
    return [text[at : at + _PIECE_CHARS] for at in range(0, len(text), _PIECE_CHARS)]
