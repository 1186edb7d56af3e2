"""Growth in steps that double, bounds that C declares nowhere, references to what stays."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("steps")

LABELLED: Final = (
    _of.clean(
        "steps_of_a_table_of_257",
        "doubling steps",
        "a set that takes four times as much at calls 5, 20 and 77, and no more",
        still_after=257,
    ),
    _of.clean(
        "steps_of_a_buffer_that_stops",
        "doubling steps",
        "doubles at calls 41, 82 and 164, and is never full again",
        still_after=300,
    ),
    _of.clean(
        "native_cache_of_3300",
        "undeclared bound",
        "1,360 B of malloc's a call for 3,300 calls: rises exactly like a leak",
        still_after=3300,
    ),
    _of.clean(
        "native_cache_of_900",
        "undeclared bound",
        "malloc's for 900 calls",
        still_after=900,
    ),
    _of.clean(
        "reference_lost_at_each_call",
        "references",
        "no byte grows, but what lives for ever is counted up",
        loses="steps._settings (steps._Settings)",
    ),
    _of.clean("references_given_back", "references", "taken and given back by C"),
    _of.leak(
        "native_blocks_without_a_bound",
        "native memory",
        "the native cache that has no bound",
        bytes_per_call=1360.0,
    ),
    _of.leak(
        "steps_of_a_native_array",
        "doubling steps",
        "a block a call, and an array of pointers that doubles",
        exact=False,
    ),
    _of.leak(
        "steps_of_a_log_and_its_lines",
        "doubling steps",
        "an object a call, and a buffer that doubles",
        exact=False,
    ),
    _of.leak("references_kept_in_tuples", "references", "a tuple a call around what stays"),
    _of.leak("references_kept_by_methods", "references", "a bound method of what stays"),
)
