"""What `make soak` counts is counted rightly, and one check of each word runs through it."""

import os
import platform
import sys
from collections import Counter
from pathlib import Path

import pytest

from bench.proof.soak.conditions import Condition, conditions, surrounded, version_of
from bench.proof.soak.run import BEGIN, END, Case, Count, checked, planned, table, total, write
from bench.proof.soak.workloads import CLEAN, LEAKING

HERE = Condition(name="here")


def _case(function: str, *, leaks: bool, condition: Condition = HERE) -> Case:
    return Case(number=1, condition=condition, function=function, leaks=leaks)


@pytest.mark.parametrize(
    ("word", "leaks", "counted"),
    [
        ("flat", False, ""),
        ("plateaued", False, ""),
        ("growing", False, "false"),
        ("rising", False, "false"),
        ("inconclusive", False, "undecided"),
        ("growing", True, ""),
        ("rising", True, ""),
        ("flat", True, "missed"),
        ("plateaued", True, "missed"),
        ("inconclusive", True, "undecided"),
        ("Killed", True, "failed"),
        ("", False, "failed"),
    ],
)
def test_each_word_is_counted_as_what_it_is(word: str, leaks: bool, counted: str) -> None:
    count = Count(name="here")
    wrong = count.add(_case("f", leaks=leaks), word)
    fields = ("false", "missed", "undecided", "failed")
    assert [name for name in fields if getattr(count, name)] == ([counted] if counted else [])
    assert bool(wrong) == (counted in ("false", "missed", "failed"))
    assert (count.clean, count.leaking) == (not leaks, leaks)


def test_every_workload_comes_in_every_condition() -> None:
    chosen = conditions(["python3.99"])
    plan = planned(chosen, len(chosen) * len(CLEAN), len(chosen) * len(LEAKING))
    pairs = Counter((case.condition.name, case.function) for case in plan)
    assert len(pairs) == len(chosen) * (len(CLEAN) + len(LEAKING))
    assert set(pairs.values()) == {1}


def test_a_shim_without_its_interpreter_is_none(tmp_path: Path) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    assert version_of(str(shim)) == version_of(str(tmp_path / "gone")) == ""
    assert version_of(sys.executable) == platform.python_version()


def test_each_hash_seed_is_another_one() -> None:
    (seeded,) = (one for one in conditions([]) if "--fork" in one.arguments)
    assert [seeded.variables(n)["PYTHONHASHSEED"] for n in (3, 4)] == ["3", "4"]


def test_a_leak_a_clean_call_and_what_is_not_there_are_told_apart() -> None:
    assert checked(_case("leaks_bytes", leaks=True)) == "growing"
    dev = Condition(name="dev", environment={"PYTHONDEVMODE": "1", "PYTHONHASHSEED": "{n}"})
    assert checked(_case("clean_values", leaks=False, condition=dev)) == "flat"
    gone = Condition(name="gone", arguments=("--python", "/nowhere/python"))
    assert "cannot start python '/nowhere/python'" in checked(
        _case("clean_values", leaks=False, condition=gone)
    )


def test_what_surrounds_a_check_is_gone_afterwards() -> None:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    before = children.read_text().split()
    with surrounded(Condition(name="both", busy=True, pressed=True), 8):
        assert len(children.read_text().split()) > len(before) + 1
    assert children.read_text().split() == before


def test_the_table_has_the_sum_and_replaces_the_one_before(tmp_path: Path) -> None:
    counts = [Count(name="a", clean=3, undecided=1, elapsed_s=2.0), Count(name="b", leaking=4)]
    lines = table([*counts, total(counts)])
    assert lines[-1] == "| all | 3 | 0 | 4 | 0 | 1 | 0 | 2 s |"
    page = tmp_path / "soak.md"
    page.write_text(f"x\n{BEGIN}\nold\n{END}\ny\n")
    write(lines, page)
    assert page.read_text() == f"x\n{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}\ny\n"
