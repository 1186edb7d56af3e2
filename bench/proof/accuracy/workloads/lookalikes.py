"""Clean code whose curve looks like a leak for a while: late, mixed, rotated, lazily made."""

import codecs
import io
import itertools
import logging
import logging.handlers
import random
import re
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from pathlib import Path

_calls = itertools.count()
_random = random.Random(17)

_late = {}


def cache_that_fills_late():
    call = next(_calls)
    if call >= 120:
        _late[call % 200] = bytes(900)


_sized = OrderedDict()
_sized_bytes = [0]


def lru_by_bytes_of_mixed_sizes():
    _sized[next(_calls)] = entry = bytes(_random.randrange(100, 8000))
    _sized_bytes[0] += len(entry)
    while _sized_bytes[0] > 400_000:
        _sized_bytes[0] -= len(_sized.popitem(last=False)[1])


@lru_cache(maxsize=12)
def _page(number):
    return bytes(300_000)


def large_entries_evicted():
    _page(next(_calls) % 40)


_rotated = []


def log_rotated_every_80_lines():
    if not _rotated:
        place = Path(tempfile.mkdtemp()) / "app.log"
        handler = logging.handlers.RotatingFileHandler(place, maxBytes=8000, backupCount=2)
        logger = logging.getLogger("accuracy.rotated")
        logger.propagate = False
        logger.addHandler(handler)
        _rotated.append(logger)
    _rotated[0].warning("%099d", next(_calls))


_rules = [f"rule-{number}-([a-z]+)-\\d{{2,4}}" for number in range(30)]


class _Rule:
    def __init__(self, text):
        self.text = text

    @cached_property
    def pattern(self):
        return re.compile(self.text)


_ruleset = [_Rule(text) for text in _rules]


def patterns_compiled_when_needed():
    return _ruleset[min(next(_calls) // 10, 29)].pattern.match("rule-1-ab-12")


_ENCODINGS = [f"cp{number}" for number in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862)]
_ENCODINGS += [f"iso8859_{number}" for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15)]


def encodings_looked_up():
    return codecs.lookup(_ENCODINGS[next(_calls) // 4 % len(_ENCODINGS)]).name


def formats_of_dates():
    number = next(_calls)
    return time.strptime(f"{number} 2026", f"{number} %Y").tm_year


_threads = ThreadPoolExecutor(3)
_local = threading.local()


def _by_thread(number):
    if not hasattr(_local, "cache"):
        _local.cache = {}
    _local.cache[number % 60] = bytes(500)


def cache_of_each_thread():
    list(_threads.map(_by_thread, [next(_calls)] * 3))


class _Node:
    def __init__(self):
        self.payload = bytes(1500)
        self.me = self


_nodes = weakref.WeakValueDictionary()


def weak_cache_of_cycles():
    _nodes[next(_calls) % 500] = _Node()


_spool = io.BytesIO()


def spool_written_out_at_64_k():
    if _spool.tell() > 65_536:
        _spool.seek(0)
        _spool.truncate()
    _spool.write(bytes(180))


_alive = {}


class _Token:
    """Signs on in a registry, and off when it is closed."""

    def __init__(self, number):
        self.number = number
        _alive[number] = bytes(600)

    def close(self):
        del _alive[self.number]


_open_tokens = []


def tokens_closed_25_calls_later():
    _open_tokens.append(_Token(next(_calls)))
    if len(_open_tokens) > 25:
        _open_tokens.pop(0).close()
