"""Caches with a bound, declared or not, and their look-alikes without one."""

import itertools
import random
import re
import sqlite3
import struct
import time
import weakref
from collections import OrderedDict, deque
from functools import lru_cache
from urllib.parse import urlsplit

_calls = itertools.count()
_random = random.Random(20261122)


@lru_cache(maxsize=128)
def _lookup_128(key):
    return bytes(500)


def lru_cache_128():
    _lookup_128(next(_calls))


@lru_cache(maxsize=1500)
def _lookup_1500(key):
    return bytes(200)


def lru_cache_1500():
    _lookup_1500(next(_calls))


@lru_cache(maxsize=5000)
def _lookup_5000(key):
    return bytes(100)


def lru_cache_5000():
    _lookup_5000(next(_calls))


@lru_cache(maxsize=10**9)
def _lookup_billion(key):
    return bytes(500)


def lru_cache_billion():
    _lookup_billion(next(_calls))


@lru_cache(maxsize=None)  # noqa: UP033 - as most code spells it
def _memo(key):
    return bytes(500)


def memo_of_50_keys():
    _memo(next(_calls) % 50)


def memo_of_every_key():
    _memo(next(_calls))


_recent = deque(maxlen=1000)


def deque_1000():
    _recent.append(bytes(100))


class _SelfReferencing:
    def __init__(self):
        self.payload = bytes(1000)
        self.me = self


_recent_cycles = deque(maxlen=300)


def deque_of_cycles():
    _recent_cycles.append(_SelfReferencing())


_evicting = {}


def evicting_dict_300():
    _evicting[next(_calls)] = bytes(200)
    if len(_evicting) > 300:
        del _evicting[next(iter(_evicting))]


_cleared = {}


def cleared_at_250():
    if len(_cleared) >= 250:
        _cleared.clear()
    _cleared[next(_calls)] = bytes(200)


class _Lru:
    def __init__(self, bound):
        self.bound = bound
        self.entries = OrderedDict()

    def get(self, key):
        if key in self.entries:
            self.entries.move_to_end(key)
            return self.entries[key]
        self.entries[key] = value = bytes(400)
        if len(self.entries) > self.bound:
            self.entries.popitem(last=False)
        return value


_lru = _Lru(200)


def ordered_dict_lru():
    _lru.get(next(_calls))
    _lru.get(_random.randrange(50))


_ticking = {}


def ttl_of_150_ticks():
    now = next(_calls)
    _ticking[now] = (now + 150, bytes(300))
    for key in [key for key, (expires, _) in _ticking.items() if expires <= now]:
        del _ticking[key]


_timed = deque()


def ttl_of_20_ms():
    now = time.monotonic()
    _timed.append((now + 0.02, bytes(300)))
    while _timed[0][0] <= now:
        _timed.popleft()
    time.sleep(0.0005)


class _Document:
    def __init__(self, text):
        self.text = text


_documents = weakref.WeakValueDictionary()
_pinned = deque(maxlen=40)


def weak_values():
    key = next(_calls)
    _documents[key] = document = _Document(f"text {key}")
    _pinned.append(document)


_by_chance = {}


def keys_by_chance():
    key = _random.randrange(100)
    if key not in _by_chance:
        _by_chance[key] = bytes(600)


_series = {}


def label_sets_by_chance():
    labels = (_random.choice(["GET", "POST", "PUT"]), _random.randrange(5), _random.randrange(6))
    _series[labels] = _series.get(labels, 0.0) + 0.5


_ring = [None] * 256


def ring_of_256():
    _ring[next(_calls) % 256] = bytes(700)


_batch = []


def batch_flushed_at_100():
    _batch.append(bytes(250))
    if len(_batch) == 100:
        _batch.clear()


def regular_expressions():
    re.compile(f"^item-{next(_calls)}-[a-z]+$")


def struct_formats():
    struct.calcsize(f"<{next(_calls)}sI")


def urls_split():
    urlsplit(f"https://example.invalid/page/{next(_calls)}?q=1")


_database = sqlite3.connect(":memory:", check_same_thread=False)


def sqlite_statements():
    _database.execute(f"select {next(_calls)}").fetchall()


_replies = {}


def replies_by_request():
    _replies[f"request-{next(_calls)}"] = {"status": 200}


class _Compiled(dict):
    def __init__(self, maxsize):
        super().__init__()
        self.maxsize = maxsize

    def compile(self, text):
        if len(self) >= self.maxsize:
            del self[next(iter(self))]
        self[text] = bytes(300)


_engine = []


def statements_of_a_lazy_engine():
    if not _engine:
        _engine.append(_Compiled(800))
    _engine[0].compile(next(_calls))
