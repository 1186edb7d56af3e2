"""The independent count sees mapped pages, and from outside what child processes hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.proof.accuracy.counting import Mark, compile_counter, count
from bench.proof.accuracy.outside import below
from bench.proof.accuracy.registry import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUNDRED = (20, 120)
"""Calls between which a workload is counted."""


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Mark, Mark]]:
    if shutil.which("gcc") is None and shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    library: Path = compile_counter(tmp_path_factory.mktemp("counter"))

    def run(name: str) -> tuple[Mark, Mark]:
        (workload,) = (one for one in WORKLOADS if one.name == name)
        first, last = count(workload, library, HUNDRED)
        return first, last

    return run


def test_mapped_pages_are_counted_and_their_touched_part_is_seen_from_outside(
    counted: Callable[[str], tuple[Mark, Mark]],
) -> None:
    first, last = counted("mapped_16k_touched_4k")
    assert last.mapped_bytes - first.mapped_bytes == 100 * 16_384
    assert last.anonymous_bytes - first.anonymous_bytes == pytest.approx(100 * 4096, rel=0.1)


def test_what_is_mapped_and_given_back_is_not_counted(
    counted: Callable[[str], tuple[Mark, Mark]],
) -> None:
    first, last = counted("mapped_for_a_moment")
    assert last.mapped_bytes == first.mapped_bytes


def test_what_a_child_keeps_is_read_from_outside(
    counted: Callable[[str], tuple[Mark, Mark]],
) -> None:
    first, last = counted("kept_by_a_helper_program")
    assert first.processes == last.processes == 1
    assert last.children_bytes - first.children_bytes == pytest.approx(100 * 8100, rel=0.1)


def test_zombies_are_counted_and_hold_nothing(
    counted: Callable[[str], tuple[Mark, Mark]],
) -> None:
    first, last = counted("zombie_every_10th")
    assert (first.zombies, last.zombies, last.children_bytes) == (2, 12, 0)


def test_a_grandchild_is_below_and_a_stranger_is_not() -> None:
    starts = "import subprocess, sys; print(flush=True); subprocess.run(sys.argv[1:])"
    waits = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", starts, sys.executable, "-c", waits]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.stdout.readline()
        found = below(child.pid)
        child.communicate(b"")
    assert found.processes == 1
    assert found.children_bytes > 1 << 20
