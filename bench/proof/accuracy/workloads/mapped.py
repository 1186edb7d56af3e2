"""Memory that is mapped past both heaps: pools of pages, parts of them touched, stacks."""

import ctypes
import itertools
import mmap
import queue
import random
import tempfile
import threading

_calls = itertools.count()
_random = random.Random(5)
_libc = ctypes.CDLL(None)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_READ_WRITE, _PRIVATE_ANONYMOUS = 3, 0x22


def _map(size, touched):
    place = _libc.mmap(None, size, _READ_WRITE, _PRIVATE_ANONYMOUS, -1, 0)
    ctypes.memset(place, 1, touched)
    return place


_idle = []


def pool_of_32_mapped_megabytes():
    place = _map(1 << 20, 1 << 20)
    if len(_idle) < 32:
        _idle.append(place)
    else:
        _libc.munmap(place, 1 << 20)


_slots = [None] * 64


def ring_of_64_mappings():
    at = next(_calls) % 64
    if _slots[at]:
        _libc.munmap(_slots[at], 65_536)
    _slots[at] = _map(65_536, 20_000)


def mapped_for_a_moment():
    size = 4096 * _random.randrange(1, 200)
    _libc.munmap(_map(size, size // 2), size)


_file = []


def pages_of_a_file():
    if not _file:
        with tempfile.TemporaryFile() as handle:
            handle.truncate(1 << 28)
            _file.append(mmap.mmap(handle.fileno(), 1 << 28))
    start = next(_calls) % 6000 * 40_960
    return sum(_file[0][start + 4096 * page] for page in range(10))


_jobs = queue.SimpleQueue()


def _work():
    while True:
        _jobs.get()()


def eight_threads_one_by_one():
    call = next(_calls)
    if call % 20 == 0 and call < 160:
        threading.Thread(target=_work, daemon=True).start()
    done = threading.Event()
    _jobs.put(done.set)
    done.wait()


def mapped_16k_touched_4k():
    _map(16_384, 4096)


def mapped_every_7th():
    if next(_calls) % 7 == 0:
        _map(65_536, 65_536)


_kept = []


def shared_pages_kept():
    pages = mmap.mmap(-1, 32_768)
    pages[:] = bytes(32_768)
    _kept.append(pages)


def mapped_below_a_ring():
    ring_of_64_mappings()
    _map(8192, 8192)
