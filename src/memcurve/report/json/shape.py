"""What every printed object is made of, and how it becomes text."""

import math

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An object that programs read: a key that no schema names is an error.

    A key that is `UNSET` by default is there only with some verdicts; all others always are.
    """


def json_text(value: msgspec.Struct, indent: int = 0) -> bytes:
    """Return a struct as JSON; `indent` 0 leaves it on one line."""
    text = msgspec.json.encode(value)
    return msgspec.json.format(text, indent=indent) if indent else text


def finite(value: float | None, digits: int = 6) -> float | None:
    """Return a number that JSON can hold; null: not measured, or not finite."""
    return round(value, digits) if value is not None and math.isfinite(value) else None
