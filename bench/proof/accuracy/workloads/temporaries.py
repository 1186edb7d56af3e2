"""Memory that comes and goes: sizes that vary, pools, cycles that the collector frees."""

import ctypes
import itertools
import random
import weakref

_calls = itertools.count()
_random = random.Random(11)
_libc = ctypes.CDLL(None)
_libc.malloc.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]


def random_sizes():
    return sum(len(bytes(_random.randrange(1, 50_000))) for _ in range(10))


def temporary_megabytes():
    arrays = [bytearray(_random.randrange(1 << 18, 1 << 22)) for _ in range(3)]
    return len(arrays)


_last = None


def last_result_kept():
    global _last
    _last = bytes(_random.randrange(100_000))


_queue = []


def queue_breathes():
    if _queue and (len(_queue) == 12 or _random.random() < 0.5):
        _queue.pop()
    else:
        _queue.append(bytes(4000))


def spike_every_100():
    if next(_calls) % 100 == 99:
        return len([bytes(10_000) for _ in range(200)])
    return 0


class _Pool:
    def __init__(self, size):
        self.size = size
        self.idle = []

    def take(self):
        return self.idle.pop() if self.idle else bytearray(64_000)

    def give_back(self, item):
        if len(self.idle) < self.size:
            self.idle.append(item)


_pool = _Pool(4)


def pool_of_4():
    taken = [_pool.take() for _ in range(_random.randrange(1, 7))]
    for item in taken:
        _pool.give_back(item)


class _Node:
    __slots__ = ("following", "value")

    def __init__(self):
        self.following = None
        self.value = 0.0


_free_nodes = []


def own_free_list():
    nodes = [_free_nodes.pop() if _free_nodes else _Node() for _ in range(_random.randrange(64))]
    _free_nodes.extend(nodes)


class _Client:
    def __init__(self):
        self.buffer = bytearray(8000)
        self.connection = _Connection(self)


class _Connection:
    def __init__(self, client):
        self.client = client


def client_connection_cycle():
    _Client()


def gc_sawtooth():
    cycle = [bytes(100_000)]
    cycle.append(cycle)


_watched = weakref.WeakSet()


class _Session:
    pass


def weak_set_and_finalizers():
    session = _Session()
    _watched.add(session)
    weakref.finalize(session, len, "closed")


def native_freed():
    _libc.free(_libc.malloc(_random.randrange(1, 100_000)))


_blocks = [None] * 16


def native_ring_of_16():
    place = next(_calls) % 16
    if _blocks[place]:
        _libc.free(_blocks[place])
    _blocks[place] = _libc.malloc(5000)
