"""What the collector does not track: its type, who has its address, and where it is made."""

import sys
from pathlib import Path

import msgspec
import pytest

from memcurve.measure.explaining_passes import Wanted, Windows, survivors_request
from memcurve.measure.isolation import TUNABLES, SpawnedWorker
from memcurve.measure.runner import PassPlan, Session
from memcurve.measure.worker import chunks, pools, untracked
from memcurve.measure.worker.blocks import live_blocks
from memcurve.model.recording import PassRecord
from memcurve.model.scenario import Target
from memcurve.model.survivors_survey import Outlived, SurvivorGroup, UntrackedObjects

pytestmark = pytest.mark.skipif(not pools.usable(), reason="pools cannot be read here")

SOURCE = """
import ctypes

lose = ctypes.pythonapi.Py_IncRef
lose.argtypes, lose.restype = [ctypes.py_object], None
libc = ctypes.CDLL(None)
libc.calloc.restype = ctypes.c_void_p
TABLE = libc.calloc(10000, 8)
KEPT = []

def lost_bytes(number):
    lose(b"number %06d of a hundred thousand" % number)

def lost_text(number):
    lose("paid by card 4929 1234 5678 9012, number %d" % number)

def large_bytes(number):
    lose(b"number %06d" % number + b"x" * 3000)

def kept_in_c(number):
    text = "a text that a library keeps, number %d" % number
    lose(text)
    ctypes.c_void_p.from_address(TABLE + 8 * number).value = id(text)

def kept_in_a_list(number):
    KEPT.append("a text that a list keeps, number %d" % number)

KEYED = {}

def kept_as_a_key(number):
    KEYED["a text that is a key, number %d" % number] = number % 7

def kept_by_code(number):
    names = {}
    exec("def function(): return 'constant %d of its own code', b'and bytes'" % number, names)
    KEPT.append(names["function"])

def dropped(number):
    return "a text that nobody keeps, number %d" % number

def lost_dict(number):
    lose({"number": [number]})

class Watched:
    def __init__(self, number):
        self.number = [number]

def watched(number):
    import weakref
    thing = Watched(number)
    KEPT.append(weakref.ref(thing))
    lose(thing)

def dict_in_c(number):
    thing = {"number": [number]}
    lose(thing)
    ctypes.c_void_p.from_address(TABLE + 8 * number).value = id(thing)

def in_an_object_that_does_not_tell(number):
    import io
    KEPT.append(io.StringIO(newline=None))
    KEPT[-1].write("some text")

class Ring:
    last = [None] * 40

def replaced(number):
    Ring.last[number % 40] = "a text in a ring, number %d" % number
"""
WINDOWS = Windows(warm=60, window=50, traced=5, short=10, long=30, lines=10)
PLAN = PassPlan(kind="survivors", mode="settled", grace_s=0.05)


def look(folder: Path, name: str, plan: PassPlan = PLAN) -> PassRecord:
    """Run a survivors pass of one function of the source."""
    file = folder / "lost.py"
    file.write_text(SOURCE)
    with SpawnedWorker(sys.executable, {"GLIBC_TUNABLES": TUNABLES}) as worker:
        session = Session(worker, timeout_s=60.0)
        assert session.load(Target(call=f"{file}:{name}"), ()) is None
        record = session.run(
            *survivors_request(plan, WINDOWS, Wanted(least_per_call=5.0, least_lost=5.0))
        )
    assert record.failure is None, record.failure
    return record


def lost(record: PassRecord) -> list[UntrackedObjects]:
    assert record.surveys.release is not None
    return list(record.surveys.release.lost)


def groups(record: PassRecord) -> list[SurvivorGroup]:
    assert record.surveys.survivors is not None
    return list(record.surveys.survivors.groups)


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(SOURCE.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("name", "kind", "begins"),
    [
        ("lost_bytes", "bytes", "b'number 000"),
        ("lost_text", "str", "'paid by card"),
        ("large_bytes", "bytes", "b'number 000"),
    ],
)
def test_a_lost_reference_is_told_with_type_count_line_and_sample(
    tmp_path: Path, name: str, kind: str, begins: str
) -> None:
    (found,) = lost(look(tmp_path, name))
    assert (found.type, found.holder, found.references) == (kind, "lost", 1)
    assert 45 <= found.objects <= 56  # of 50: what looked takes and leaves some blocks meanwhile
    assert found.sample.startswith(begins)
    assert len(found.sample) <= 32 + len("b''…")
    assert found.stack[0].line == line_of(f"def {name}(") + 1


def test_what_a_library_keeps_is_not_said_to_be_lost(tmp_path: Path) -> None:
    (found,) = lost(look(tmp_path, "kept_in_c"))
    assert (found.type, found.holder) == ("str", "malloc")


def outside(record: PassRecord) -> list[Outlived]:
    assert record.surveys.release is not None
    return list(record.surveys.release.outside)


@pytest.mark.parametrize(
    ("name", "holder"), [("lost_dict", "lost"), ("watched", "lost"), ("dict_in_c", "malloc")]
)
def test_who_has_the_address_of_what_the_collector_tracks_is_told_too(
    tmp_path: Path, name: str, holder: str
) -> None:
    (found,) = outside(look(tmp_path, name))
    assert (found.alive, found.holder) == (found.heads, holder)


def test_what_goes_with_what_was_let_go_is_not_outside(tmp_path: Path) -> None:
    record = look(tmp_path, "in_an_object_that_does_not_tell")
    assert all(2 * found.alive < found.heads for found in outside(record))


@pytest.mark.parametrize(
    "name", ["kept_in_a_list", "kept_as_a_key", "kept_by_code", "dropped", "replaced"]
)
def test_what_somebody_holds_or_nobody_keeps_is_not_told(tmp_path: Path, name: str) -> None:
    assert lost(look(tmp_path, name)) == []


def test_a_text_that_is_held_is_told_with_its_beginning(tmp_path: Path) -> None:
    (group,) = groups(look(tmp_path, "kept_in_a_list"))
    assert group.sample == repr("a text that a list keeps, number 60"[:32]) + "…"


def test_a_text_that_is_a_key_is_held_by_its_dictionary(tmp_path: Path) -> None:
    (group,) = groups(look(tmp_path, "kept_as_a_key"))
    assert (group.type, group.root) == ("str", "module global")
    assert group.sample.startswith("'a text that is a key, number ")


@pytest.mark.parametrize("name", ["lost_text", "kept_in_a_list"])
def test_samples_can_be_left_out(tmp_path: Path, name: str) -> None:
    record = look(tmp_path, name, msgspec.structs.replace(PLAN, samples=False))
    assert [one.sample for one in (*lost(record), *groups(record))] == [""]


def test_a_block_is_live_while_its_object_is() -> None:
    memory = pools.Memory()
    things = [b"%0440d" % number for number in range(3000)]
    places = [id(thing) for thing in things]
    before = live_blocks(memory)
    starts = {block.address for block in before.each(memory)}
    assert starts.issuperset(places)
    del things
    after = {block.address for block in live_blocks(memory).each(memory)}
    assert len(after.intersection(places)) < 1500  # hundreds are in use again, by what looked
    memory.close()


def test_a_large_block_of_malloc_is_live_while_its_object_is() -> None:
    memory = pools.Memory()
    thing = bytearray(300_000), bytes(70_000)
    address = id(thing[1])
    sizes = {block.address: block.size for block in live_blocks(memory).each(memory)}
    assert 70_000 < sizes[address] < 71_000
    del thing
    assert pools.Block(address, sizes[address]) not in live_blocks(memory).each(memory)
    memory.close()


def test_every_class_is_known_by_its_address() -> None:
    class Mine:
        pass

    classes = untracked.all_classes()
    assert all(classes[id(kind)] is kind for kind in (object, type, str, Mine, type(PLAN)))


@pytest.mark.parametrize("words", [(1, 0), (1, 12345678), (0, id(bytes)), (1 << 40, id(bytes))])
def test_a_block_that_is_not_surely_an_object_is_not_named(words: tuple[int, int]) -> None:
    memory = pools.Memory()
    block = bytes(pools.WORD.pack(words[0]) + pools.WORD.pack(words[1]) + bytes(16))
    start = id(block) + bytes.__basicsize__ - 1
    place = pools.Block(start, 64)
    assert untracked.object_in(place, memory, untracked.all_classes()) is None
    memory.close()


def test_a_heap_that_is_too_large_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = [bytes(5000) for _ in range(50)]  # of malloc, too small for mappings of their own
    memory = pools.Memory()
    try:
        whole = set(chunks.large_blocks(memory))
        monkeypatch.setattr(chunks, "MOST_HEAP_BYTES", 1 << 12)
        without = set(chunks.large_blocks(memory))
    finally:
        memory.close()
    listed = {id(one) >> chunks.SHIFT for one in kept} & whole
    assert listed
    assert not listed & without


@pytest.mark.parametrize(
    ("words", "ends"), [((0, 48 | 1), True), ((0, 32 | 1), False), ((), False)]
)
def test_the_last_chunk_of_a_heap_is_known_by_its_end(words: tuple[int, ...], ends: bool) -> None:
    data = bytes(32) + b"".join(pools.WORD.pack(word) for word in words)
    assert chunks._is_top(data.ljust(80, b"\x01") if words else data, 32) is ends
