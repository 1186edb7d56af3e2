"""Memory that is kept at every call, from 16 bytes to a megabyte, in every kind of object."""

import ctypes
import itertools
import sqlite3
import ssl
import zlib
from array import array

_calls = itertools.count()
_kept = []


class _Slots:
    __slots__ = ("left", "right")

    def __init__(self, left=None):
        self.left = left


def slots_object():
    _kept.append(_Slots())


_newest = None


def slots_chain():
    global _newest
    _newest = _Slots(_newest)


def bytes_43():
    _kept.append(bytes(43))


def bytes_1k():
    _kept.append(bytes(1024))


def dict_per_call():
    _kept.append({"id": next(_calls), "name": "record"})


def strings():
    _kept.append(f"message number {next(_calls)} with a little text to it")


def large_ints():
    _kept.append(10**15 + next(_calls))


def floats():
    _kept.append(next(_calls) + 0.5)


_samples = array("d")


def sixteen_bytes():
    _samples.append(1.0)
    _samples.append(2.0)


_places = [None] * 100_000


def bare_object():
    _places[next(_calls)] = object()


def megabyte():
    _kept.append(bytes(1_000_000))


_libc = ctypes.CDLL(None)
_libc.malloc.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]


def native_64():
    _libc.malloc(64)


def native_10k():
    _libc.malloc(10_000)


def tls_contexts():
    _kept.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


def zlib_streams():
    _kept.append(zlib.compressobj(1, zlib.DEFLATED, -9, 1))


_database = sqlite3.connect(":memory:", check_same_thread=False)


def create_audit_table():
    _database.execute("create table audit (line text)")


def sqlite_rows():
    _database.execute("insert into audit values (?)", ("x" * 300,))


class _Cycle:
    def __init__(self):
        self.payload = bytes(900)
        self.me = self


def cycles_in_a_registry():
    _kept.append(_Cycle())


class _CycleWithFinalizer(_Cycle):
    def __del__(self):
        self.payload = None


def finalizable_cycles_in_a_registry():
    _kept.append(_CycleWithFinalizer())


class _Undead:
    def __init__(self):
        self.payload = bytes(700)

    def __del__(self):
        _kept.append(self)


def resurrected_for_ever():
    _Undead()
