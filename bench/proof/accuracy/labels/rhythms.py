"""Growth that does not come evenly."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("rhythms")

LABELLED: Final = (
    _of.leak("every_7th", "every k-th call", "2 KB every 7th call", period=7),
    _of.leak("every_10th", "every k-th call", "1 KB every 10th call", period=10, peers=True),
    _of.leak("every_100th", "every k-th call", "1 KB every 100th call", period=100),
    _of.leak("one_in_20", "by chance", "3 KB once in 20 calls, by chance", exact=False, period=20),
    _of.leak("accelerating", "accelerating", "10 bytes more at every call", exact=False),
    _of.leak("late_onset", "late onset", "flat for 120 calls", begins_after=120),
    _of.leak(
        "beside_a_filling_cache",
        "beside a bounded cache",
        "a cache of 600 fills, its table grows once more, and the leak goes on",
        still_after=700,
    ),
    _of.leak(
        "under_noise",
        "under noise",
        "1 KB a call under a buffer of 0 to 50 KB",
        exact=False,
    ),
)
