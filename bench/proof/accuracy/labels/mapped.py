"""Memory that is mapped past both heaps."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("mapped")

_KIND: Final = "mapped memory"

LABELLED: Final = (
    _of.clean("pool_of_32_mapped_megabytes", _KIND, "keeps the first 32 MiB", still_after=32),
    _of.clean("ring_of_64_mappings", _KIND, "a third of each is touched", still_after=64),
    _of.clean("mapped_for_a_moment", _KIND, "up to 200 pages, half of them touched"),
    _of.clean("pages_of_a_file", _KIND, "resident memory rises by 40 KiB a call", still_after=1),
    _of.clean(
        "eight_threads_one_by_one",
        "threads",
        "a stack more at every 20th call, eight in all",
        still_after=160,
    ),
    _of.leak("mapped_16k_touched_4k", _KIND, "in neither heap", bytes_per_call=16_384.0),
    _of.leak("mapped_every_7th", _KIND, "64 KiB every 7th call", period=7),
    _of.leak("shared_pages_kept", _KIND, "shared memory that no file backs"),
    _of.leak("mapped_below_a_ring", _KIND, "beside a ring of mappings that fills", still_after=64),
)
