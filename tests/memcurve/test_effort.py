"""The budget of a check ends by the clock, that of a test by its work: a busy machine is no end."""

from typing import Literal

import pytest

from memcurve.model.effort import Effort, work_s
from memcurve.model.recording import PassRecord


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
        (0.1, 79.0, False),  # calls that wait
        (0.1, 81.0, True),
    ],
)
def test_work_is_cpu_time_or_an_eighth_of_the_clock(
    cpu_s: float, wall_s: float, ends: bool
) -> None:
    assert spent("work", cpu_s=cpu_s, wall_s=wall_s) is ends
    assert spent("clock", cpu_s=cpu_s, wall_s=wall_s)


def test_sampling_is_work_too() -> None:
    assert work_s(PassRecord(kind="settled", mode="settled", cpu_s=2.0, sampling_s=1.5)) == 3.5
