"""Which of the stacks that made objects of one type is told as their line."""

import pytest

from memcurve.measure.worker.sites import Frames, commonest

OURS: Frames = [["shop.py", 12], ["shop.py", 40]]
OTHER: Frames = [["shop.py", 30]]
STRAY: Frames = [["<string>", 1]]


@pytest.mark.parametrize(
    ("stacks", "told"),
    [
        ([], []),
        ([OURS], OURS),
        ([STRAY, OURS, OURS, OURS], OURS),
        ([STRAY, OURS, STRAY, OURS, OURS], OURS),
        ([STRAY, OURS], []),  # one of them is none of the calls', and nothing says which
        ([OURS, OTHER, OTHER, OURS], OURS),  # two lines leak alike: the first tells
    ],
)
def test_the_stack_of_most_objects_is_told(stacks: list[Frames], told: Frames) -> None:
    assert commonest(stacks) == told
