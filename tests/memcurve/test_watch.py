"""Watching a program that runs anyway."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import memcurve
from memcurve.measure.headroom import read_headroom
from memcurve.model.errors import MeasureError
from memcurve.run.watch import Watch


class Node:
    """A reference to itself: only the collector frees it."""

    def __init__(self) -> None:
        self.me = self
        self.load = bytes(400)


@pytest.fixture(autouse=True)
def cheap_collections() -> Iterator[None]:
    """Keep what pytest holds out of the collector's sight."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


REFUSED = 7  # how the child tells that it was
EVERY_MARK = 1e6  # a share of the program's CPU time that any row can be afforded in


def watched(case: Callable[[], object], marks: int = 600, **options: bool) -> Watch:
    gc.collect()  # older garbage would be taken for the program's
    with memcurve.watch(share=EVERY_MARK, **options) as watch:
        for _ in range(marks):
            case()
            watch.mark()
    return watch


def test_a_clean_program_is_flat() -> None:
    watch = watched(lambda: bytes(1000))
    assert isinstance(watch.verdict(), memcurve.Flat | memcurve.Plateaued)
    assert watch.headroom is not None
    assert watch.headroom.calls_left is None


def test_growth_is_proved_by_one_collection_at_the_end() -> None:
    kept: list[bytes] = []
    watch = watched(lambda: kept.append(bytes(1000)))
    before = watch.verdict()
    assert isinstance(before, memcurve.Inconclusive)
    assert "full collections were too few" in before.why
    after = watch.verdict(collect=True)
    assert isinstance(after, memcurve.Growing)
    assert after.per_call == pytest.approx(1064, rel=0.03)
    assert after.no_bound_up_to == 600
    headroom = watch.headroom
    assert headroom is not None
    assert headroom.calls_left == pytest.approx(headroom.left_bytes / after.per_call, rel=0.05)


def test_growth_is_proved_by_collecting_at_each_row() -> None:
    kept: list[bytes] = []
    watch = watched(lambda: kept.append(bytes(1000)), marks=300, collect=True)
    assert isinstance(watch.verdict(), memcurve.Growing)


def test_garbage_that_waits_is_not_called_growing() -> None:
    gc.collect()
    gc.disable()
    try:
        watch = watched(Node)
        waiting = watch.verdict()
        collected = watch.verdict(collect=True)
    finally:
        gc.enable()
    assert isinstance(waiting, memcurve.Inconclusive)
    assert isinstance(collected, memcurve.Inconclusive)
    assert "took back more than a tenth" in collected.why


def test_garbage_is_not_there_where_every_row_collects() -> None:
    verdict = watched(Node, marks=400, collect=True).verdict()
    assert isinstance(verdict, memcurve.Flat | memcurve.Plateaued)


def test_kept_descriptors_are_growing() -> None:
    kept: list[int] = []
    watch = watched(lambda: kept.append(os.dup(0)), marks=300)
    held = watch.resources.fds
    for descriptor in kept:
        os.close(descriptor)
    found = watch.result(collect=True).judgement.verdicts["fds"]
    assert isinstance(found, memcurve.Growing)
    assert found.per_call == pytest.approx(1.0)
    assert held is not None
    assert held >= 300


def test_few_marks_are_inconclusive_and_say_how_many_would_do() -> None:
    watch = watched(lambda: None, marks=3)
    verdict = watch.verdict(collect=True)
    assert isinstance(verdict, memcurve.Inconclusive)
    assert verdict.settle_by == "more marks: 300 or more"


def test_a_full_table_keeps_every_second_row_and_the_last_mark() -> None:
    with memcurve.watch(rows=32, share=EVERY_MARK) as watch:
        for _ in range(1001):
            watch.mark()
    calls = watch.curve("fds").calls
    assert watch.marks == 1001
    assert len(calls) <= 32
    assert (calls[0], calls[-1]) == (0, 1001)
    assert {b - a for a, b in pairwise(calls[:-1])} == {64}


def test_watching_grows_nothing_itself() -> None:
    with memcurve.watch(rows=64) as watch:
        for _ in range(2000):
            watch.mark()
    live = watch.curve().tail(200)
    assert abs(live.values[-1] - live.values[0]) < 1000


def test_watches_leave_no_descriptor_behind() -> None:
    watched(lambda: None, marks=1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    watched(lambda: None, marks=1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_rows_are_left_out_where_they_would_cost_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[Watch.__module__], "FIXED_ALLOWANCE_NS", 0)
    with memcurve.watch(share=0.0) as watch:
        for _ in range(4000):
            watch.mark()
    assert watch.curve().calls == (*range(6), *range(15, 4000, 10), 4000)


def test_a_fork_cannot_mark_the_watch_of_its_parent() -> None:
    with memcurve.watch() as watch:
        child = os.fork()
        if child == 0:
            try:
                watch.mark()
            except MeasureError as error:
                os._exit(REFUSED if "begin a watch in each process" in str(error) else 1)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == REFUSED


def test_a_watch_must_be_entered() -> None:
    with pytest.raises(MeasureError, match="was not entered"):
        memcurve.watch().mark()


def test_a_report_tells_verdict_resources_headroom_and_cost() -> None:
    kept: list[bytes] = []
    report = watched(lambda: kept.append(bytes(1000))).report(collect=True)
    first, *rest = report.splitlines()
    assert first.startswith("growing: live bytes grow by 1.0")
    assert any("descriptors" in line and "resident" in line for line in rest)
    assert any("left (" in line and "calls at the present slope" in line for line in rest)
    assert rest[-1].strip().startswith("600 marks, ")


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Path]:
    """Build the files of /proc and /sys that tell limits."""

    def build(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return build


GROUP = "sys__fs__cgroup__"
MEMINFO = "MemTotal: 100 kB\nMemAvailable:   4096 kB\n"


def test_the_limit_of_a_group_counts_less_idle_file_pages(machine: Callable[..., Path]) -> None:
    root = machine(
        **{
            "proc__self__cgroup": "0::/job\n",
            f"{GROUP}job__memory_dot_max": "2000000\n",
            f"{GROUP}job__memory_dot_current": "1500000\n",
            f"{GROUP}job__memory_dot_stat": "anon 1\ninactive_file 500000\n",
            "proc__meminfo": MEMINFO,
        }
    )
    found = read_headroom(root)
    assert found is not None
    assert (found.source, found.limit_bytes) == ("cgroup v2 memory.max", 2_000_000)
    assert found.left_bytes == 1_000_000


def test_the_tightest_limit_of_all_parents_counts(machine: Callable[..., Path]) -> None:
    root = machine(
        **{
            "proc__self__cgroup": "0::/a/b\n",
            f"{GROUP}a__b__memory_dot_max": "max\n",
            f"{GROUP}a__b__memory_dot_current": "100\n",
            f"{GROUP}a__memory_dot_max": "1000\n",
            f"{GROUP}a__memory_dot_current": "400\n",
        }
    )
    found = read_headroom(root)
    assert found is not None
    assert found.left_bytes == 600


def test_limits_of_version_1_are_read(machine: Callable[..., Path]) -> None:
    root = machine(
        **{
            "proc__self__cgroup": "4:cpu,cpuacct:/x\n3:memory:/x\n",
            f"{GROUP}memory__x__memory_dot_limit_in_bytes": "5000\n",
            f"{GROUP}memory__x__memory_dot_usage_in_bytes": "1000\n",
            f"{GROUP}memory__memory_dot_limit_in_bytes": "9223372036854771712\n",
            f"{GROUP}memory__memory_dot_usage_in_bytes": "1000\n",
        }
    )
    found = read_headroom(root)
    assert found is not None
    assert (found.source, found.left_bytes) == ("cgroup v1 memory.limit_in_bytes", 4000)


def test_without_a_group_the_machine_limits(machine: Callable[..., Path]) -> None:
    found = read_headroom(machine(proc__meminfo=MEMINFO))
    assert found is not None
    assert (found.source, found.limit_bytes, found.left_bytes) == ("MemAvailable", None, 4 << 20)


def test_nothing_is_said_where_nothing_can_be_read(tmp_path: Path) -> None:
    assert read_headroom(tmp_path) is None
