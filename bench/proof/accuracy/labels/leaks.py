"""Objects, bytes and blocks of C that stay."""

from __future__ import annotations

from typing import Final

from bench.proof.accuracy.labels.label import Labels

_of = Labels("leaks")

LABELLED: Final = (
    _of.leak("slots_object", "objects", "48 B and a list slot", peers=True),
    _of.leak("slots_chain", "objects", "no container grows", bytes_per_call=48.0),
    _of.leak("bare_object", "objects", "the smallest object", bytes_per_call=16.0),
    _of.leak("bytes_43", "bytes", "invisible to object counts", peers=True),
    _of.leak("bytes_1k", "bytes", "invisible to object counts", peers=True),
    _of.leak("megabyte", "bytes", "never touched: RSS stays", bytes_per_call=1_003_520.0),
    _of.leak("strings", "str", "invisible to object counts"),
    _of.leak("large_ints", "numbers", "not tracked by the collector"),
    _of.leak("floats", "numbers", "not tracked by the collector"),
    _of.leak("sixteen_bytes", "numbers", "two doubles in an array that grows by 1/16"),
    _of.leak("dict_per_call", "dicts", "dicts of atoms are untracked", peers=True),
    _of.leak("native_64", "native memory", "through ctypes", bytes_per_call=80.0, peers=True),
    _of.leak("native_10k", "native memory", "through ctypes", bytes_per_call=10_016.0),
    _of.leak("tls_contexts", "native memory", "OpenSSL's own malloc"),
    _of.leak("zlib_streams", "native memory", "zlib's window"),
    _of.leak(
        "sqlite_rows",
        "native memory",
        "a page every 12 rows or so",
        period=12,
        setup="create_audit_table",
    ),
    _of.leak("cycles_in_a_registry", "cycles", "reachable: no garbage"),
    _of.leak("finalizable_cycles_in_a_registry", "finalizable cycles", "with __del__"),
    _of.leak("resurrected_for_ever", "resurrection", "__del__ saves itself for good"),
)
