"""Memory that comes and goes."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("temporaries")

LABELLED: Final = (
    _of.clean("random_sizes", "random sizes", "1 to 50,000 bytes, freed", peers=True),
    _of.clean(
        "last_result_kept",
        "random sizes",
        "one result of up to 100 KB is kept: 300 calls cannot tell its spread from 16 B a call",
        still_after=500,
    ),
    _of.clean(
        "queue_breathes",
        "random sizes",
        "0 to 12 entries, up and down by chance: slow waves",
        still_after=500,
    ),
    _of.clean(
        "temporary_megabytes",
        "temporary arrays",
        "arrays of 0.25 to 4 MiB move malloc's mmap threshold",
    ),
    _of.clean("spike_every_100", "temporary arrays", "2 MB for a moment, every 100th"),
    _of.clean("pool_of_4", "pool", "at most 4 idle buffers", still_after=30, peers=True),
    _of.clean(
        "own_free_list",
        "free list",
        "63 nodes at most: the record is broken ever more rarely",
        still_after=500,
    ),
    _of.clean(
        "client_connection_cycle",
        "gc sawtooth",
        "client and connection know each other: deferred, not leaked",
        peers=True,
    ),
    _of.clean("gc_sawtooth", "gc sawtooth", "100 KB in a cycle, each call"),
    _of.clean(
        "weak_set_and_finalizers",
        "weak references",
        "registered and finalized within the call",
    ),
    _of.clean("native_freed", "native memory", "malloc and free of random sizes"),
    _of.clean(
        "native_ring_of_16",
        "native memory",
        "16 blocks, the oldest is freed",
        still_after=16,
    ),
)
