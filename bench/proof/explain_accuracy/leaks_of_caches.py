"""Labelled leaks of caches, registries and what the standard library keeps for a program."""

import abc
import collections
import contextlib
import contextvars
import functools
import io
import queue
import sys
import types
import unittest.mock
import warnings
import weakref

PAYLOAD = 300
FAR_OFF = 1_000_000_000  # no run ever fills it: that a bound is declared bounds nothing


class Record:
    """What most of these leaks keep."""

    def __init__(self, number):
        self.name = f"record {number}"
        self.payload = bytes(PAYLOAD)


@functools.lru_cache(maxsize=FAR_OFF)
def _loaded(number):
    return Record(number)  # site: bounded_lru_cache_too_large


def bounded_lru_cache_too_large(number):
    _loaded(number)


@functools.lru_cache(maxsize=100)
def _loaded_with_a_bound(number):
    return Record(number)


def bounded_lru_cache_too_large_mended(number):
    _loaded_with_a_bound(number)


@functools.lru_cache(maxsize=None)  # noqa: UP033 - as most code spells it
def _never_forgotten(number):
    return f"{number} {'x' * PAYLOAD}"  # site: unbounded_cache_of_text


def unbounded_cache_of_text(number):
    _never_forgotten(number)


class Report:
    def __init__(self, number):
        self.rows = bytes(PAYLOAD)

    @functools.lru_cache(maxsize=FAR_OFF)  # noqa: B019 - the leak
    def line(self, position):
        return self.rows[position]


def bounded_cache_on_a_method(number):
    Report(number).line(3)  # site: bounded_cache_on_a_method


class MendedReport:
    def __init__(self, number):
        self.rows = bytes(PAYLOAD)

    @functools.cached_property
    def line(self):
        return self.rows[3]


def bounded_cache_on_a_method_mended(number):
    _ = MendedReport(number).line


class Lru:
    """A cache as people write it by hand."""

    def __init__(self, maxsize):
        self.maxsize = maxsize
        self.entries = collections.OrderedDict()

    def put(self, key, value):
        self.entries[key] = value
        if len(self.entries) > self.maxsize:
            self.entries.popitem(last=False)


OWN_CACHE, SMALL_CACHE = Lru(FAR_OFF), Lru(100)


def own_cache_too_large(number):
    OWN_CACHE.put(number, Record(number))  # site: own_cache_too_large


def own_cache_too_large_mended(number):
    SMALL_CACHE.put(number, Record(number))


LAST, FEW = collections.deque(maxlen=FAR_OFF), collections.deque(maxlen=100)


def deque_too_long(number):
    LAST.append(Record(number))  # site: deque_too_long


def deque_too_long_mended(number):
    FEW.append(Record(number))


WEAK = weakref.WeakKeyDictionary()


class Key:
    pass


def weak_key_that_its_value_holds(number):
    key = Key()
    record = Record(number)  # site: weak_key_that_its_value_holds
    record.key = key
    WEAK[key] = record


COUNTS = collections.Counter()


def counted_for_ever(number):
    COUNTS[number + 100_000] += 1000 + number  # site: counted_for_ever


BY_SHARD = {shard: [] for shard in range(16)}


def spread_over_shards(number):
    BY_SHARD[number % 16].append(Record(number))  # site: spread_over_shards


INBOX = queue.Queue()


def queue_that_nobody_reads(number):
    INBOX.put(Record(number))  # site: queue_that_nobody_reads


def _remember(number, seen=[]):  # noqa: B006 - the leak
    seen.append(Record(number))  # site: default_argument


def default_argument(number):
    _remember(number)


def function_attribute(number):
    function_attribute.seen.append(Record(number))  # site: function_attribute


function_attribute.seen = []


class Plugin(abc.ABC):  # noqa: B024 - it stands for one
    registered = []  # noqa: RUF012 - the leak

    def __init_subclass__(cls):
        Plugin.registered.append(cls)


def class_made_at_each_call(number):
    type(f"Plugin{number}", (Plugin,), {})  # site: class_made_at_each_call


CLASSES = []


def named_tuple_at_each_call(number):
    CLASSES.append(collections.namedtuple("Row", "id"))  # noqa: PYI024  # site: named_tuple_at_each_call


Row = collections.namedtuple("Row", "id name")  # noqa: PYI024


def named_tuple_at_each_call_mended(number):
    Row(number, "once for all")


def module_at_each_call(number):
    made = types.ModuleType(f"plugin_{number}")  # site: module_at_each_call
    sys.modules[made.__name__] = made


MOCK = unittest.mock.Mock()


def mock_that_is_called(number):
    MOCK.send(number, payload=bytes(PAYLOAD))  # site: mock_that_is_called


def mock_that_is_called_mended(number):
    MOCK.send(number, payload=bytes(PAYLOAD))
    MOCK.reset_mock()


def warned_of_each_number_setup():
    warnings.simplefilter("default")
    return io.StringIO()


def warned_of_each_number(output, number):
    with contextlib.redirect_stderr(output):
        warnings.warn(f"number {number} is odd", stacklevel=1)  # site: warned_of_each_number
    output.seek(0)
    output.truncate()


WRITTEN = io.BytesIO()


def written_to_memory(number):
    WRITTEN.write(bytes(PAYLOAD))  # site: written_to_memory


TEXT = bytearray()


def buffer_that_is_added_to(number):
    TEXT.extend(b"x" * PAYLOAD)  # site: buffer_that_is_added_to


VIEWS = []


def view_that_keeps_its_base(number):
    VIEWS.append(memoryview(bytes(PAYLOAD * 30))[:8])  # site: view_that_keeps_its_base


FIRST_EIGHT = collections.deque(maxlen=100)


def view_that_keeps_its_base_mended(number):
    FIRST_EIGHT.append(bytes(memoryview(bytes(PAYLOAD * 30))[:8]))


COPIES = []
REQUEST = contextvars.ContextVar("request", default=None)


def context_that_is_kept(number):
    REQUEST.set(Record(number))
    COPIES.append(contextvars.copy_context())  # site: context_that_is_kept


def hook_around_the_hook(number):
    older, record = sys.excepthook, Record(number)

    def hook(kind, error, traceback):  # site: hook_around_the_hook
        older(kind, error, traceback)
        print(record)

    sys.excepthook = hook


HISTORY = collections.ChainMap()


def chain_of_maps(number):
    global HISTORY
    HISTORY = HISTORY.new_child({"record": Record(number)})  # site: chain_of_maps
