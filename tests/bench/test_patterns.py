"""Patterns of a cycle: each is named by what closes it and where, and each fix leaves none."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from bench.proof.accuracy import naming
from bench.proof.accuracy.naming import Left, faults_of, faults_of_fixed, goes_by, references
from bench.proof.accuracy.patterns import PATTERNS, Pattern
from bench.proof.accuracy.run import check_target

HERE = "tests/bench/test_patterns.py"
PATTERN = Pattern(name="loop", references=("A.b", "B.a"), made="Patterns of a cycle", fix="none")


def document(**more: Any) -> dict[str, Any]:
    """Make up what `memcurve check --json` prints of the pattern."""
    return {
        "verdict": "flat",
        "deferred": {"objects_per_call": 2.0, "bytes_per_call": 80_000.0},
        "cycles": [{"words": "B.a → A.b → B", "site": f"{HERE}:1"}],
        **more,
    }


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda one: one.name)
def test_a_pattern_is_named_by_what_closes_its_cycle(pattern: Pattern) -> None:
    outcome = check_target(pattern.target)
    assert outcome.exit_code == 0
    assert outcome.document is not None, outcome.errors
    assert faults_of(pattern, naming.left_by(pattern.target), outcome.document) == []


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda one: one.name)
def test_what_is_fixed_leaves_nothing_to_the_collector(pattern: Pattern) -> None:
    assert naming.left_by(pattern.fixed).objects == 0


def test_a_check_of_what_is_fixed_names_no_cycle() -> None:
    outcome = check_target(PATTERNS[0].fixed)
    assert outcome.document is not None, outcome.errors
    assert faults_of_fixed(Left(0.0, 0.0), outcome.document) == []


def test_eight_patterns_each_with_its_fix() -> None:
    assert len({one.name for one in PATTERNS}) == len(PATTERNS) == 8


def test_the_truth_has_no_fault() -> None:
    assert faults_of(PATTERN, Left(2.0, 80_400.0), document()) == []
    nothing = {"objects_per_call": 0.0, "bytes_per_call": 0.0}
    assert faults_of_fixed(Left(0.0, 0.0), document(deferred=nothing, cycles=[])) == []


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"verdict": "growing"}, "called growing"),
        ({"cycles": [{"words": "A.b → B.c → A", "site": f"{HERE}:1"}]}, "named as A.b → B.c → A"),
        (
            {"cycles": [{"words": "A.b → B.a → C.b → A", "site": f"{HERE}:1"}]},
            "named as A.b → B.a → C.b → A",
        ),
        (
            {"deferred": {"objects_per_call": 2.0, "bytes_per_call": 4_000.0}},
            "4000 bytes a call wait, truly 80400",
        ),
    ],
)
def test_what_is_named_or_counted_wrongly_is_a_fault(more: dict[str, Any], fault: str) -> None:
    assert faults_of(PATTERN, Left(2.0, 80_400.0), document(**more)) == [fault]


def test_a_line_that_is_another_or_none_is_a_fault() -> None:
    words = "A.b → B.a → A"
    for site, told in ((f"{HERE}:3", f"{HERE}:3"), ("", "no line")):
        found = document(cycles=[{"words": words, "site": site}])
        (fault,) = faults_of(PATTERN, Left(2.0, 80_400.0), found)
        assert fault == f"made at {told}, where 'Patterns of a cycle' does not stand"


def test_a_cycle_that_is_not_named_is_a_fault() -> None:
    first, _ = faults_of(PATTERN, Left(2.0, 80_400.0), document(cycles=[]))
    assert first == "named as no cycle"


def test_a_fix_that_fixes_nothing_is_a_fault() -> None:
    faults = faults_of_fixed(Left(2.0, 80_400.0), document())
    assert faults == [
        "the fix leaves 2 objects a call",
        "2 objects a call wait after the fix",
        "a cycle is named after the fix",
    ]


def test_a_cycle_is_the_same_wherever_its_words_begin() -> None:
    words = "frame of f (a/b.py:3) local 'x' → Error.__traceback__ → frame of f (a/b.py:3)"
    assert references(words) == ("frame of f local 'x'", "Error.__traceback__")
    assert goes_by(words, ("Error.__traceback__", "frame of f local 'x'"))
    assert not goes_by(words, ("Error.__traceback__",))


def test_the_truth_is_of_the_interpreter_that_measures() -> None:
    asked: list[str] = []

    def check(target: str) -> dict[str, Any]:
        asked.append(target)
        return document()

    row = naming.told(PATTERNS[0], check, sys.executable)
    assert asked == [PATTERNS[0].target, PATTERNS[0].fixed]
    assert "named as B.a → A.b → B" in row[-1]
