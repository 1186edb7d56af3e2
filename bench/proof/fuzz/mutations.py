"""Ways to spoil a file: of its bytes, and of the JSON or TOML in it."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

HOSTILE: tuple[Any, ...] = (
    None, True, 0, -1, 1, 0.5, -1e300, 1e308, 1 << 62, 1 << 63, -(1 << 70), 10**400,
    "", "x", "../../x", "/etc/x", ".", "\x1b[31m", "\u202e", "$x^^y$", "<script>", "w" * 10_000,
    [], {}, [None], [[]], [0, 0], [3, 1, 2], {"": {}}, {"x": 1}, [1e308, -1e308],
)  # fmt: skip
RAW = (b"\xff", b"\xed\xa0\x80", b"\0", b"NaN", b"1e999", b"-", b'"\\ud800"', b"}", b"[[", b",")
DEEP = 100_000
FEW = 3

Path = tuple[str | int, ...]


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Yield where in a JSON value something stands, itself included.

    Of a list the first few and the last: one number is as good as its neighbour.
    """
    yield at
    if isinstance(value, dict):
        keys: list[str | int] = list(value)
    elif isinstance(value, list):
        keys = sorted({*range(min(len(value), FEW)), max(len(value) - 1, 0)} if value else ())
    else:
        return
    for key in keys:
        yield from places(value[key], (*at, key))


@st.composite
def spoiled(draw: st.DrawFn, original: bytes) -> bytes:
    """Return the file with one to three things done to it."""
    data = original
    for _ in range(draw(st.integers(1, 3))):
        data = draw(_spoiled_once(data))
    return data


@st.composite
def _spoiled_once(draw: st.DrawFn, data: bytes) -> bytes:
    if draw(st.integers(0, 3)):
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return draw(_spoiled_bytes(data))
        return draw(_spoiled_value(value))
    return draw(_spoiled_bytes(data))


@st.composite
def _spoiled_value(draw: st.DrawFn, value: Any) -> bytes:
    at = draw(st.sampled_from(list(places(value))))
    deed = draw(st.sampled_from(("replace", "remove", "twice", "shorten", "deepen", "rename")))
    if not at:
        return json.dumps(draw(st.sampled_from(HOSTILE))).encode()
    holder = value
    for key in at[:-1]:
        holder = holder[key]
    last, old = at[-1], holder[at[-1]]
    if deed == "remove":
        del holder[last]
    elif deed == "twice" and isinstance(old, list):
        holder[last] = old + old
    elif deed == "shorten" and isinstance(old, list | str):
        holder[last] = old[: len(old) // 2]
    elif deed == "rename" and isinstance(holder, dict):
        holder[str(draw(st.sampled_from(HOSTILE)))[:300]] = holder.pop(last)
    elif deed == "deepen":
        holder[last] = "@deep@"
        deep = b"[" * DEEP + b"]" * DEEP
        return json.dumps(value).encode().replace(b'"@deep@"', deep)
    else:
        holder[last] = draw(st.sampled_from(HOSTILE))
    return json.dumps(value).encode()


@st.composite
def _spoiled_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    at = draw(st.integers(0, len(data)))
    length = draw(st.integers(0, 8))
    return data[:at] + draw(st.sampled_from(RAW)) + data[at + length :]
