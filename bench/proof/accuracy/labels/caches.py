"""Caches with a bound, declared or not, and those without one."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("caches")

LABELLED: Final = (
    _of.clean("lru_cache_128", "declared bound", "full at 128", still_after=128, peers=True),
    _of.clean("lru_cache_1500", "declared bound", "full at 1,500", still_after=1500),
    _of.clean(
        "lru_cache_5000",
        "declared bound",
        "not full before the last call: only its declared bound can acquit it",
        still_after=5000,
    ),
    _of.clean("deque_1000", "declared bound", "full at 1,000", still_after=1000, peers=True),
    _of.clean(
        "deque_of_cycles",
        "declared bound",
        "what it drops is cyclic garbage, which a frozen heap would keep",
        still_after=300,
    ),
    _of.clean(
        "statements_of_a_lazy_engine",
        "declared bound",
        "made at the first call, full at 800",
        still_after=801,
    ),
    _of.clean("urls_split", "declared bound", "urlsplit's own lru_cache", still_after=128),
    _of.clean(
        "sqlite_statements",
        "declared bound",
        "128 prepared statements in native memory",
        still_after=128,
    ),
    _of.clean(
        "evicting_dict_300",
        "undeclared bound",
        "rises exactly like a leak for 300 calls",
        still_after=301,
        peers=True,
    ),
    _of.clean(
        "ordered_dict_lru",
        "undeclared bound",
        "an LRU by hand: misses in order, hits by chance",
        still_after=200,
    ),
    _of.clean("ring_of_256", "undeclared bound", "slots fill once", still_after=256),
    _of.clean(
        "cleared_at_250",
        "undeclared bound",
        "cleared when full: a sawtooth of 250 calls",
        still_after=250,
    ),
    _of.clean(
        "batch_flushed_at_100",
        "undeclared bound",
        "a sawtooth of 100 calls",
        still_after=100,
    ),
    _of.clean(
        "regular_expressions",
        "undeclared bound",
        "re keeps 512 compiled patterns, and says so nowhere",
        still_after=512,
    ),
    _of.clean(
        "struct_formats",
        "undeclared bound",
        "struct clears its 100 formats when they are full, in C",
        still_after=100,
    ),
    _of.clean("ttl_of_150_ticks", "time bound", "expires by call number", still_after=150),
    _of.clean(
        "ttl_of_20_ms",
        "time bound",
        "expires by the clock: its size follows the speed of the calls",
        still_after=40,
    ),
    _of.clean(
        "weak_values",
        "weak references",
        "a WeakValueDictionary of which 40 values are pinned",
        still_after=40,
    ),
    _of.clean("memo_of_50_keys", "finite keys", "unbounded cache, 50 keys", still_after=50),
    _of.clean(
        "keys_by_chance",
        "finite keys",
        "100 keys, drawn by chance: ever fewer are new",
        still_after=1000,
    ),
    _of.clean(
        "label_sets_by_chance",
        "finite keys",
        "90 label sets of a metric, drawn by chance",
        still_after=900,
    ),
    _of.leak("lru_cache_billion", "unbounded cache", "a bound beyond any memory"),
    _of.leak("memo_of_every_key", "unbounded cache", "lru_cache(maxsize=None), new keys"),
    _of.leak("replies_by_request", "unbounded cache", "a dict that nobody empties"),
)
