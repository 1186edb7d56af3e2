"""Each rule of the judge decides its own example, and no other rule does so in its place."""

import inspect
import re
from pathlib import Path

import pytest

from memcurve.judge import flat, growth, rise
from memcurve.judge.growth import Reading, read_curve
from memcurve.judge.limits import Limits
from memcurve.model.thresholds import Thresholds
from tests.memcurve.draw_rules import PAGE, PICTURES, figures, page_with, table
from tests.memcurve.rule_examples import CONDITIONS, EXAMPLES, WAYS, Example

RULES = {way.__name__: way for way in flat.WAYS} | {
    name: getattr(rise, name) for name in CONDITIONS if hasattr(rise, name)
}
SOURCES = ("Measured", "Literature", "Convention")
SEEN = (Path(__file__).parent / "test_growth.py").read_text()


def read(example: Example) -> Reading:
    return read_curve(example.maker.make(), Limits.of_bytes(Thresholds()))


FLOORS = {name: read(example).floor for name, example in WAYS.items()}


@pytest.mark.parametrize("name", WAYS)
def test_an_example_of_a_way_to_be_flat_is_flat_by_that_way(name: str) -> None:
    reading = read(WAYS[name])
    assert (reading.shape, reading.way) == ("flat", name)


@pytest.mark.parametrize("name", WAYS)
def test_without_its_way_the_example_is_not_flat_by_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat, "WAYS", tuple(way for way in flat.WAYS if way.__name__ != name))
    reading = read(WAYS[name])
    assert reading.shape != "flat" or reading.floor != FLOORS[name]


@pytest.mark.parametrize("name", CONDITIONS)
def test_an_example_of_a_condition_fails_it_alone(name: str) -> None:
    reading = read(CONDITIONS[name])
    assert (reading.shape, reading.why) == (CONDITIONS[name].shape, CONDITIONS[name].words)


@pytest.mark.parametrize("name", [name for name in CONDITIONS if name != "growing"])
def test_without_its_condition_the_example_is_read_otherwise(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growth, name, lambda *_, **__: "")
    reading = read(CONDITIONS[name])
    assert (reading.shape, reading.why) != (CONDITIONS[name].shape, CONDITIONS[name].words)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_its_reason_and_names_a_test_that_is_there(name: str) -> None:
    words = inspect.getdoc(RULES[name]) or ""
    assert "Why: " in words or name == "exceeds_the_tolerance"
    named = re.findall(r"`(test_\w+)`", words)
    assert named
    assert [test for test in named if f"def {test}(" not in SEEN] == []


def test_every_number_has_a_source() -> None:
    assert [name for name, _, words in figures() if not any(s in words for s in SOURCES)] == []


def test_the_page_has_the_numbers_of_the_code() -> None:
    assert page_with(table()) == PAGE.read_text(), "if that is meant: make rules"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_shows_a_picture_of_each_rule(name: str) -> None:
    assert f"pictures/rule-{name}.svg" in PAGE.read_text()
    assert (PICTURES / f"rule-{name}.svg").is_file()
