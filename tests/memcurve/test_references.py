"""What an object refers to, whatever the collector is told."""

import collections
import gc
from collections.abc import Hashable

import pytest

from memcurve.measure.worker.references import referents_of


class Named(dict[str, object]):
    """A dictionary of a program's own."""


@pytest.mark.parametrize("kind", [dict, collections.OrderedDict, Named])
def test_text_that_is_a_key_is_referred_to(kind: type[dict[str, int]]) -> None:
    key = f"a key of its own, {id(kind)}"
    held = kind({key: 7})
    assert any(one is key for one in referents_of(held))


@pytest.mark.parametrize(
    "held", [{("a", 1): 7}, {1: 7, "text": 8}, {}, ["text"], {"text"}], ids=repr
)
def test_nothing_else_is_added(held: dict[Hashable, int] | list[str] | set[str]) -> None:
    assert referents_of(held) == gc.get_referents(held)
