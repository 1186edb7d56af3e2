"""Clean code whose curve looks like a leak for a while."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("lookalikes")

LABELLED: Final = (
    _of.clean(
        "cache_that_fills_late",
        "undeclared bound",
        "flat for 120 calls, then 200 entries",
        still_after=320,
    ),
    _of.clean(
        "lru_by_bytes_of_mixed_sizes",
        "undeclared bound",
        "evicts by bytes: the number of its entries never stands still",
        still_after=300,
    ),
    _of.clean(
        "large_entries_evicted",
        "declared bound",
        "12 entries of 300 KB, which malloc maps and unmaps",
        still_after=12,
    ),
    _of.clean("log_rotated_every_80_lines", "logging", "a file is closed, another opened"),
    _of.clean(
        "patterns_compiled_when_needed",
        "finite keys",
        "one of 30 at every 10th call: steps for 300 calls",
        still_after=300,
    ),
    _of.clean(
        "encodings_looked_up",
        "lazy imports",
        "23 encodings, a module and a cache entry each",
        still_after=92,
    ),
    _of.clean(
        "formats_of_dates",
        "undeclared bound",
        "strptime clears its cache of formats when it holds more than five; re keeps 512 patterns",
        still_after=512,
    ),
    _of.clean(
        "cache_of_each_thread",
        "threads",
        "60 entries in each of three threads, which take jobs by chance",
        still_after=500,
    ),
    _of.clean(
        "weak_cache_of_cycles",
        "weak references",
        "its values wait for the collector, entries with them",
    ),
    _of.clean(
        "spool_written_out_at_64_k",
        "resizing",
        "a sawtooth of 365 calls, in a buffer of C",
        still_after=365,
    ),
    _of.clean(
        "tokens_closed_25_calls_later",
        "finite keys",
        "each signs off, but later",
        still_after=25,
    ),
)
