"""One function for each labelled leak; the line that makes what leaks is marked with its name."""

import atexit
import collections
import contextvars
import ctypes
import functools
import hashlib
import io
import logging
import os
import ssl
import threading
import weakref
import zlib
from array import array
from concurrent.futures import ThreadPoolExecutor

PAYLOAD = 300
EXPENSIVE_ROUNDS = 60_000  # some 30 ms of CPU: windows of few calls


class Record:
    """What most of these leaks keep."""

    def __init__(self, number):
        self.name = f"record {number}"
        self.payload = bytes(PAYLOAD)


REGISTRY = []


def registry_list(number):
    REGISTRY.append(Record(number))  # site: registry_list


class Manager:
    def __init__(self):
        self.active = {}


MANAGER = Manager()


def instance_dict(number):
    MANAGER.active[f"run-{number}"] = Record(number)  # site: instance_dict


class Metric:
    readers = set()  # noqa: RUF012 - the leak


def class_attribute(number):
    Metric.readers.add(Record(number))  # site: class_attribute


def _counter():
    seen = []

    def count(number):
        seen.append(Record(number))  # site: closure_cell

    return count


closure_cell = _counter()


@functools.lru_cache(maxsize=None)  # noqa: UP033 - as most code spells it
def _compiled(number):
    return Record(number)  # site: unbounded_lru_cache


def unbounded_lru_cache(number):
    _compiled(number)


class Parser:
    @functools.lru_cache(maxsize=None)  # noqa: B019, UP033 - the leak
    def parse(self):
        return 1


def lru_cache_on_a_method(number):
    Parser().parse()  # site: lru_cache_on_a_method


CHUNKS = []


def untracked_bytes(number):
    CHUNKS.append(bytes(PAYLOAD))  # site: untracked_bytes


NAMES = {}


def text_by_number(number):
    NAMES[number] = f"the name of number {number}, which is long enough"  # site: text_by_number


ROWS = []


def dict_of_atoms(number):
    ROWS.append({"id": number + 1000, "state": "done"})  # site: dict_of_atoms


class Node:
    def __init__(self, previous):
        self.previous = previous


newest = None


def linked_list(number):
    global newest
    newest = Node(newest)  # site: linked_list


HISTORY = ()


def rebuilt_tuple(number):
    global HISTORY
    HISTORY = (*HISTORY, Record(number))  # site: rebuilt_tuple


ERRORS = []


class JobError(Exception):
    pass


def _fail(number):
    payload = bytes(PAYLOAD)
    raise JobError(f"{number} of {len(payload)}")  # site: kept_traceback


def kept_traceback(number):
    try:
        _fail(number)
    except JobError as error:
        ERRORS.append(error)


LOCAL = threading.local()


def thread_local(number):
    if not hasattr(LOCAL, "requests"):
        LOCAL.requests = []
    LOCAL.requests.append(Record(number))  # site: thread_local


SPANS = contextvars.ContextVar("spans")


def context_variable(number):
    spans = SPANS.get(None)
    if spans is None:
        spans = []
        SPANS.set(spans)
    spans.append(Record(number))  # site: context_variable


async def event_loop_timer(number):
    import asyncio

    loop = asyncio.get_running_loop()
    loop.call_later(100_000, print, Record(number))  # site: event_loop_timer


async def _wait_for_ever(record):
    import asyncio

    await asyncio.get_running_loop().create_future()


TASKS = set()


async def task_never_done(number):
    import asyncio

    TASKS.add(asyncio.create_task(_wait_for_ever(Record(number))))  # site: task_never_done


COROUTINES = []


async def coroutine_never_awaited(number):
    COROUTINES.append(_wait_for_ever(number))  # site: coroutine_never_awaited


def _collecting():
    seen = []
    while True:
        seen.append((yield))


COLLECTOR = _collecting()
next(COLLECTOR)


def suspended_generator(number):
    COLLECTOR.send(Record(number))  # site: suspended_generator


_INBOX = collections.deque()
_READY, _DONE = threading.Event(), threading.Event()


def _work():
    kept = []
    while True:
        _READY.wait()
        _READY.clear()
        kept.append(_INBOX.popleft())
        _DONE.set()


def running_thread_setup():
    threading.Thread(target=_work, daemon=True).start()


def running_thread(number):
    _INBOX.append(Record(number))  # site: running_thread
    _READY.set()
    _DONE.wait()
    _DONE.clear()


EXECUTOR = None
_NEVER = threading.Event()


def executor_queue_setup():
    global EXECUTOR
    EXECUTOR = ThreadPoolExecutor(1)
    EXECUTOR.submit(_NEVER.wait)


def executor_queue(number):
    EXECUTOR.submit(print, Record(number))  # site: executor_queue


class Client:
    def __init__(self):
        self.buffer = bytes(PAYLOAD)

    def close(self):
        pass


def kept_by_atexit(number):
    client = Client()  # site: kept_by_atexit
    atexit.register(client.close)


def kept_by_fork_hooks(number):
    client = Client()  # site: kept_by_fork_hooks
    os.register_at_fork(before=client.close)


LOGGER = logging.getLogger("explain")


def logging_handler(number):
    LOGGER.addHandler(logging.StreamHandler(io.StringIO()))  # site: logging_handler


OWNER = Manager()


def weakref_callback(number):
    weakref.finalize(OWNER, print, Record(number))  # site: weakref_callback


LISTENERS = collections.defaultdict(list)


def listener_never_removed(number):
    LISTENERS["changed"].append(Client().close)  # site: listener_never_removed


_INCREMENT = ctypes.pythonapi.Py_IncRef
_INCREMENT.argtypes = [ctypes.py_object]


def missing_decrement(number):
    _INCREMENT([number])  # site: missing_decrement


def missing_decrement_of_bytes(number):
    _INCREMENT(bytes(PAYLOAD))  # site: missing_decrement_of_bytes


def missing_decrement_of_text(number):
    text = f"invoice {number} of a customer of ours"  # site: missing_decrement_of_text
    _INCREMENT(text)


_CALLOC = ctypes.CDLL(None).calloc
_CALLOC.restype = ctypes.c_void_p
_TABLE = _CALLOC(1 << 20, 8)


def text_held_by_malloc(number):
    text = f"header {number} that a library keeps in C"  # site: text_held_by_malloc
    _INCREMENT(text)
    ctypes.c_void_p.from_address(_TABLE + 8 * (number % (1 << 20))).value = id(text)


_MALLOC = ctypes.CDLL(None).malloc


def native_block(number):
    _MALLOC(1000)  # site: native_block


SAMPLES = array("d")


def growing_buffer(number):
    SAMPLES.extend((1.0, 2.0, 3.0, 4.0))  # site: growing_buffer


class Connection:
    def __init__(self):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


POOL = {}


def native_weight(number):
    POOL[number] = Connection()  # site: native_weight


class HttpClient:
    def __init__(self):
        self.connection = Connection()
        self.pool = [self.connection]


class Engine:
    def __init__(self, number):
        self.templates = [[[number] for _ in range(40)] for _ in range(40)]
        self.history = {f"step {step}": bytes(PAYLOAD) for step in range(10)}
        self.client = HttpClient()  # site: client_of_an_expensive_call


class Case:
    def __init__(self, number):
        self.result = {"documents": [Record(number) for _ in range(5)]}
        self.holds = (Engine(number),)


def client_of_an_expensive_call(number):
    hashlib.pbkdf2_hmac("sha256", b"case", b"", EXPENSIVE_ROUNDS)
    MANAGER.active[f"case-{number}"] = Case(number)


STREAMS = []


def native_stream(number):
    STREAMS.append(zlib.compressobj())  # site: native_stream


class Ring:
    def __init__(self, number):
        self.me = self
        self.payload = bytes(PAYLOAD)


RINGS = []


def cycle_in_a_registry(number):
    RINGS.append(Ring(number))  # site: cycle_in_a_registry


BY_DAY = collections.OrderedDict()


def every_tenth_call(number):
    if number % 10 == 0:
        BY_DAY[number] = Record(number)  # site: every_tenth_call


PAIRS = collections.deque()


def three_a_call(number):
    for part in range(3):
        PAIRS.append(Record(part))  # site: three_a_call


class App:
    def __init__(self):
        self.sessions = {}


def value_of_the_setup_setup():
    return App()


def value_of_the_setup(app, number):
    app.sessions[number] = Record(number)  # site: value_of_the_setup
