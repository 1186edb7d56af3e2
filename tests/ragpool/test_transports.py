"""What the HTTP clients know of the libraries under them."""

from __future__ import annotations

from importlib.metadata import version

from ragpool.transports import WRITTEN_FOR


def test_the_installed_releases_are_those_whose_inside_is_known() -> None:
    assert {name: version(name) for name in WRITTEN_FOR} == WRITTEN_FOR
