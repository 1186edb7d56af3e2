"""Strategies of hypothesis for any value that memcurve stores, made from the value's own types."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

S = TypeVar("S", bound=msgspec.Struct)

# a 64-bit counter; JSON has no infinity, and no figure of ours is one
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
TEXTS = st.text(max_size=30)
ANY = st.recursive(
    st.none() | st.booleans() | INTEGERS | FLOATS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
PLAIN: dict[Any, SearchStrategy[Any]] = {
    Any: ANY,
    bool: st.booleans(),
    float: FLOATS,
    int: INTEGERS,
    str: TEXTS,
    type(None): st.none(),
}


def values(kind: type[S], **given: SearchStrategy[Any]) -> SearchStrategy[S]:
    """Return values of a struct; `given` are for fields of which the type says too little."""
    constants = {"schema_version"} & {*kind.__struct_fields__}  # of another version is refused
    hints = get_type_hints(kind)
    fields = {
        name: of_type(hints[name]) for name in kind.__struct_fields__ if name not in constants
    }
    return st.builds(kind, **{**fields, **given})


def of_type(hint: Any) -> SearchStrategy[Any]:
    """Return values of one annotation."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(of_type, arguments))
    if origin is dict:
        return st.dictionaries(TEXTS, of_type(arguments[1]), max_size=3)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(of_type(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(of_type, arguments))
    return values(hint)
