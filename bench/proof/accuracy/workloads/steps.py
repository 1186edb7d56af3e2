"""Growth in steps that double, bounds that nobody declares in C, and references to what stays."""

import ctypes

_libc = ctypes.CDLL(None)
_libc.malloc.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.realloc.restype = ctypes.c_void_p
_libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_table = set()


def steps_of_a_table_of_257():
    _table.add(len(_table) % 257)


class _Buffer:
    """Bytes that double when they are full."""

    def __init__(self, size):
        self.bytes, self.used = bytearray(size), 0

    def append(self, size):
        self.used += size
        if self.used > len(self.bytes):
            larger = bytearray(2 * len(self.bytes))
            larger[: len(self.bytes)] = self.bytes
            self.bytes = larger


_bounded = _Buffer(4096)


def steps_of_a_buffer_that_stops():
    if _bounded.used < 30_000:
        _bounded.append(100)


_entries = [0]


def native_cache_of_3300():
    if _entries[0] < 3300:
        _libc.malloc(1352)
        _entries[0] += 1


def native_cache_of_900():
    if _entries[0] < 900:
        _libc.malloc(200)
        _entries[0] += 1


class _Settings:
    """Lives as long as the program."""


_settings = _Settings()
_increase, _decrease = ctypes.pythonapi.Py_IncRef, ctypes.pythonapi.Py_DecRef
for _change in (_increase, _decrease):
    _change.argtypes, _change.restype = [ctypes.py_object], None


def references_given_back():
    _increase(_settings)
    _decrease(_settings)


def reference_lost_at_each_call():
    _increase(_settings)


def native_blocks_without_a_bound():
    _libc.malloc(1352)


_array = [None, 0, 64]


def steps_of_a_native_array():
    if _array[1] == _array[2]:
        _array[2] *= 2
    if _array[1] % 64 == 0:
        _array[0] = _libc.realloc(_array[0], 8 * _array[2])
    _array[1] += 1
    _libc.malloc(500)


_log, _lines = _Buffer(4096), []


def steps_of_a_log_and_its_lines():
    _log.append(40)
    _lines.append(bytes(400))


_holders = []


def references_kept_in_tuples():
    _holders.append((_settings, len(_holders)))


def references_kept_by_methods():
    _holders.append(_settings.__init__)
