"""The suite: every workload with its label, half of them clean and half of them leaks."""

from __future__ import annotations

from typing import Any, Final

from bench.proof.accuracy.workload import FOLDER, Workload


def _workload(place: str, *, leaks: bool, kind: str, note: str, **more: Any) -> Workload:
    module, name = place.split(":")
    if "setup" in more:
        more["setup"] = f"{FOLDER / module}.py:{more['setup']}"
    target = f"{FOLDER / module}.py:{name}"
    return Workload(name=name, target=target, leaks=leaks, kind=kind, note=note, **more)


def _clean(place: str, kind: str, note: str, **more: Any) -> Workload:
    return _workload(place, leaks=False, kind=kind, note=note, **more)


def _leak(place: str, kind: str, note: str, **more: Any) -> Workload:
    return _workload(place, leaks=True, kind=kind, note=note, **more)


_CLEAN_CACHES: Final = (
    _clean("caches:lru_cache_128", "declared bound", "full at 128", still_after=128, peers=True),
    _clean("caches:lru_cache_1500", "declared bound", "full at 1,500", still_after=1500),
    _clean(
        "caches:lru_cache_5000",
        "declared bound",
        "not full before the last call: only its declared bound can acquit it",
        still_after=5000,
    ),
    _clean("caches:deque_1000", "declared bound", "full at 1,000", still_after=1000, peers=True),
    _clean(
        "caches:deque_of_cycles",
        "declared bound",
        "what it drops is cyclic garbage, which a frozen heap would keep",
        still_after=300,
    ),
    _clean(
        "caches:statements_of_a_lazy_engine",
        "declared bound",
        "made at the first call, full at 800",
        still_after=801,
    ),
    _clean("caches:urls_split", "declared bound", "urlsplit's own lru_cache", still_after=128),
    _clean(
        "caches:sqlite_statements",
        "declared bound",
        "128 prepared statements in native memory",
        still_after=128,
    ),
    _clean(
        "caches:evicting_dict_300",
        "undeclared bound",
        "rises exactly like a leak for 300 calls",
        still_after=301,
        peers=True,
    ),
    _clean(
        "caches:ordered_dict_lru",
        "undeclared bound",
        "an LRU by hand: misses in order, hits by chance",
        still_after=200,
    ),
    _clean("caches:ring_of_256", "undeclared bound", "slots fill once", still_after=256),
    _clean(
        "caches:cleared_at_250",
        "undeclared bound",
        "cleared when full: a sawtooth of 250 calls",
        still_after=250,
    ),
    _clean(
        "caches:batch_flushed_at_100",
        "undeclared bound",
        "a sawtooth of 100 calls",
        still_after=100,
    ),
    _clean(
        "caches:regular_expressions",
        "undeclared bound",
        "re keeps 512 compiled patterns, and says so nowhere",
        still_after=512,
    ),
    _clean(
        "caches:struct_formats",
        "undeclared bound",
        "struct clears its 100 formats when they are full, in C",
        still_after=100,
    ),
    _clean("caches:ttl_of_150_ticks", "time bound", "expires by call number", still_after=150),
    _clean(
        "caches:ttl_of_20_ms",
        "time bound",
        "expires by the clock: its size follows the speed of the calls",
        still_after=40,
    ),
    _clean(
        "caches:weak_values",
        "weak references",
        "a WeakValueDictionary of which 40 values are pinned",
        still_after=40,
    ),
    _clean("caches:memo_of_50_keys", "finite keys", "unbounded cache, 50 keys", still_after=50),
    _clean(
        "caches:keys_by_chance",
        "finite keys",
        "100 keys, drawn by chance: ever fewer are new",
        still_after=1000,
    ),
    _clean(
        "caches:label_sets_by_chance",
        "finite keys",
        "90 label sets of a metric, drawn by chance",
        still_after=900,
    ),
)

_CLEAN_INTERPRETER: Final = (
    _clean("interpreter:pure_work", "pure work", "nothing stays", peers=True),
    _clean(
        "interpreter:lazy_imports",
        "lazy imports",
        "a module a call for 24 calls",
        still_after=24,
        peers=True,
    ),
    _clean(
        "interpreter:late_import",
        "lazy imports",
        "two packages at call 60, after a flat start",
        still_after=61,
    ),
    _clean(
        "interpreter:missing_import",
        "import cache",
        "sought in vain; the names tried enter CPython's attribute cache by chance of address",
        still_after=1000,
    ),
    _clean("interpreter:free_lists", "free list", "tuples, floats and dicts of many sizes"),
    _clean(
        "interpreter:sliding_dict",
        "resizing",
        "90 live keys: the table is rebuilt every so often",
        still_after=90,
    ),
    _clean("interpreter:resized_list", "resizing", "extended by chance, cleared"),
    _clean(
        "interpreter:interned_names",
        "interning",
        "80 interned attribute names, drawn by chance",
        still_after=900,
    ),
    _clean(
        "interpreter:classes_dropped",
        "classes",
        "a class a call, in the weak registries of an ABC until collected",
    ),
    _clean(
        "interpreter:exceptions_handled",
        "exceptions",
        "error, traceback and frame form a cycle of 21 frames",
    ),
    _clean("interpreter:log_lines", "logging", "formatted lines, stream truncated"),
    _clean(
        "interpreter:log_memory_handler",
        "logging",
        "MemoryHandler keeps 64 records, then flushes them",
        still_after=64,
    ),
    _clean(
        "interpreter:loggers_by_name",
        "logging",
        "loggers live forever, but there are only 40 names",
        still_after=500,
    ),
    _clean(
        "interpreter:finalizer_resurrects",
        "resurrection",
        "each object comes back once and needs two collections to die",
    ),
)

_CLEAN_TEMPORARIES: Final = (
    _clean("temporaries:random_sizes", "random sizes", "1 to 50,000 bytes, freed", peers=True),
    _clean(
        "temporaries:last_result_kept",
        "random sizes",
        "one result of up to 100 KB is kept: 300 calls cannot tell its spread from 16 B a call",
        still_after=500,
    ),
    _clean(
        "temporaries:queue_breathes",
        "random sizes",
        "0 to 12 entries, up and down by chance: slow waves",
        still_after=500,
    ),
    _clean(
        "temporaries:temporary_megabytes",
        "temporary arrays",
        "arrays of 0.25 to 4 MiB move malloc's mmap threshold",
    ),
    _clean("temporaries:spike_every_100", "temporary arrays", "2 MB for a moment, every 100th"),
    _clean("temporaries:pool_of_4", "pool", "at most 4 idle buffers", still_after=30, peers=True),
    _clean(
        "temporaries:own_free_list",
        "free list",
        "63 nodes at most: the record is broken ever more rarely",
        still_after=500,
    ),
    _clean(
        "temporaries:client_connection_cycle",
        "gc sawtooth",
        "client and connection know each other: deferred, not leaked",
        peers=True,
    ),
    _clean("temporaries:gc_sawtooth", "gc sawtooth", "100 KB in a cycle, each call"),
    _clean(
        "temporaries:weak_set_and_finalizers",
        "weak references",
        "registered and finalized within the call",
    ),
    _clean("temporaries:native_freed", "native memory", "malloc and free of random sizes"),
    _clean(
        "temporaries:native_ring_of_16",
        "native memory",
        "16 blocks, the oldest is freed",
        still_after=16,
    ),
)

_CLEAN_CONCURRENCY: Final = (
    _clean("concurrency:thread_joined", "threads", "a thread a call, joined"),
    _clean("concurrency:thread_pool", "threads", "four threads, started lazily", still_after=4),
    _clean("concurrency:subprocess_run", "subprocesses", "a process a call, awaited"),
    _clean("concurrency:files_closed", "descriptors", "a file and a socket pair, closed"),
    _clean("concurrency:descriptor_pool", "descriptors", "8 stay open", still_after=8),
    _clean(
        "concurrency:sockets_in_a_cycle",
        "descriptors",
        "two descriptors a call wait for the collector",
    ),
    _clean(
        "concurrency:pure_coroutine",
        "async",
        "five tasks, gathered; asyncio itself warms up for a thousand calls, ever more slowly",
        still_after=1000,
    ),
    _clean(
        "concurrency:background_task_50_ms",
        "async",
        "each call leaves a task that ends 50 ms later",
    ),
    _clean("concurrency:queue_with_worker", "async", "one worker task lives on", still_after=1),
)

_LEAKS_OF_OBJECTS: Final = (
    _leak("leaks:slots_object", "objects", "48 B and a list slot", peers=True),
    _leak("leaks:slots_chain", "objects", "no container grows", bytes_per_call=48.0),
    _leak("leaks:bare_object", "objects", "the smallest object", bytes_per_call=16.0),
    _leak("leaks:bytes_43", "bytes", "invisible to object counts", peers=True),
    _leak("leaks:bytes_1k", "bytes", "invisible to object counts", peers=True),
    _leak("leaks:megabyte", "bytes", "never touched: RSS stays", bytes_per_call=1_003_520.0),
    _leak("leaks:strings", "str", "invisible to object counts"),
    _leak("leaks:large_ints", "numbers", "not tracked by the collector"),
    _leak("leaks:floats", "numbers", "not tracked by the collector"),
    _leak("leaks:sixteen_bytes", "numbers", "two doubles in an array that grows by 1/16"),
    _leak("leaks:dict_per_call", "dicts", "dicts of atoms are untracked", peers=True),
    _leak("leaks:native_64", "native memory", "through ctypes", bytes_per_call=80.0, peers=True),
    _leak("leaks:native_10k", "native memory", "through ctypes", bytes_per_call=10_016.0),
    _leak("leaks:tls_contexts", "native memory", "OpenSSL's own malloc"),
    _leak("leaks:zlib_streams", "native memory", "zlib's window"),
    _leak(
        "leaks:sqlite_rows",
        "native memory",
        "a page every 12 rows or so",
        period=12,
        setup="create_audit_table",
    ),
    _leak("leaks:cycles_in_a_registry", "cycles", "reachable: no garbage"),
    _leak("leaks:finalizable_cycles_in_a_registry", "finalizable cycles", "with __del__"),
    _leak("leaks:resurrected_for_ever", "resurrection", "__del__ saves itself for good"),
    _leak("caches:lru_cache_billion", "unbounded cache", "a bound beyond any memory"),
    _leak("caches:memo_of_every_key", "unbounded cache", "lru_cache(maxsize=None), new keys"),
    _leak("caches:replies_by_request", "unbounded cache", "a dict that nobody empties"),
)

_LEAKS_OF_REGISTRIES: Final = (
    _leak("registries:client_kept_by_atexit", "atexit", "held outside Python", peers=True),
    _leak("registries:logging_handler_per_call", "logging", "handlers add up", peers=True),
    _leak("registries:logger_per_call", "logging", "a name a request"),
    _leak("registries:closures", "closures", "a cell holds the payload"),
    _leak("registries:callbacks_never_removed", "callbacks", "bound methods hold the views"),
    _leak("registries:partials", "callbacks", "partial objects"),
    _leak("registries:finalizers_on_a_module", "callbacks", "weakref.finalize on what stays"),
    _leak(
        "registries:context_variables",
        "context variables",
        "the context keeps a new variable, in a trie whose nodes depend on addresses",
        exact=False,
    ),
    _leak("registries:contexts_copied", "context variables", "a copied context a request"),
    _leak("registries:tracebacks", "tracebacks", "an error holds frames and their locals"),
    _leak("registries:lru_cache_on_a_method", "method cache", "the cache keeps each self alive"),
    _leak("registries:classes_registered", "registries", "a class a call"),
    _leak("registries:modules_per_call", "registries", "sys.modules grows"),
    _leak("registries:thread_local_list", "registries", "spans in thread-local storage"),
    _leak("registries:engine_per_call", "registries", "each has a bounded cache, 1 of 500 full"),
    _leak("registries:metrics_by_user", "registries", "a label a user: a dict that doubles"),
)

_LEAKS_OF_RHYTHM: Final = (
    _leak("rhythms:every_7th", "every k-th call", "2 KB every 7th call", period=7),
    _leak("rhythms:every_10th", "every k-th call", "1 KB every 10th call", period=10, peers=True),
    _leak("rhythms:every_100th", "every k-th call", "1 KB every 100th call", period=100),
    _leak(
        "rhythms:one_in_20", "by chance", "3 KB once in 20 calls, by chance", exact=False, period=20
    ),
    _leak("rhythms:accelerating", "accelerating", "10 bytes more at every call", exact=False),
    _leak("rhythms:late_onset", "late onset", "flat for 120 calls", begins_after=120),
    _leak(
        "rhythms:beside_a_filling_cache",
        "beside a bounded cache",
        "a cache of 600 fills, its table grows once more, and the leak goes on",
        still_after=700,
    ),
    _leak(
        "rhythms:under_noise",
        "under noise",
        "1 KB a call under a buffer of 0 to 50 KB",
        exact=False,
    ),
)

_LEAKS_OF_CONCURRENCY: Final = (
    _leak("concurrency:descriptors_never_closed", "descriptors", "os.open", counter="fds"),
    _leak(
        "concurrency:descriptor_every_10th",
        "descriptors",
        "0.1 descriptors a call, no memory at all",
        period=10,
        counter="fds",
    ),
    _leak("concurrency:sockets_kept", "sockets", "socket objects in a list", counter="fds"),
    _leak("concurrency:threads_never_end", "threads", "daemon threads wait", counter="threads"),
    _leak("concurrency:leak_in_a_thread", "leak in a thread", "the worker thread keeps 800 B"),
    _leak("concurrency:tasks_never_awaited", "tasks", "tasks asleep for 10 h", counter="tasks"),
    _leak("concurrency:tasks_waiting_for_ever", "tasks", "event never set", counter="tasks"),
    _leak("concurrency:results_kept", "async", "a coroutine appends to a list"),
    _leak("concurrency:timers_far_away", "async", "call_later in 10 h: no task"),
    _leak("concurrency:callbacks_on_a_long_lived_future", "async", "add_done_callback"),
)

_CLEAN_STEPS: Final = (
    _clean(
        "steps:steps_of_a_table_of_257",
        "doubling steps",
        "a set that takes four times as much at calls 5, 20 and 77, and no more",
        still_after=257,
    ),
    _clean(
        "steps:steps_of_a_buffer_that_stops",
        "doubling steps",
        "doubles at calls 41, 82 and 164, and is never full again",
        still_after=300,
    ),
    _clean(
        "steps:native_cache_of_3300",
        "undeclared bound",
        "1,360 B of malloc's a call for 3,300 calls: rises exactly like a leak",
        still_after=3300,
    ),
    _clean(
        "steps:native_cache_of_900",
        "undeclared bound",
        "malloc's for 900 calls",
        still_after=900,
    ),
    _clean("steps:references_given_back", "references", "taken and given back by C"),
)

_LEAKS_IN_STEPS: Final = (
    _leak(
        "steps:native_blocks_without_a_bound",
        "native memory",
        "the native cache that has no bound",
        bytes_per_call=1360.0,
    ),
    _leak(
        "steps:steps_of_a_native_array",
        "doubling steps",
        "a block a call, and an array of pointers that doubles",
        exact=False,
    ),
    _leak(
        "steps:steps_of_a_log_and_its_lines",
        "doubling steps",
        "an object a call, and a buffer that doubles",
        exact=False,
    ),
    _leak("steps:references_kept_in_tuples", "references", "a tuple a call around what stays"),
    _leak("steps:references_kept_by_methods", "references", "a bound method of what stays"),
)

WORKLOADS: Final[tuple[Workload, ...]] = (
    *_CLEAN_CACHES,
    *_CLEAN_INTERPRETER,
    *_CLEAN_TEMPORARIES,
    *_CLEAN_CONCURRENCY,
    *_LEAKS_OF_OBJECTS,
    *_LEAKS_OF_REGISTRIES,
    *_LEAKS_OF_RHYTHM,
    *_LEAKS_OF_CONCURRENCY,
    *_CLEAN_STEPS,
    *_LEAKS_IN_STEPS,
)
