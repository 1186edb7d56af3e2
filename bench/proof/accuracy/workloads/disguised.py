"""Leaks that look clean: after a drop, below a cache, in C, in what seems to be finished."""

import asyncio
import ctypes
import itertools
import logging
import warnings
import weakref
from collections import Counter
from functools import lru_cache

_calls = itertools.count()
_kept = []

_start = [bytes(5000) for _ in range(100)]


def drops_then_grows():
    if next(_calls) == 50:
        _start.clear()
    _kept.append(bytes(180))


_libc = ctypes.CDLL(None)
_libc.realloc.restype = ctypes.c_void_p
_libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_buffer = [None, 0]


def buffer_of_c_that_grows():
    _buffer[1] += 48
    _buffer[0] = _libc.realloc(_buffer[0], _buffer[1])


_large = {number: bytes(50_000) for number in range(150)}


def below_a_large_cache():
    call = next(_calls)
    _large[call % 150] = bytes(50_000)
    _kept.append((call, bytes(60)))


def _rows(start):
    yield start
    yield bytes(200)


def generators_suspended():
    rows = _rows(bytes(100))
    next(rows)
    _kept.append(rows)


async def _pages():
    yield bytes(300)
    yield b""


async def async_generators_suspended():
    pages = _pages()
    await pages.__anext__()
    _kept.append(pages)


_pending = {}


async def futures_never_done():
    _pending[next(_calls)] = asyncio.get_running_loop().create_future()


class _Session:
    pass


_session = _Session()


def weakref_callbacks():
    payload = bytes(150)
    _kept.append(weakref.ref(_session, lambda _: len(payload)))


class _Signal:
    """Keeps receivers by identity, as many libraries do."""

    def __init__(self):
        self.receivers = {}

    def connect(self, receiver):
        self.receivers[id(receiver)] = receiver


_saved = _Signal()


def signal_receivers():
    number = next(_calls)
    _saved.connect(lambda: number)


_histogram = Counter()


def counts_of_not_a_number():
    _histogram[float("nan")] += 1


_last_error = [None]


def errors_chained_to_the_last():
    try:
        raise ValueError("retry") from _last_error[0]
    except ValueError as error:
        _last_error[0] = error.with_traceback(None)


class _Query:
    """Equal to itself alone."""


@lru_cache(maxsize=None)  # noqa: UP033 - as most code spells it
def _planned(query):
    return bytes(400)


def cache_keyed_by_identity():
    _planned(_Query())


_batch = []


def sawtooth_that_rises():
    _batch.append(bytes(250))
    if len(_batch) == 50:
        _kept.append(bytes(4000))
        _batch.clear()


_filtered = logging.getLogger("accuracy.filtered")


def logging_filter_per_call():
    tenant = f"tenant {next(_calls)}"
    _filtered.addFilter(lambda record: record.name != tenant)


warnings.showwarning = lambda *_, **__: None


def warnings_with_a_text_each():
    warnings.warn(f"slow request {next(_calls)}", RuntimeWarning, stacklevel=1)
