"""The cache of search results: off by default, bounded twice when on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ragpool import ConfigurationError, Document, SearchCache
from ragpool.cache import size_bytes

if TYPE_CHECKING:
    from tests.ragpool.conftest import FakeClock


def test_a_cache_is_off_unless_switched_on() -> None:
    cache = SearchCache()
    cache.set("docs", "q", "data")
    assert cache.get("docs", "q") is None
    assert cache.stats().entries == 0
    assert repr(cache) == "<search cache: off>"


def test_a_result_is_found_for_sixty_seconds(clock: FakeClock) -> None:
    cache = SearchCache(enabled=True, clock=clock)
    cache.set("docs", "q", "data")
    clock.advance(59.9)
    assert cache.get("docs", "q") == "data"
    clock.advance(0.2)
    assert cache.get("docs", "q") is None
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.expirations, stats.entries) == (1, 1, 1, 0)


def test_ten_entries_are_kept_and_the_least_used_goes() -> None:
    cache = SearchCache(enabled=True)
    for number in range(10):
        cache.set("docs", str(number), number)
    assert cache.get("docs", "0") == 0
    cache.set("docs", "10", 10)
    assert cache.get("docs", "0") == 0
    assert cache.get("docs", "1") is None
    assert (cache.stats().entries, cache.stats().evictions) == (10, 1)


def test_the_bytes_are_bounded_too() -> None:
    cache = SearchCache(enabled=True, max_bytes=10_000)
    for number in range(10):
        cache.set("docs", str(number), "x" * 3_000)
    assert cache.stats().entries == 3


def test_a_result_larger_than_the_cache_is_refused() -> None:
    cache = SearchCache(enabled=True, max_bytes=1_000)
    cache.set("docs", "q", "x" * 2_000)
    assert cache.get("docs", "q") is None
    assert cache.stats().refused == 1


@pytest.mark.parametrize(("max_entries", "max_bytes"), [(10, 10_001), (7, 10_000), (1, 5_000)])
def test_no_more_than_max_entries_fit_whatever_the_sizes(max_entries: int, max_bytes: int) -> None:
    cache = SearchCache(enabled=True, max_entries=max_entries, max_bytes=max_bytes)
    for number in range(50):
        cache.set("c", str(number), None)
        assert cache.stats().entries <= max_entries
    assert cache.stats().entries == max_entries


def test_no_separator_makes_two_keys_one() -> None:
    cache = SearchCache(enabled=True)
    cache.set("a:b", "c", 1)
    cache.set("a", "b:c", 2)
    assert (cache.get("a:b", "c"), cache.get("a", "b:c")) == (1, 2)


def test_a_variant_tells_apart_searches_with_other_options() -> None:
    cache = SearchCache(enabled=True)
    cache.set("docs", "q", 1, variant=5)
    assert cache.get("docs", "q", variant=10) is None
    assert cache.get("docs", "q", variant=5) == 1


def test_clear_instance_empties_the_default_cache() -> None:
    cache = SearchCache.get_instance()
    assert SearchCache.get_instance() is cache
    cache.enabled = True
    cache.set("docs", "q", "data")
    SearchCache.clear_instance()
    assert cache.stats().entries == 0
    assert SearchCache.get_instance() is not cache
    SearchCache.clear_instance()


def test_a_size_counts_what_a_value_contains() -> None:
    document = Document(id="a", collection="c", text="x" * 5_000, score=0.1, metadata={"k": "v"})
    assert 5_000 < size_bytes((document,)) < 6_500


def test_bounds_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="max_entries 0"):
        SearchCache(max_entries=0)
