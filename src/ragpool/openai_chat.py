"""langchain-openai's chat model, spared the walk over each message that openai makes.

Before openai sends a request, it compares every message and tool with each type that it might be,
to rename fields. None of the fields of a chat message is renamed, and the walk takes a fifth of the
CPU time of a request (`python -m bench.unwalked`). `extra_body` is not walked, and goes into the
same JSON object. The price is 200 KiB, once, for pydantic's schema of one more class.
`LLMPool(fast_openai=False)` does without.
"""

from __future__ import annotations

from typing import Any

import langchain_openai

_PLAIN = ("messages", "tools", "tool_choice")


class ChatOpenAI(langchain_openai.ChatOpenAI):
    """Send what `langchain_openai.ChatOpenAI` sends, for less CPU time.

    It has the name of its parent, which traces and serialized chains show.
    """

    def _get_request_payload(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        payload = super()._get_request_payload(*args, **kwargs)
        if "messages" not in payload or "response_format" in payload:
            return payload  # the Responses API; or openai reads the tools to parse the reply
        plain = {name: payload.pop(name) for name in _PLAIN if name in payload}
        return payload | {"messages": (), "extra_body": plain | (payload.get("extra_body") or {})}
