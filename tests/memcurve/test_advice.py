"""Advice: what is said of which evidence, and that nothing is said of none."""

from pathlib import Path

import pytest

from memcurve.explain.advice import advise
from memcurve.explain.signs import Signs
from memcurve.model.answers import PathStep
from memcurve.model.findings import OUTSIDE
from tests.memcurve.test_survivors import groups, run_of

SOURCE = """
import asyncio, collections, contextlib, functools, logging, types, weakref

class Record:
    def __init__(self, number):
        self.payload = bytes(300)
        self.__dict__["size"] = number

KEPT = []
PLAIN = types.SimpleNamespace(listeners=[], handlers=[])

def plain_list(number):
    PLAIN.listeners.append({"id": number + 1000, "text": bytes(300)})

def listeners(number):
    PLAIN.listeners.append(Record(number).__init__)

@functools.lru_cache(maxsize=1_000_000)
def _bounded(number):
    return Record(number)

def bounded(number):
    _bounded(number)

@functools.lru_cache(maxsize=None)
def _unbounded(number):
    return Record(number)

def unbounded(number):
    _unbounded(number)

@functools.lru_cache(maxsize=None)
def _of_an_instance(record):
    return 1

def unbounded_of_an_instance(number):
    _of_an_instance(Record(number))

class Parser:
    @functools.lru_cache(maxsize=None)
    def parse(self):
        return 1

def method(number):
    Parser().parse()

class Own:
    maxsize = 1_000_000
    def __init__(self):
        self.entries = collections.OrderedDict()

class Client:
    maxsize = 1_000_000
    def __init__(self):
        self.entries, self.log = {}, {}
        self.other = Own()

OWN = Own()

def own_cache(number):
    OWN.entries[number] = Record(number)

def view(number):
    KEPT.append(memoryview(bytes(9000))[:8])

def view_of_an_old_base(number):
    KEPT.append(memoryview(BASE)[:8])

BASE = bytes(9000)

def whole_view(number):
    KEPT.append(memoryview(bytes(9000)))

def _lines(number):
    yield Record(number)
    yield number

def generator(number):
    lines = _lines(number)
    next(lines)
    KEPT.append(lines)

def generator_not_begun(number):
    KEPT.append(_lines(number))

def entered(number):
    context = contextlib.contextmanager(_lines)(number)
    context.__enter__()
    KEPT.append(context)

class Asked:
    def __init__(self):
        self.payload = bytes(300)
    async def __aenter__(self):
        return self
    async def aclose(self):
        pass

class Opened:
    def __init__(self):
        self.payload = bytes(300)
    def __enter__(self):
        return self
    def close(self):
        pass

def asynchronous(number):
    KEPT.append(Asked())

def synchronous(number):
    KEPT.append(Opened())

LOGGER = logging.getLogger("advice")

def filters(number):
    LOGGER.addFilter(logging.Filter(str(number)))

WEAK = weakref.WeakKeyDictionary()

def weak_key(number):
    key, record = Record(number), Record(number)
    record.key = key
    WEAK[key] = record

def weak_key_held_elsewhere(number):
    key = Record(number)
    KEPT.append(key)
    WEAK[key] = bytes(300)

async def _forever():
    await asyncio.get_running_loop().create_future()

async def nobody(number):
    KEPT.append(asyncio.create_task(_forever()))
    await asyncio.sleep(0)

EVENTS = []

async def _until(event):
    await event.wait()

async def somebody(number):
    if not EVENTS:
        EVENTS.append(asyncio.Event())
    KEPT.append(asyncio.create_task(_until(EVENTS[0])))
    await asyncio.sleep(0)

async def _soon():
    return bytes(300)

async def done(number):
    task = asyncio.create_task(_soon())
    KEPT.append(task)
    await task

def coroutine(number):
    KEPT.append(_forever())

def a_class(number):
    KEPT.append(type("Made", (), {}))
"""


def noted(folder: Path, name: str) -> tuple[tuple[str, ...], str]:
    """The words and the bound that a pass notes of the heaviest group that a function leaves."""
    heaviest = max(groups(run_of(folder, name, SOURCE)), key=lambda group: group.bytes)
    return heaviest.traits, heaviest.bound


NOTED = [
    ("unbounded", "maxsize=None"),
    ("unbounded_of_an_instance", "maxsize=None"),
    ("bounded", "maxsize=1000000"),
    ("method", "method=held.Parser"),
    ("listeners", "callback"),
    ("view", "base=8 B of a bytes of 9033 B"),
    ("generator", "generator"),
    ("entered", "context"),
    ("asynchronous", "closer held.Asked=await aclose()"),
    ("synchronous", "closer held.Opened=close()"),
    ("filters", "remover=Logger.removeFilter"),
    ("weak_key", "weak key"),
    ("nobody", "nobody"),
    ("somebody", "waits=held.py:"),
    ("done", "done"),
    ("coroutine", "never awaited"),
    ("a_class", "class"),
]


@pytest.mark.parametrize(("name", "word"), NOTED, ids=[name for name, _ in NOTED])
def test_what_is_seen_of_a_group_is_noted(tmp_path: Path, name: str, word: str) -> None:
    words, _ = noted(tmp_path, name)
    assert word in " ".join(words).replace(f"{tmp_path}/", "")


NOT_NOTED = [
    ("plain_list", "callback"),
    ("unbounded_of_an_instance", "method="),
    ("whole_view", "base="),
    ("view_of_an_old_base", "base="),
    ("generator_not_begun", "generator"),
    ("weak_key_held_elsewhere", "weak key"),
    ("somebody", "nobody"),
    ("nobody", "done"),
]


@pytest.mark.parametrize(("name", "word"), NOT_NOTED, ids=[name for name, _ in NOT_NOTED])
def test_what_only_looks_like_it_is_not_noted(tmp_path: Path, name: str, word: str) -> None:
    words, _ = noted(tmp_path, name)
    assert not [one for one in words if one.startswith(word)]


def test_an_array_of_numpy_says_how_much_of_its_base_it_shows(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    source = "import numpy\nKEPT = []\ndef view(number):\n    KEPT.append(numpy.zeros(4000)[:2])\n"
    (group,) = groups(run_of(tmp_path, "view", source))
    assert "base=16 B of a numpy.ndarray of 32000 B" in group.traits


def test_the_bound_of_a_cache_is_that_of_the_instance_that_has_the_container(
    tmp_path: Path,
) -> None:
    _, bound = noted(tmp_path, "own_cache")
    assert bound.startswith("held.Own(maxsize=1000000)")


def signs(kind: str = "app.Record", *traits: str, **more: object) -> Signs:
    return Signs(type=kind, traits=traits, **more)  # type: ignore[arg-type]


LIST = (PathStep("app.BUS", "app.Bus"), PathStep(".listeners", "list"), PathStep("[*]", "dict"))


def test_a_plain_entry_of_a_list_with_that_name_is_no_listener() -> None:
    assert advise(signs("dict", path=LIST)).startswith("a container gains an entry")
    assert "listener" in advise(signs("method", "callback", path=LIST))


def test_only_a_cache_without_a_bound_never_forgets() -> None:
    assert "maxsize=None" in advise(signs("tuple", "maxsize=None", root="lru_cache"))
    bounded = advise(signs("tuple", "maxsize=9000", root="lru_cache"))
    assert "9000" in bounded
    assert "None" not in bounded
    assert advise(signs("functools._lru_list_elem", root="lru_cache")) == ""


def test_a_method_s_cache_names_the_class_of_self() -> None:
    said = advise(signs("tuple", "maxsize=None", "method=app.Parser", root="lru_cache"))
    assert "every Parser" in said


def test_a_client_is_closed_as_its_class_says() -> None:
    waits = "closer httpx.AsyncClient=await aclose()"
    assert "await client.aclose()" in advise(signs("httpx.AsyncClient", waits))
    calls = advise(signs("httpx.Client", "closer httpx.Client=close()"))
    assert "client.close()" in calls
    assert "await" not in calls
    assert "event loop" not in calls


def test_a_thread_on_the_way_is_not_a_thread_at_each_call() -> None:
    assert "threads" not in advise(signs(root="running thread"))
    assert "threads" in advise(signs("threading.Thread", "thread", root="running thread"))


def test_a_missing_decrement_is_said_only_where_nobody_has_the_address() -> None:
    assert "decrement" in advise(signs("bytes", root=OUTSIDE, lost=True))
    assert advise(signs("bytes", root=OUTSIDE)) == ""


def test_a_finalizer_of_an_application_is_not_registered_at_exit() -> None:
    path = (PathStep("", "app._finalizers: set"),)
    assert "exit" not in advise(signs("function", path=path))


def test_of_what_nobody_saw_nothing_is_said() -> None:
    assert advise(signs(root="module global", path=(PathStep("", "app.newest"),))) == ""


def test_a_queue_that_holds_waiters_is_not_a_queue_that_nobody_reads() -> None:
    full = (PathStep("", "app.INBOX: queue.Queue"), PathStep(".queue", "collections.deque"))
    waiting = (PathStep("", "app.Q: asyncio.queues.Queue"), PathStep("._getters", "x"))
    assert "queue" in advise(signs(path=full))
    assert advise(signs("_asyncio.Task", "waits=app.py:3", path=waiting)).startswith("a task waits")
