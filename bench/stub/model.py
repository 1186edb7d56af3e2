"""The model that both chat APIs speak for: the same prompt gets the same answer.

It knows two forms. A relevance judgement finds every second document of the prompt relevant, and
the search sufficient once the query has been refined; a refined query, part of the judgement or a
form of its own, appends two words. So an iterative search takes two rounds. Every other form is
filled by its schema.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from bench.stub import prose, schema
from bench.stub.exchange import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.stub.faults import BadOutput

_DOCUMENT = re.compile(r"\[doc:([^\]\s]+)\]")
_QUERY = re.compile(r"^Query: (.*\S)", re.MULTILINE)
_SCHEMA_START = re.compile(r'\{\s*"(?:\$defs|properties|description|title|type)"')
_CHARS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The structure that the caller asked for: a tool to call or a response format."""

    name: str
    schema: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A conversation as (role, text) pairs, and the model that is asked."""

    model: str
    messages: Sequence[tuple[str, str]]

    @property
    def seed(self) -> bytes:
        return prose.digest(self.model, *(part for pair in self.messages for part in pair))

    @property
    def answers_tool(self) -> bool:
        """Whether the last message is a tool's result, which ends the turn of calling tools."""
        return self.messages[-1][0] == "tool"

    @property
    def asked(self) -> str:
        """The last thing the user said, or the last thing that was said at all."""
        texts = [text for role, text in self.messages if role == "user"]
        return texts[-1] if texts else self.messages[-1][1]

    @property
    def query(self) -> str:
        """The last `Query: ` line of what the user asked; without one, the first line."""
        found = _QUERY.findall(self.asked)
        return found[-1] if found else self.asked.strip().partition("\n")[0][:200]

    def tokens(self) -> int:
        return tokens("".join(text for _, text in self.messages))


def tokens(text: str) -> int:
    """Estimate tokens as the providers' rule of thumb does, one for four characters."""
    return max(1, len(text) // _CHARS_PER_TOKEN)


def answer(prompt: Prompt, max_tokens: int | None, bad: BadOutput = "") -> tuple[str, bool]:
    """Answer in 150 to 400 words; says too whether `max_tokens` cut the answer short."""
    if bad == "empty":
        return "", False
    seed = prompt.seed
    text = prose.essay(seed, 180 + prose.number(seed, "length", 220))
    text = f"On {prompt.query[:80]!r}: {text}"
    if max_tokens is None or tokens(text) <= max_tokens:
        return text, False
    return text[: max_tokens * _CHARS_PER_TOKEN], True


def fill(form: Form, prompt: Prompt, bad: BadOutput = "") -> str:
    """Fill the form, as the JSON text that the model would write."""
    if bad == "empty":
        return ""
    if bad == "prose":
        return prose.essay(prompt.seed, 40)
    if bad == "schema":
        return '{"unexpected": "the stub was told to break the schema"}'
    written = msgspec.json.encode(_values(form, prompt)).decode()
    return written[: len(written) // 2] if bad == "cut" else written


def form_in_text(prompt: Prompt) -> Form:
    """Guess the form that a prompt describes in words: the JSON mode sends no schema."""
    text = "\n".join(said for _, said in prompt.messages)
    for start in _SCHEMA_START.finditer(text):
        if found := _document_at(text, start.start()):
            return Form(name=str(found.get("title", "")), schema=found)
    if "relevant_ids" in text:
        names = ["relevant_ids", "sufficient", "reason"]
    else:
        names = ["query"] if re.search(r"\bquery\b", text) else ["answer"]
    return Form(name="", schema={"properties": {name: {} for name in names}})


def _values(form: Form, prompt: Prompt) -> Any:
    properties = form.schema.get("properties", {})
    if {"relevant_ids", "sufficient"} <= properties.keys():
        return _judgement(form, prompt)
    if properties.keys() == {"query"}:
        return {"query": _refined(prompt.query)}
    return schema.fill(form.schema, prompt.seed)


def _refined(query: str) -> str:
    return f"{query} (refined: {prose.words(prose.digest(query), 2)})"


def _judgement(form: Form, prompt: Prompt) -> dict[str, Any]:
    properties = form.schema["properties"]
    found = list(dict.fromkeys(_DOCUMENT.findall(prompt.asked)))
    sufficient = "refined" in prompt.query
    known: dict[str, Any] = {
        "relevant_ids": found[::2],
        "sufficient": sufficient,
        "reason": prose.sentence(prompt.seed),
        "better_query": "" if sufficient else _refined(prompt.query),
    }
    unknown = {name: kind for name, kind in properties.items() if name not in known}
    others = schema.fill({**form.schema, "properties": unknown}, prompt.seed)
    return {name: value for name, value in (known | others).items() if name in properties}


def _document_at(text: str, start: int) -> dict[str, Any] | None:
    """Read the JSON object that begins at `start`, whatever follows it, if it is a schema."""
    depth = 0
    for place in re.finditer(r'"(?:[^"\\]|\\.)*"|[{}]', text[start:]):
        depth += {"{": 1, "}": -1}.get(place.group(), 0)
        if depth == 0:
            try:
                found = msgspec.json.decode(text[start : start + place.end()])
            except msgspec.DecodeError:
                return None
            return found if "properties" in found else None
    return None


def require_messages(body: Any) -> list[dict[str, Any]]:
    """Return the body's messages; raises RefusedError (400) when it is no chat request."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages:
        raise RefusedError(400, "messages: a non-empty list is required")
    if not all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in messages):
        raise RefusedError(400, "messages: every entry needs a role")
    if not isinstance(body.get("model"), str):
        raise RefusedError(400, "model: a string is required")
    return messages


def flat_text(content: Any) -> str:
    """Join the text of a message, given as a string, as parts, or as nested tool results."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part for part in content if isinstance(part, dict))
    return "\n".join(flat_text(part.get("text") or part.get("content")) for part in parts)
