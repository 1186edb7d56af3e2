"""The budget of a check ends by the clock, that of a test by its work: a busy machine is no end."""

import math
from typing import Literal

import msgspec
import pytest

from memcurve.model.effort import Effort, call_work_s, effort_for, work_s
from memcurve.model.recording import PassRecord
from memcurve.model.thresholds import Thresholds


def spent(counted: Literal["clock", "work"], *, cpu_s: float, wall_s: float) -> bool:
    effort = Effort(seconds=10.0, counted=counted)
    record = PassRecord(
        kind="settled", mode="settled", cpu_s=cpu_s, wall_s=wall_s, elapsed_s=3600.0
    )
    return effort.used_s(record) >= effort.seconds


@pytest.mark.parametrize(
    ("cpu_s", "wall_s", "ends"),
    [
        (3.0, 30.0, False),  # others had nine tenths of the machine
        (11.0, 30.0, True),
        (0.1, 9.0, False),  # calls that wait
        (0.1, 11.0, True),
    ],
)
def test_work_is_cpu_time_or_the_clock_where_calls_wait(
    cpu_s: float, wall_s: float, ends: bool
) -> None:
    assert spent("work", cpu_s=cpu_s, wall_s=wall_s) is ends
    assert spent("clock", cpu_s=cpu_s, wall_s=wall_s)


def test_a_call_works_as_long_on_a_busy_machine_as_on_a_calm_one() -> None:
    record = PassRecord(kind="settled", mode="settled", calls=100, cpu_s=2.0, wall_s=2.1)
    busy = msgspec.structs.replace(record, wall_s=20.0, sampling_s=3.0)
    waiting = msgspec.structs.replace(record, cpu_s=0.1, wall_s=20.0)
    assert call_work_s(record) == call_work_s(busy) == 0.02
    assert call_work_s(waiting) == 0.2
    assert math.isinf(call_work_s(PassRecord(kind="settled", mode="settled")))


def test_sampling_is_work_too() -> None:
    assert work_s(PassRecord(kind="settled", mode="settled", cpu_s=2.0, sampling_s=1.5)) == 3.5


def test_a_budget_that_was_asked_for_is_for_all_there_is_to_do() -> None:
    asked = effort_for(None, 4.0, Thresholds())
    assert asked.open_s == 2.0  # an open question leaves half to its explanation
    assert asked.left_s(3.0) == 1.0
    assert asked.left_s(5.0) == 0.0


@pytest.mark.parametrize(
    "effort",
    [
        effort_for(None, None, Thresholds()),
        effort_for(20, None, Thresholds()),
        effort_for(None, 4.0, Thresholds(), counted="work"),
    ],
)
def test_what_was_not_asked_for_by_the_clock_leaves_explaining_its_own_time(effort: Effort) -> None:
    assert effort.open_s == effort.seconds
    assert math.isinf(effort.left_s(100.0))
