"""Few or slow calls: how many are run, what is looked at, and that what was asked for is kept."""

import math
import time
from pathlib import Path

import msgspec
import pytest

from memcurve import Flat, Growing, Plateaued, Rising, check
from memcurve.judge.schedule import next_step
from memcurve.judge.slow_calls import Plan, next_of_few, plan_of_few
from memcurve.model.effort import Effort, effort_for
from memcurve.model.recording import PassRecord
from memcurve.model.steps import Calls, Finish, Verify
from memcurve.model.thresholds import Thresholds
from memcurve.run.look import split
from tests.memcurve.making import CurveMaker, curve, pass_record, settled

THRESHOLDS = Thresholds()


def after(calls: int, call_s: float, memory: CurveMaker | None = None) -> PassRecord:
    """Make a pass of calls that take so long and work for nothing."""
    wall = curve(calls=calls).grows(per_call=call_s * 1e9)
    record = settled(memory or curve(calls=calls).flat(), verified=False, wall_ns=wall)
    return msgspec.structs.replace(record, elapsed_s=calls * call_s)


def plan(record: PassRecord, effort: Effort) -> Plan | None:
    return plan_of_few(record, THRESHOLDS, effort)


def test_calls_that_fit_into_the_time_are_no_few_calls() -> None:
    effort = effort_for(None, None, THRESHOLDS, looks=True)
    assert plan(after(10, 0.001), effort) is None
    assert plan(after(10, 0.025), effort) is None  # 250 and 100 of the natural pass: 8.75 s of 10
    assert plan(after(10, 0.03), effort) is not None
    assert plan(after(10, 0.1), effort) is not None


def test_quick_calls_are_few_where_a_budget_is_asked_for_that_they_do_not_fit_into() -> None:
    assert plan(after(10, 0.01), effort_for(None, None, THRESHOLDS, looks=True)) is None
    found = plan(after(10, 0.01), effort_for(None, 3.0, THRESHOLDS, looks=True))
    assert found is not None
    assert 200 <= found.total <= 230  # of 3 s, with a reserve
    assert plan(after(10, 0.01), effort_for(None, 4.0, THRESHOLDS, looks=True)) is None


def test_before_the_first_call_nobody_knows_how_long_a_call_takes() -> None:
    late = msgspec.structs.replace(after(0, 1.0), elapsed_s=2.0)  # starting took all of the time
    for effort in (effort_for(20, 1.0, THRESHOLDS), effort_for(20, None, THRESHOLDS)):
        assert next_step(late, THRESHOLDS, effort) == Calls(to=1)
    assert plan(late, effort_for(None, 1.0, THRESHOLDS)) is None


def test_slow_calls_get_the_time_that_was_given_and_twelve_by_default() -> None:
    found = plan(after(4, 0.5), effort_for(None, None, THRESHOLDS, looks=True))
    assert found is not None
    assert 14 <= found.total <= 19  # of half a second in 10 s, with a reserve
    slow = plan(after(1, 5.0), effort_for(None, None, THRESHOLDS, looks=True))
    assert slow == Plan(total=12, window=1)
    asked = plan(after(1, 5.0), effort_for(None, 12.0, THRESHOLDS, looks=True))
    assert asked is not None
    assert asked.total == 2


def test_a_number_of_calls_is_kept_whatever_they_take() -> None:
    for calls in (1, 10, 12, 20, 400):
        for call_s in (0.0001, 0.5):
            found = plan(after(1, call_s), effort_for(calls, None, THRESHOLDS, looks=True))
            assert found is not None
            assert found.total == calls
            assert found.window == (0 if calls < 12 else min(max(calls // 8, 1), 10))
    both = plan(after(1, 0.5), effort_for(400, 5.0, THRESHOLDS))
    assert both is not None
    assert both.total < 10  # the time ends sooner


def test_what_does_not_rise_is_counted_to_the_end() -> None:
    few, reached, steps = Plan(total=20, window=2), 0, []
    while True:
        step = next_of_few(after(reached, 0.5), few, flat=True, rises=False)
        if isinstance(step, Finish):
            break
        assert isinstance(step, Calls)
        assert reached < step.to <= 20
        reached = step.to
        steps.append(step)
    assert reached == 20


def test_what_rises_is_verified_twice_and_leaves_calls_for_a_look() -> None:
    few, record, kinds = Plan(total=20, window=2), after(0, 0.5), []
    while True:
        step = next_of_few(record, few, flat=False, rises=True)
        kinds.append(type(step))
        if isinstance(step, Finish):
            break
        if isinstance(step, Calls):
            verified = record.verifications
            record = msgspec.structs.replace(after(step.to, 0.5), verifications=verified)
        else:
            last = pass_record("settled", verified=True, fds=curve(calls=record.calls).flat())
            record = msgspec.structs.replace(
                record, verifications=(*record.verifications, *last.verifications)
            )
    assert record.calls == few.counted == 14
    assert [verification.call for verification in record.verifications] == [7, 14]
    assert kinds.count(Verify) == 2


def test_designs_of_a_benchmark_have_their_own_numbers() -> None:
    assert plan(after(10, 3.0), Effort(counted="cpu", seconds=4.0)) is None


def test_a_look_is_apart_from_what_was_counted() -> None:
    record = after(14, 0.5)
    assert split(record) == (record,)
    surveys = record.surveys.with_answer("mark", {"call": 14, "objects": 9, "pass_calls": 14})
    surveys = surveys.with_answer("middle", {"call": 16, "objects": 9, "pass_calls": 16})
    counted, looked = split(msgspec.structs.replace(record, surveys=surveys))
    assert (counted.calls, counted.looked_at, counted.surveys.mark) == (14, 2, None)
    assert (looked.kind, looked.calls) == ("survivors", 16)


def test_an_unlimited_number_of_calls_has_no_time_limit() -> None:
    effort = effort_for(20, None, THRESHOLDS)
    assert effort.seconds == math.inf
    assert isinstance(next_step(after(20, 900.0), THRESHOLDS, effort), Finish | Calls | Verify)


SOURCE = """
import functools, pathlib, time

KEPT = []
RAN = pathlib.Path(__file__).with_name("ran.txt")

class Client:
    def __init__(self):
        self.buffer = bytearray(3000)

def note():
    with RAN.open("a") as file:
        file.write("x")

def leak(number):
    note()
    KEPT.append(Client())

def slow_leak(number):
    time.sleep(0.1)
    leak(number)

def quicker_leak(number):
    time.sleep(0.005)
    leak(number)

def slow_clean(number):
    note()
    time.sleep(0.1)
    return Client()

@functools.lru_cache(maxsize=100)
def client(number):
    return Client()

def declared(number):
    note()
    client(number)

def broken_teardown():
    KEPT[0].buffer
    raise RuntimeError("after the look nothing is whole")
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "few.py"
    made.write_text(SOURCE)
    return made


def ran(file: Path) -> int:
    return len(file.with_name("ran.txt").read_text())


@pytest.mark.parametrize("calls", [12, 20, 50])
def test_what_rises_is_explained_within_the_calls_that_were_asked_for(
    file: Path, calls: int
) -> None:
    found = check(f"{file}:leak", calls=calls)
    assert isinstance(found.verdict, Rising)
    assert found.verdict.low > 3000
    culprit = found.culprits[0]
    assert (culprit.type, culprit.share > 0.9) == ("few.Client", True)
    assert "few.KEPT" in " ".join(culprit.path)
    assert culprit.site.endswith("few.py:17")
    assert ran(file) == calls


@pytest.mark.parametrize("calls", [12, 20, 50])
def test_a_cache_that_declares_its_bound_does_not_rise(file: Path, calls: int) -> None:
    found = check(f"{file}:declared", calls=calls)
    assert isinstance(found.verdict, Plateaued), found.verdict
    assert found.verdict.filling is not None
    assert ran(file) == calls


def test_a_budget_ends_slow_calls_and_what_is_clean_is_flat_with_a_horizon(file: Path) -> None:
    began = time.monotonic()
    found = check(f"{file}:slow_clean", budget=3.0)
    assert time.monotonic() - began < 3.0 + 1.5  # starting an interpreter on a busy machine
    assert isinstance(found.verdict, Flat)
    assert 2 <= found.verdict.evidence.horizon < ran(file)
    assert ran(file) >= 12


def test_slow_calls_that_leak_are_explained_in_the_run_that_counted_them(file: Path) -> None:
    found = check(f"{file}:slow_leak", budget=4.0)
    assert isinstance(found.verdict, Rising)
    assert [record.kind for record in found.recording.passes] == ["settled", "survivors"]
    assert found.culprits[0].type == "few.Client"
    record = found.recording.of("settled")
    assert record is not None
    assert ran(file) == record.calls + record.looked_at


def test_a_budget_ends_quicker_calls_with_their_explanation(file: Path) -> None:
    began = time.monotonic()
    found = check(f"{file}:quicker_leak", budget=4.0)
    assert time.monotonic() - began < 4.0 + 1.5
    assert isinstance(found.verdict, Growing | Rising), found.verdict
    assert found.culprits[0].type == "few.Client"
    assert found.culprits[0].site.endswith("few.py:17")


def test_a_teardown_that_fails_after_a_look_fails_nothing(file: Path) -> None:
    found = check(f"{file}:leak", calls=20, teardown=f"{file}:broken_teardown")
    assert isinstance(found.verdict, Rising)
    assert found.culprits[0].type == "few.Client"
