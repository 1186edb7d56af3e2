"""Growth that does not come evenly: every k-th call, by chance, ever faster, late, in company."""

import itertools
import random
from functools import lru_cache

_calls = itertools.count(1)
_random = random.Random(3)
_kept = []


def every_7th():
    if next(_calls) % 7 == 0:
        _kept.append(bytes(2000))


def every_10th():
    if next(_calls) % 10 == 0:
        _kept.append(bytes(1024))


def every_100th():
    if next(_calls) % 100 == 0:
        _kept.append(bytes(1024))


def one_in_20():
    if _random.random() < 0.05:
        _kept.append(bytes(3000))


def accelerating():
    _kept.append(bytes(10 * next(_calls)))


def late_onset():
    if next(_calls) > 120:
        _kept.append(bytes(1500))


@lru_cache(maxsize=600)
def _lookup(key):
    return bytes(300)


def beside_a_filling_cache():
    call = next(_calls)
    _lookup(call)
    _kept.append(bytes(160))


_last = None


def under_noise():
    global _last
    _last = bytes(_random.randrange(50_000))
    _kept.append(bytes(1000))
