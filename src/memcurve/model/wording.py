"""How a result reads when it is printed: `report` says that, and is above the values.

Until it is loaded, which whatever measures does, a result prints as the structure that it is.
"""

from collections.abc import Callable
from typing import Any

_makers: dict[str, Callable[[Any], str]] = {}


def set_wording(**makers: Callable[[Any], str]) -> None:
    """Set what makes the `line`, the `text` and the `html` of a result."""
    _makers.update(makers)


def wording(kind: str, value: object) -> str | None:
    """Return a result as it reads, None where nothing that reports is loaded."""
    maker = _makers.get(kind)
    return maker(value) if maker is not None else None
