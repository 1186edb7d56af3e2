"""Leaks that look clean."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("disguised")

LABELLED: Final = (
    _of.leak(
        "drops_then_grows",
        "late onset",
        "500 KB are given back at call 50, more than is lost in 2,000 calls",
        begins_after=51,
    ),
    _of.leak("buffer_of_c_that_grows", "native memory", "one block, always: no count rises"),
    _of.leak(
        "below_a_large_cache",
        "beside a bounded cache",
        "7.5 MB of a full cache are replaced, the leak is a thousandth of it",
    ),
    _of.leak("generators_suspended", "generators", "frames wait where they were left"),
    _of.leak("async_generators_suspended", "generators", "nobody closes them"),
    _of.leak("futures_never_done", "async", "no task waits: nothing is running"),
    _of.leak("weakref_callbacks", "callbacks", "a weak reference keeps its callback"),
    _of.leak("signal_receivers", "callbacks", "connected in each call, never disconnected"),
    _of.leak(
        "counts_of_not_a_number",
        "unbounded cache",
        "one key in the log, but no key equals it",
    ),
    _of.leak("cache_keyed_by_identity", "unbounded cache", "what looks alike is never equal"),
    _of.leak(
        "sawtooth_that_rises",
        "every k-th call",
        "12.5 KB fall away every 50th call, and 4 KB stay",
        exact=False,
        period=50,
    ),
    _of.leak("errors_chained_to_the_last", "tracebacks", "no container: a chain of causes"),
    _of.leak("logging_filter_per_call", "logging", "filters add up"),
    _of.leak(
        "warnings_with_a_text_each",
        "registries",
        "the module keeps each text that was warned of once",
    ),
)
