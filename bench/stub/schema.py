"""Fill a JSON schema with values that satisfy it and depend only on a seed.

Covers what pydantic, OpenAI's strict mode and Anthropic's tools send: references, unions,
enumerations, bounds, formats. `pattern` and `not` are refused: a value that breaks the schema would
be blamed on the client.
"""

from __future__ import annotations

import math
from typing import Any

from bench.stub import prose
from bench.stub.exchange import RefusedError

_DEEPEST = 6  # a recursive schema ends here, at its shortest alternatives
_FORMATS = {
    "date-time": "2026-03-{day:02d}T09:30:00Z",
    "date": "2026-03-{day:02d}",
    "time": "09:{day:02d}:00Z",
    "duration": "P{day}D",
    "email": "person{day}@example.com",
    "hostname": "host{day}.example.com",
    "ipv4": "192.0.2.{day}",
    "ipv6": "2001:db8::{day}",
    "uri": "https://example.com/{day}",
    "uuid": "00000000-0000-4000-8000-0000000000{day:02d}",
}


def fill(schema: dict[str, Any], seed: bytes) -> Any:
    """Make one value that is valid under `schema`; raises RefusedError (400) where it cannot."""
    return _Filler(schema, seed).value(schema, "$", 0)


class _Filler:
    def __init__(self, root: dict[str, Any], seed: bytes) -> None:
        self._root = root
        self._seed = seed

    def value(self, schema: Any, path: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._pick(schema["enum"], path)
        if union := schema.get("anyOf") or schema.get("oneOf"):
            return self.value(self._alternative(union, path, depth), path, depth + 1)
        for word in ("pattern", "not"):
            if word in schema:
                raise RefusedError(
                    400, f"schema at {path}: the stub cannot satisfy {word!r}; leave it out"
                )
        return self._typed(schema, path, depth)

    def _typed(self, schema: dict[str, Any], path: str, depth: int) -> Any:
        match _type_of(schema):
            case "object":
                return self._object(schema, path, depth)
            case "array":
                return self._array(schema, path, depth)
            case "string":
                return self._string(schema, path)
            case "integer":
                return self._number(schema, path, whole=True)
            case "number":
                return self._number(schema, path, whole=False)
            case "boolean":
                return self._below(2, path) == 1
            case "null":
                return None
            case other:
                raise RefusedError(400, f"schema at {path}: type {other!r} does not exist")

    def _object(self, schema: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        names = [name for name in properties if depth < _DEEPEST or name in required]
        filled = {name: self.value(properties[name], f"{path}.{name}", depth + 1) for name in names}
        others = schema.get("additionalProperties")
        for extra in range(schema.get("minProperties", 0) - len(filled)):
            name = f"key_{extra + 1}"
            below = others if isinstance(others, dict) else {"type": "string"}
            filled[name] = self.value(below, f"{path}.{name}", depth + 1)
        return filled

    def _array(self, schema: dict[str, Any], path: str, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        most = schema.get("maxItems", max(least, 3))
        count = least if depth >= _DEEPEST else min(most, max(least, 1 + self._below(3, path)))
        heads = schema.get("prefixItems", [])
        rest = schema.get("items", {"type": "string"})
        count = max(count, len(heads)) if rest is not False else len(heads)
        kinds = [*heads, *[rest] * (count - len(heads))][:count]
        items = [self.value(kind, f"{path}[{i}]", depth + 1) for i, kind in enumerate(kinds)]
        return _distinct(items) if schema.get("uniqueItems") else items

    def _string(self, schema: dict[str, Any], path: str) -> str:
        if known := _FORMATS.get(schema.get("format", "")):
            return known.format(day=1 + self._below(28, path))
        least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        seed = prose.digest(self._seed.hex(), path)
        text = prose.sentence(seed)
        if len(text) < least:
            text = prose.passage(seed, least)
        return text if len(text) <= most else text[: int(most)]

    def _number(self, schema: dict[str, Any], path: str, *, whole: bool) -> float | int:
        step: float = schema.get("multipleOf", 1 if whole else 0.01)
        low: float = schema.get("minimum", -math.inf)
        high: float = schema.get("maximum", math.inf)
        low = max(low, schema.get("exclusiveMinimum", -math.inf) + step)
        high = min(high, schema.get("exclusiveMaximum", math.inf) - step)
        low = low if low > -math.inf else min(0, high)
        high = high if high < math.inf else low + 100 * step
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if first > last:
            return low if not whole else first
        picked = (first + self._below(last - first + 1, path)) * step
        return int(picked) if whole else min(max(round(picked, 9), low), high)

    def _alternative(self, union: list[Any], path: str, depth: int) -> Any:
        plain = [self._resolved(one) for one in union]
        ends = [one for one in plain if _type_of(one) not in ("object", "array")]
        if depth >= _DEEPEST and ends:
            return ends[-1]
        if {} in plain and {"type": "null"} in plain:
            return {
                "type": "null"
            }  # langchain drops a recursive reference: only null is sure to fit
        return self._pick([one for one in plain if one.get("type") != "null"] or plain, path)

    def _resolved(self, schema: Any) -> dict[str, Any]:
        """Follow `$ref` inside the document and merge `allOf`."""
        if not isinstance(schema, dict):
            return {"type": "string"}  # true, or an empty place: anything goes
        if reference := schema.get("$ref"):
            target: Any = self._root
            for part in reference.removeprefix("#").strip("/").split("/"):
                target = target[part] if part else target
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            return self._resolved({**target, **rest})
        if parts := schema.get("allOf"):
            merged = {key: value for key, value in schema.items() if key != "allOf"}
            for part in map(self._resolved, parts):
                both = {**merged.get("properties", {}), **part.get("properties", {})}
                required = [*merged.get("required", ()), *part.get("required", ())]
                merged = {**merged, **part}
                if both:
                    merged |= {"properties": both, "required": required}
            return merged
        return schema

    def _pick(self, choices: list[Any], path: str) -> Any:
        return choices[self._below(len(choices), path)]

    def _below(self, limit: int, path: str) -> int:
        return prose.number(prose.digest(self._seed.hex(), path), "schema", limit)


def _type_of(schema: dict[str, Any]) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((one for one in declared if one != "null"), "null")
    if declared is None:
        declared = (
            "object" if "properties" in schema else "array" if "items" in schema else "string"
        )
    return str(declared)


def _distinct(items: list[Any]) -> list[Any]:
    return [item for i, item in enumerate(items) if item not in items[:i]]
