"""The line where a cycle is made is told where it was seen, and nowhere else."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memcurve.explain.cycle_drawing import cycles_of
from memcurve.measure.worker import cycles, sites
from memcurve.measure.worker.cycle_lines import CycleLines
from memcurve.model.answers import Frame
from memcurve.model.garbage_survey import CycleLine, CycleLinesSurvey, GarbageSurvey
from memcurve.report.causes import cause_lines, made_at
from tests.memcurve.making import explanation

HERE = Path(__file__).name


class Node:
    """An object that refers to itself."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def quiet() -> Iterator[None]:
    """Leave the collector off, so that garbage stays until it is looked for."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def lines(found: CycleLines) -> list[tuple[str, str]]:
    """Return which cycles were told, and the file of the innermost frame of each."""
    return [(words, Path(frames[0][0]).name) for words, _, frames in found.facts()]


@pytest.mark.usefixtures("quiet")
def test_a_traced_cycle_is_told_with_the_line_that_makes_it() -> None:
    found = CycleLines()
    with sites.Tracing():
        Node()
        found.look(cycles.collect_saved())
    name = f"{__name__}.Node"
    assert lines(found) == [(f"{name}.me → {name}", HERE)]
    assert found.complete


@pytest.mark.usefixtures("quiet")
def test_what_was_made_before_tracing_is_told_no_line() -> None:
    found = CycleLines()
    Node()
    with sites.Tracing():
        found.look(cycles.collect_saved())
    assert found.facts() == []
    assert not found.complete


@pytest.mark.usefixtures("quiet")
def test_two_lines_that_made_one_each_tell_none() -> None:
    found = CycleLines()
    with sites.Tracing():
        Node()
        Node()
        found.look(cycles.collect_saved())
    assert found.facts() == []


@pytest.mark.usefixtures("quiet")
def test_no_garbage_is_no_cycle() -> None:
    found = CycleLines()
    with sites.Tracing():
        [Node].clear()
        found.look(cycles.collect_saved())
    assert found.facts() == []
    assert not found.complete


def shape(words: str, size: int) -> dict[str, Any]:
    return {
        "words": words,
        "count": 1,
        "size": size,
        "bytes": 48,
        "members": [],
        "edges": [],
        "types": [],
    }


GARBAGE = msgspec.convert(
    {"calls": 1, "objects": 3, "cycles": [shape("A → A", 1), shape("A → A", 2)]}, GarbageSurvey
)


def test_lines_go_to_the_cycle_of_the_same_words_and_size() -> None:
    library = Frame("/usr/lib/python3.11/site-packages/lib/client.py", 7)
    traced = CycleLinesSurvey(
        lines=(CycleLine("A → A", 2, (library, Frame("/home/me/app.py", 3))),)
    )
    one, two = cycles_of(GARBAGE, traced)
    assert (one.site, one.user_site) == ("", "")
    assert two.site == library.place
    assert made_at(two) == f"{library.place}, called from /home/me/app.py:3"


def test_a_line_is_printed_below_its_cycle_and_none_where_none_was_seen() -> None:
    traced = CycleLinesSurvey(lines=(CycleLine("A → A", 2, (Frame("app.py", 3),)),))
    told = list(cause_lines(explanation(cycles=cycles_of(GARBAGE, traced))))
    assert [line for line in told if "made at" in line] == ["    made at    app.py:3"]
    nothing = list(cause_lines(explanation(cycles=cycles_of(GARBAGE))))
    assert not [line for line in nothing if "made at" in line]
