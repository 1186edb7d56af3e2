"""The public names and signatures are those of tests/api.txt: a change of them is a decision.

Write the file again with ``python -m tests.test_public_api``.
"""

import enum
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import memcurve
import ragpool

LISTED = Path(__file__).with_name("api.txt")


def listing() -> str:
    """Return every public name of both packages with its signature, one a line."""
    lines = [line for package in (memcurve, ragpool) for line in _lines(package)]
    return "\n".join(lines) + "\n"


def _lines(package: ModuleType) -> Iterator[str]:
    for name in sorted(package.__all__):
        yield from _described(f"{package.__name__}.{name}", getattr(package, name))


def _described(name: str, value: object) -> Iterator[str]:
    if isinstance(value, type) and issubclass(value, enum.Enum):
        yield f"{name}: {', '.join(value.__members__)}"
    elif inspect.isclass(value):
        yield f"{name}{_signature(value)}"
        for own, member in sorted(vars(value).items()):
            if own.startswith(("_", "model_")):
                continue
            if isinstance(member, property):
                yield f"{name}.{own}: property"
            elif isinstance(member, staticmethod | classmethod) or inspect.isfunction(member):
                yield f"{name}.{own}{_signature(getattr(value, own))}"
    elif callable(value) and hasattr(value, "__name__"):
        yield f"{name}{_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _signature(value: object) -> str:
    """Return names, kinds and defaults; annotations are for the type checker to compare."""
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return "(…)"
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty, default=_default(parameter))
        for parameter in signature.parameters.values()
        if not parameter.name.startswith("_")
    ]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


class _Shown:
    """A default as it is listed: simple values themselves, all others as an ellipsis."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _default(parameter: inspect.Parameter) -> object:
    if parameter.default is inspect.Parameter.empty:
        return inspect.Parameter.empty
    simple = isinstance(parameter.default, None | bool | int | float | str)
    return _Shown(repr(parameter.default) if simple else "…")


def test_the_public_api_is_the_listed_one() -> None:
    assert listing() == LISTED.read_text(), "if that is meant: python -m tests.test_public_api"


def test_every_public_name_can_be_loaded_and_is_shown_by_dir() -> None:
    for package in (memcurve, ragpool):
        assert set(package.__all__) <= {*dir(package)}


if __name__ == "__main__":
    LISTED.write_text(listing())
    sys.stdout.write(f"{LISTED.name}: {len(listing().splitlines())} lines\n")
