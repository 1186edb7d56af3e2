"""What doubles when it is full stands still ever longer, and is not calm for that."""

from itertools import accumulate
from pathlib import Path

import msgspec
import pytest

import memcurve
from memcurve.judge.doubling import calm_from
from memcurve.judge.growth import DOUBLES, Reading, read_curve
from memcurve.judge.limits import Limits
from memcurve.judge.more_calls import calls_to_settle
from memcurve.judge.schedule import next_step
from memcurve.model.curve import Curve
from memcurve.model.effort import effort_for
from memcurve.model.recording import PassRecord
from memcurve.model.steps import Calls, Finish, Step
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Flat, Inconclusive, Plateaued
from tests.memcurve.making import CurveMaker, curve, settled

THRESHOLDS = Thresholds()
BYTES = Limits.of_bytes(THRESHOLDS)


def read(maker: CurveMaker, limits: Limits = BYTES) -> Reading:
    return read_curve(maker.make(), limits)


def doubles(calls: int, *, until: int = 10_000) -> CurveMaker:
    """Make a buffer of 16 KiB that takes 40 bytes a call and doubles when it is full."""
    rises, size = [0.0] * (calls + 1), 16384
    for call in range(1, min(calls, until) + 1):
        if 40 * call > size:
            rises[call], size = float(size), 2 * size
    levels = list(accumulate(rises))
    return curve(calls=calls).flat().bent(levels)


@pytest.mark.parametrize("calls", [1200, 1500, 2000, 3200])
def test_a_buffer_that_doubles_is_not_calm_between_its_steps(calls: int) -> None:
    reading = read(doubles(calls))
    assert (reading.shape, reading.why) == ("undecided", DOUBLES)
    assert calls < reading.calm_from <= calls_to_settle(reading, calls, BYTES)


def test_a_buffer_that_doubled_twice_and_never_again_has_stopped() -> None:
    assert read(doubles(2000, until=1000)).shape == "flat"
    assert read(doubles(2000, until=1000)).at > 0


def test_one_large_step_is_calm_after_twice_the_calls_up_to_it() -> None:
    late = curve(calls=302).flat(100).jumps(1_000_000).flat()
    assert read(late).calm_from == 303
    assert read(curve(calls=310).flat(100).jumps(1_000_000).flat()).shape == "flat"


def test_a_cache_that_fills_and_stops_is_no_doubling() -> None:
    assert read(curve(calls=500).grows(per_call=900, calls=200).flat()).shape == "flat"
    by_chance = curve(calls=400).flat(30).jumps(9000).flat(60).jumps(9000).flat(80).jumps(9000)
    assert read(by_chance.flat()).shape == "flat"


def stairs(calls: int, *, until: int = 10_000) -> CurveMaker:
    """Make a bytearray that takes 300 bytes a call, and an eighth more room when it is full."""
    rises, room = [0.0] * (calls + 1), 0
    for call in range(1, min(calls, until) + 1):
        if 300 * call > room:
            rises[call], room = 300 * call * 9 / 8 - room, 300 * call * 9 // 8
    return curve(calls=calls).flat().bent(list(accumulate(rises)))


@pytest.mark.parametrize("calls", range(300, 4000, 170))
def test_a_buffer_that_takes_an_eighth_more_is_never_calm(calls: int) -> None:
    assert read(stairs(calls)).shape != "flat"


def test_a_buffer_that_took_an_eighth_more_and_stopped_is_calm_when_the_next_is_overdue() -> None:
    assert read(stairs(3000, until=2000)).shape == "flat"
    assert read(curve(calls=400).steps(by=4096, every=30, calls=200).flat()).shape == "flat"


def saw(*, step: int = 0) -> Curve:
    """Make a saw of which most rows stand on the tops of its teeth, as the last one does."""
    calls = [*range(1, 101), *range(120, 581, 20), 590, 600]
    tops = (80_000 if call % 20 in (0, 19, 18) else 0 for call in calls)
    values = tuple(top + (call >= 400) * step for call, top in zip(calls, tops, strict=True))
    return Curve(counter="live_bytes", calls=tuple(calls), values=values)


def test_a_tooth_of_a_saw_at_the_end_is_no_step_and_a_step_above_the_teeth_is_one() -> None:
    assert calm_from(saw(), BYTES) == 0
    assert calm_from(saw(step=400_000), BYTES) > 600


def test_a_small_step_and_a_step_of_descriptors_are_no_doubling() -> None:
    assert read(curve(calls=300).flat(100).jumps(9000).flat()).shape == "flat"
    one = curve(calls=300).flat(120).jumps(1).flat()
    assert read(one, Limits.of_resource("fds", THRESHOLDS)).shape == "flat"


def test_what_filled_for_thousands_of_calls_and_stood_for_400_has_stopped() -> None:
    assert read(curve(calls=9000).grows(per_call=64, calls=8590).flat()).shape == "flat"
    assert read(curve(calls=9000).grows(per_call=64, calls=8960).flat()).shape == "growing"


def after_seconds(record: PassRecord, *, cpu_s: float) -> PassRecord:
    return msgspec.structs.replace(record, cpu_s=cpu_s)


def step(record: PassRecord, budget_s: float | None = None) -> Step:
    return next_step(record, THRESHOLDS, effort_for(None, budget_s, THRESHOLDS))


def test_the_calls_that_settle_a_doubling_are_run_while_the_time_lasts() -> None:
    standing = settled(doubles(1500), verified=True)
    assert step(standing) == Calls(to=1845)
    late = after_seconds(standing, cpu_s=4.0)
    assert step(late) == Calls(to=1845)
    assert isinstance(step(after_seconds(settled(doubles(2000), verified=True), cpu_s=4.0)), Finish)


def test_a_doubling_that_only_many_more_calls_would_settle_stays_open() -> None:
    assert isinstance(step(settled(doubles(9000), verified=True)), Finish)


def test_time_is_asked_again_on_the_way_to_a_call_far_away() -> None:
    assert step(settled(doubles(3800), verified=True)) == Calls(to=5700)


def test_a_quick_call_that_shows_nothing_is_looked_at_for_longer() -> None:
    record = settled(curve(calls=250).flat())
    assert step(record) == Calls(to=500)
    assert isinstance(step(settled(curve(calls=1500).flat())), Finish)
    assert isinstance(step(msgspec.structs.replace(record, cpu_s=0.3)), Finish)
    waits = msgspec.structs.replace(record, wall_s=5.0)
    assert isinstance(step(waits), Finish)


TARGETS = """
buffer, used, table = bytearray(16384), 0, set()

def append_for_ever():
    global buffer, used
    used += 40
    if used > len(buffer):
        larger = bytearray(2 * len(buffer))
        larger[: len(buffer)] = buffer
        buffer = larger

def table_of_257():
    table.add(len(table) % 257)
"""


def test_a_buffer_that_doubles_for_ever_is_not_acquitted_and_a_table_is(tmp_path: Path) -> None:
    file = tmp_path / "steps.py"
    file.write_text(TARGETS)
    endless = memcurve.check(f"{file}:append_for_ever", explain=False, budget=60)
    assert isinstance(endless.verdict, Inconclusive)
    assert endless.verdict.why == DOUBLES
    table = memcurve.check(f"{file}:table_of_257", explain=False)
    assert isinstance(table.verdict, Flat | Plateaued)
