"""Survivors passes in a worker of their own: what is counted, and who is named as its holder."""

import collections
import sys
from pathlib import Path

import pytest

from memcurve.measure.explaining_passes import (
    Wanted,
    Windows,
    allocations_request,
    survivors_request,
)
from memcurve.measure.isolation import SpawnedWorker
from memcurve.measure.runner import PassPlan, Session
from memcurve.model.allocations_survey import TraceSurvey
from memcurve.model.answers import PathStep, texts_of
from memcurve.model.garbage_survey import GarbageSurvey
from memcurve.model.recording import PassRecord
from memcurve.model.scenario import Target
from memcurve.model.survivors_survey import Release, SurvivorGroup

SOURCE = """
import asyncio, collections, contextvars, functools, ssl, threading, weakref

class Record:
    def __init__(self, number):
        self.payload = bytes(300)

KEPT, RING, CACHE = {}, collections.deque(maxlen=8), {}
FULL = collections.deque(maxlen=40)

def kept(number):
    KEPT[number] = Record(number)
    RING.append(Record(number))

def full(number):
    FULL.append(Record(number))

def evicting(number):
    CACHE[number % 30] = Record(number)

class Proxy:
    touched = []
    @property
    def __class__(self):
        Proxy.touched.append(1)
        return dict

PROXY = Proxy()

def beside_a_proxy(number):
    KEPT[number] = bytes(300)
    if Proxy.touched:
        raise RuntimeError("a proxy was asked for its class")

class Owner:
    def __init__(self):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

def native(number):
    KEPT[number] = Owner()

class Pool:
    def __init__(self, number):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.others = [self.context] if number % 4 else [bytes(3000)]

def native_often_held_twice(number):
    KEPT[number] = Pool(number)

class Shared:
    def __init__(self):
        self.connections = [Owner()]
        self.context = self.connections[0].context

def native_always_held_twice(number):
    KEPT[number] = Shared()

class Watcher:
    def __init__(self):
        self.payload = [bytes(300)]
    def gone(self, *about):
        pass

WEAKLY = set()

def watched(number):
    watcher = Watcher()
    KEPT[number] = Entry(Entry(Entry(None, watcher), None), None)
    WEAKLY.add(weakref.ref(watcher, watcher.gone))

async def timers(number):
    later = functools.partial(Watcher().gone, number)
    asyncio.get_running_loop().call_later(3600, later)

class Engine:
    def __init__(self, number):
        self.parts = [[[number] for _ in range(40)] for _ in range(40)]
        self.owner = Owner()

def engine(number):
    KEPT[number] = Engine(number)

class Left:
    def __init__(self):
        self.right = Right(self)

class Right:
    def __init__(self, left):
        self.left = left
    def __del__(self):
        pass

def garbage(number):
    Left()

class Ring:
    def __init__(self, load):
        self.me, self.load = self, load

def heavy_garbage(number):
    Ring([Owner()])
    larger = [Ring(None) for _ in range(4)]
    for one in larger:
        one.load = larger

class Base:
    pass

def classes(number):
    KEPT[number] = type("Made", (Base,), {"payload": bytes(300)})

@functools.lru_cache(maxsize=70)
def cached(number):
    return Record(number)

class Entry:
    def __init__(self, before, record):
        self.before, self.record = before, record

class Signal:
    def __init__(self):
        self.receivers = []

SIGNALS = {"signal %d" % number: Signal() for number in range(10)}

def spread(number):
    SIGNALS["signal %d" % (number % 10)].receivers.append(Record(number))

QUEUES = {"queue %d" % number: [] for number in range(10)}

def spread_below_one_container(number):
    QUEUES["queue %d" % (number % 10)].append(Record(number))

FIRST, SECOND, THIRD = [], [], []

def three_of_one_module(number):
    for kept in (FIRST, SECOND, THIRD):
        kept.append(Record(number))

def large(number):
    KEPT[number] = bytes(5000)

newest = None

def also_in_a_full_cache(number):
    global newest
    newest = Entry(newest, cached(number))
"""
PAYLOAD_LINE = SOURCE.splitlines().index("        self.payload = bytes(300)") + 1
WINDOWS = Windows(warm=60, window=20, traced=5, short=10, long=30, lines=10)
EARLY = Windows(warm=8, window=10, traced=5, short=5, long=15, lines=10)
PLAN = PassPlan(kind="survivors", mode="settled", grace_s=0.05)


def run(folder: Path, name: str, *, native: float = 0.0, windows: Windows = WINDOWS) -> PassRecord:
    """Run a survivors pass of one function of the source."""
    return _run(folder, name, survivors_request(PLAN, windows, Wanted(native_per_call=native)))


def run_of(folder: Path, name: str, source: str) -> PassRecord:
    """Run a survivors pass of one function of another source."""
    return _run(folder, name, survivors_request(PLAN, WINDOWS, Wanted()), source)


def _run(folder: Path, name: str, request: object, source: str = SOURCE) -> PassRecord:
    file = folder / "held.py"
    file.write_text(source)
    with SpawnedWorker(sys.executable, {"PYTHONHASHSEED": "0"}) as worker:
        session = Session(worker, timeout_s=60.0)
        assert session.load(Target(call=f"{file}:{name}"), ()) is None
        record = session.run(*request)  # type: ignore[misc]
    assert record.failure is None, record.failure
    return record


def groups(record: PassRecord) -> list[SurvivorGroup]:
    assert record.surveys.survivors is not None
    return list(record.surveys.survivors.groups)


def released(record: PassRecord) -> list[Release]:
    assert record.surveys.release is not None
    return list(record.surveys.release.released)


def garbage(record: PassRecord) -> GarbageSurvey:
    assert record.surveys.cycles is not None
    return record.surveys.cycles


@pytest.fixture
def kept(tmp_path: Path) -> PassRecord:
    return run(tmp_path, "kept")


def test_what_a_registry_keeps_is_counted_to_the_object(kept: PassRecord) -> None:
    (group,) = groups(kept)
    assert (group.type, group.objects) == ("held.Record", 20)


def test_a_holder_is_named_from_its_root_and_its_growth_is_told(kept: PassRecord) -> None:
    (group,) = groups(kept)
    assert group.path == (PathStep("held.KEPT", "dict"), PathStep("[*]", "held.Record"))
    assert group.root == "module global"
    assert group.entries_after - group.entries_before == 2 * 40


def test_the_line_that_makes_a_survivor_is_traced(kept: PassRecord) -> None:
    assert kept.surveys.sites is not None
    (made,) = kept.surveys.sites.sites
    line = SOURCE.splitlines().index("    KEPT[number] = Record(number)") + 1
    assert made["held.Record"][0].line == line


def test_letting_go_frees_what_the_objects_weigh(kept: PassRecord) -> None:
    (release,) = released(kept)
    each = (release.python + release.malloc) / release.heads
    assert 336 + 48 <= each <= 336 + 48 + 160


@pytest.mark.parametrize("name", ["full", "evicting"])
def test_a_full_container_that_exchanges_its_entries_is_no_survivor(
    tmp_path: Path, name: str
) -> None:
    assert groups(run(tmp_path, name)) == []


def test_looking_asks_a_proxy_nothing(tmp_path: Path) -> None:
    (group,) = groups(run(tmp_path, "beside_a_proxy"))
    assert group.type == "bytes"


def test_native_weight_is_followed_down_to_the_object_that_carries_it(tmp_path: Path) -> None:
    record = run(tmp_path, "native", native=10_000.0)
    (release,) = released(record)
    assert [(step.label, step.thing) for step in release.steps] == [(".context", "ssl.SSLContext")]
    assert release.malloc / release.heads > 5_000


def test_calls_that_build_much_are_counted_to_the_object_among_the_first_calls_too(
    tmp_path: Path,
) -> None:
    record = run(tmp_path, "engine", native=10_000.0, windows=EARLY)
    (group,) = groups(record)
    assert (group.type, group.objects) == ("held.Engine", 10)
    (release,) = released(record)
    assert [step.thing for step in release.steps] == ["held.Owner", "ssl.SSLContext"]
    assert release.malloc / release.heads > 5_000


def test_a_kept_class_has_one_holder_though_its_base_knows_it_too(tmp_path: Path) -> None:
    (group,) = groups(run(tmp_path, "classes"))
    assert (group.type, group.root) == ("type", "module global")
    assert group.objects == 20


def test_what_a_full_cache_also_holds_belongs_to_whoever_gained_it(tmp_path: Path) -> None:
    found = groups(run(tmp_path, "also_in_a_full_cache"))
    assert {group.root for group in found} == {"module global"}
    assert {"held.Entry", "held.Record"} <= {total.type for one in found for total in one.types}


@pytest.mark.parametrize("name", ["spread", "spread_below_one_container"])
def test_a_leak_over_many_holders_of_one_shape_is_one_group_with_their_number(
    tmp_path: Path, name: str
) -> None:
    record = run(tmp_path, name)
    (group,) = groups(record)
    assert (group.type, group.objects, group.holders) == ("held.Record", 20, 10)
    assert not any("signal" in step.text or "queue" in step.text for step in group.path)
    (release,) = released(record)
    assert release.heads >= 30
    assert 336 <= (release.python + release.malloc) / release.heads <= 336 + 48 + 160


def test_holders_that_a_module_names_are_told_apart(tmp_path: Path) -> None:
    found = groups(run(tmp_path, "three_of_one_module"))
    assert [group.holders for group in found] == [1, 1, 1]
    assert {group.path[0].label for group in found} == {"held.FIRST", "held.SECOND", "held.THIRD"}


def test_objects_that_python_takes_from_malloc_are_counted_as_malloc_s(tmp_path: Path) -> None:
    (large,) = groups(run(tmp_path, "large"))
    assert (large.bytes, large.malloc) == (20 * 5056, 20 * 5056)


def test_no_step_of_a_path_begins_or_ends_with_a_space(tmp_path: Path) -> None:
    for name in ("kept", "classes", "also_in_a_full_cache"):
        steps = [step for group in groups(run(tmp_path, name)) for step in texts_of(group.path)]
        assert [step for step in steps if step != step.strip() or step.startswith(":")] == []


def test_native_weight_is_found_on_the_objects_that_hold_it_once(tmp_path: Path) -> None:
    record = run(tmp_path, "native_often_held_twice", native=10_000.0)
    (release,) = released(record)
    assert [(step.label, step.thing) for step in release.steps] == [(".context", "ssl.SSLContext")]


def test_native_weight_that_two_parts_of_a_survivor_hold_is_found_too(tmp_path: Path) -> None:
    record = run(tmp_path, "native_always_held_twice", native=10_000.0)
    (release,) = released(record)
    assert [(step.label, step.thing) for step in release.steps] == [(".context", "ssl.SSLContext")]


def test_what_a_callback_is_a_method_of_is_named_not_the_timer(tmp_path: Path) -> None:
    (group,) = groups(run(tmp_path, "timers"))
    assert (group.type, group.objects, group.root) == ("held.Watcher", 20, "event loop")
    assert texts_of(group.path[-3:]) == (
        "._callback: functools.partial",
        ".func: method",
        ".__self__: held.Watcher",
    )


def test_a_weak_reference_does_not_count_what_a_registry_holds(tmp_path: Path) -> None:
    first, second = groups(run(tmp_path, "watched"))
    assert (first.type, first.root) == ("held.Entry", "module global")
    assert ("held.Watcher", 20) in [(total.type, total.count) for total in first.types]
    assert second.type == "weakref.ReferenceType"


def test_a_cycle_is_told_with_its_attributes_and_finalizers(tmp_path: Path) -> None:
    found = garbage(run(tmp_path, "garbage"))
    (cycle,) = found.cycles
    assert found.objects == 2
    assert cycle.words == "held.Left.right → held.Right.left → held.Left"
    assert cycle.finalizers == ("held.Right",)


def test_a_cycle_is_told_with_the_line_that_makes_it(tmp_path: Path) -> None:
    record = run(tmp_path, "garbage")
    assert record.surveys.cycle_lines is not None
    (line,) = record.surveys.cycle_lines.lines
    assert line.words == "held.Left.right → held.Right.left → held.Left"
    made = Path(line.frames[0].file).read_text().splitlines()[line.frames[0].line - 1]
    assert made == "    Left()"


def test_calls_for_the_lines_of_cycles_are_in_no_window(tmp_path: Path) -> None:
    record = run(tmp_path, "garbage")
    mark, middle = record.surveys.mark, record.surveys.middle
    assert mark is not None
    assert middle is not None
    assert (middle.call - mark.call) % 10 == 0


def test_the_cycle_that_keeps_most_waiting_comes_first(tmp_path: Path) -> None:
    heavy, larger = garbage(run(tmp_path, "heavy_garbage")).cycles
    assert heavy.words == "held.Ring.me → held.Ring"
    assert heavy.held.bytes > 5_000 > larger.held.bytes > 0
    assert heavy.held.names == ("ssl.SSLContext",)
    assert (heavy.size, larger.size) == (1, 5)


def test_a_clean_workload_leaves_no_cycles(kept: PassRecord) -> None:
    assert garbage(kept).cycles == ()
    assert kept.surveys.cycle_lines is None


@pytest.mark.parametrize("tracer", ["memray", "tracemalloc"])
def test_every_tracer_sees_the_line_of_a_growing_dict(tmp_path: Path, tracer: str) -> None:
    sizes: collections.Counter[int] = collections.Counter()
    for live in _traced(tmp_path, "kept", tracer).stacks:
        sizes[live.frames[0].line] += live.bytes
    assert sizes.most_common(1)[0][0] == PAYLOAD_LINE
    assert sizes[PAYLOAD_LINE] >= 30 * 336


def test_a_count_by_lines_sees_the_line_of_a_growing_dict_and_who_calls_it(tmp_path: Path) -> None:
    lines = _traced(tmp_path, "kept", "lines").lines
    made = [gain for gain in lines if gain.line == PAYLOAD_LINE]
    assert sum(gain.python + gain.malloc for gain in made) >= 30 * 336
    assert {lines[gain.above].function for gain in made} == {"kept"}


def _traced(folder: Path, name: str, tracer: str) -> TraceSurvey:
    options = {"start": {"tracer": tracer, "native": False}, "stop": {}}
    record = _run(folder, name, allocations_request(PLAN, WINDOWS, 30, options))
    assert record.surveys.stop is not None
    return record.surveys.stop


def test_a_tracer_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    options = {"start": {"tracer": "memray", "native": False}, "stop": {}}
    _run(tmp_path, "kept", allocations_request(PLAN, WINDOWS, 5, options))
    assert list(tmp_path.glob("*.memray")) == []
