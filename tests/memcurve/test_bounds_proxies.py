"""Looking for bounds must not run code of the program that is measured."""

from __future__ import annotations

import gc

from memcurve.measure.worker import bounds


class Lazy:
    """A proxy as openai has them: asking for its class loads what it stands for."""

    woken = 0

    def __init__(self) -> None:
        self.held: list[object] = []

    @property
    def __class__(self) -> type:  # type: ignore[override]
        Lazy.woken += 1
        return Lazy


class Private:
    """A cache as cachetools has them: what it declares has a private name."""

    def __init__(self, bound: int) -> None:
        self.__maxsize = bound
        self.__data = {1: "one"}

    def is_full(self) -> bool:
        """Say whether no more fits."""
        return len(self.__data) >= self.__maxsize


def test_a_bound_of_a_private_name_is_one_too() -> None:
    names = [found["name"] for found in bounds.filling([Private(77), Private(1)])]
    assert [name.rpartition("(")[2] for name in names] == ["_Private__maxsize=77)"]


def test_a_proxy_is_not_woken_by_the_search_for_bounds() -> None:
    proxy = Lazy()
    gc.collect()
    Lazy.woken = 0
    bounds.filling()
    assert Lazy.woken == 0
    assert isinstance(proxy, Lazy)
    isinstance(proxy, dict)
    assert Lazy.woken > 0, "the control: isinstance does wake it"
