"""The suite's labels, its truth, and the code that judges a run by them."""

from __future__ import annotations

import ast
import json
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.proof.accuracy import few_calls
from bench.proof.accuracy.blocks import block, malloc_block
from bench.proof.accuracy.counting import ROOT, Mark, TruthError, parse_marks
from bench.proof.accuracy.document import replaced
from bench.proof.accuracy.judging import Judgement, Outcome, judge
from bench.proof.accuracy.patterns import PATTERNS
from bench.proof.accuracy.registry import WORKLOADS
from bench.proof.accuracy.run import confusion
from bench.proof.accuracy.truth import EARLIEST, STILL_BYTES_PER_CALL, load_truth, summarise
from bench.proof.accuracy.workload import CLEAN_KINDS, FOLDER, LEAK_KINDS, Workload

if TYPE_CHECKING:
    from pathlib import Path

TRUTH = load_truth()
BY_NAME = {workload.name: workload for workload in WORKLOADS}


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_half_of_at_least_150_workloads_leak() -> None:
    leaks = sum(workload.leaks for workload in WORKLOADS)
    assert len(WORKLOADS) >= 150
    assert leaks * 2 == len(WORKLOADS)


def test_names_are_unique() -> None:
    assert [name for name, times in Counter(w.name for w in WORKLOADS).items() if times > 1] == []


def test_every_kind_is_present_and_no_other() -> None:
    assert {w.kind for w in WORKLOADS if not w.leaks} == set(CLEAN_KINDS)
    assert {w.kind for w in WORKLOADS if w.leaks} == set(LEAK_KINDS)


def test_the_sixteen_scenarios_of_the_other_tools_are_among_them() -> None:
    assert Counter(w.leaks for w in WORKLOADS if w.peers) == {True: 8, False: 8}


def test_targets_and_setups_exist_and_every_public_function_is_labelled() -> None:
    named = {target for w in WORKLOADS for target in (w.target, w.setup) if target}
    named |= {target for one in PATTERNS for target in (one.target, one.fixed)}
    existing = {
        f"{FOLDER / path.name}:{name}"
        for path in (ROOT / FOLDER).glob("*.py")
        for name in functions(path)
        if not name.startswith("_")
    }
    assert named == existing


def test_workloads_import_nothing_of_this_repository() -> None:
    for path in (ROOT / FOLDER).glob("*.py"):
        assert "bench" not in path.read_text().split("\n\n", 2)[1]


def test_every_workload_has_its_truth() -> None:
    assert TRUTH.keys() == BY_NAME.keys()


@pytest.mark.parametrize("name", [w.name for w in WORKLOADS if w.bytes_per_call is not None])
def test_truth_agrees_with_arithmetic_where_the_code_tells_it(name: str) -> None:
    assert TRUTH[name]["bytes_per_call"] == pytest.approx(BY_NAME[name].bytes_per_call, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "requested"),
    [("slots_object", 48), ("floats", 24), ("bytes_43", 33 + 43), ("bytes_1k", 33 + 1024)],
)
def test_truth_agrees_with_the_object_and_its_place_in_a_list(name: str, requested: int) -> None:
    """A list keeps 8 bytes an item and an eighth to spare, so 8 to 9 on the average, in steps."""
    item = block(requested, in_object_domain=True)
    assert item + 7.5 <= TRUTH[name]["bytes_per_call"] <= item + 9.5


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if w.quantified], ids=lambda w: w.name)
def test_what_leaks_memory_grows_in_every_window(workload: Workload) -> None:
    truth = TRUTH[workload.name]
    assert STILL_BYTES_PER_CALL < truth["low"] <= truth["bytes_per_call"] <= truth["high"]


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if not w.leaks], ids=lambda w: w.name)
def test_what_is_clean_has_a_window_in_which_it_is_still(workload: Workload) -> None:
    truth = TRUTH[workload.name]
    assert truth["low"] < STILL_BYTES_PER_CALL
    assert truth["fds_per_call"] == truth["threads_per_call"] == 0


def test_what_leaks_a_resource_grows_in_that_resource() -> None:
    for workload in WORKLOADS:
        if workload.counter != "retained":
            rate = TRUTH[workload.name][f"{workload.counter}_per_call"]
            assert rate >= 0.9 / workload.period, workload.name


@pytest.mark.parametrize(
    ("requested", "in_object_domain", "expected"),
    [
        (0, True, 16),
        (16, True, 16),
        (17, True, 32),
        (512, True, 512),
        (513, True, 528),
        (1, False, 32),
        (24, False, 32),
        (25, False, 48),
        (64, False, 80),
        (200_000, False, 200_704),
    ],
)
def test_blocks_are_those_of_the_allocator(
    requested: int, in_object_domain: bool, expected: int
) -> None:
    assert block(requested, in_object_domain=in_object_domain) == expected


def test_blocks_agree_with_glibc_itself() -> None:
    import ctypes

    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        pytest.skip("only glibc has these chunks")
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.malloc_usable_size.argtypes = libc.free.argtypes = [ctypes.c_void_p]
    for requested in (*range(1, 200), 1000, 4096, 10_000):
        pointer = libc.malloc(requested)
        usable = libc.malloc_usable_size(pointer)
        libc.free(pointer)
        assert usable + 8 >= malloc_block(requested) - 16
        assert abs(usable + 8 - malloc_block(requested)) <= 16, requested


def test_marks_add_blocks_and_not_requests() -> None:
    written = "mark 500\n1 43 2\n0 64 1\nend 0\nmapped 4096\nresources 3 1 0\noutside 9 70 2 1\n"
    mark = Mark(
        calls=500,
        objects_bytes=96,
        native_bytes=80,
        mapped_bytes=4096,
        fds=3,
        threads=1,
        tasks=0,
        anonymous_bytes=9,
        children_bytes=70,
        processes=2,
        zombies=1,
    )
    assert parse_marks(written) == [mark]
    assert mark.bytes == 96 + 80 + 4096 + 70


def test_a_counter_that_could_not_count_all_is_no_truth() -> None:
    with pytest.raises(TruthError, match="16 MiB"):
        parse_marks("mark 500\nend 1\n")
    with pytest.raises(TruthError, match="more mappings"):
        parse_marks("mark 500\nend 0\nmapped -1\n")


def test_the_range_of_a_staircase_covers_all_its_windows() -> None:
    marks = [
        Mark(calls=calls, objects_bytes=4000 * (calls // 300), native_bytes=0, **NOTHING)
        for calls in range(EARLIEST, 2001, 100)
    ]
    summary = summarise(marks)
    assert summary["low"] < summary["bytes_per_call"] < summary["high"]


NOTHING = {"fds": 0, "threads": 0, "tasks": 0}


def outcome(verdict: str, exit_code: int, *, calls: int = 200, **retained: float) -> Outcome:
    """Make up what `memcurve check --json` prints."""
    figures = {"bytes_per_call": 0.0, "low": -1.0, "high": 1.0, **retained}
    resources = {"fds_per_call": 1.0, "threads_per_call": 0.0, "tasks_per_call": 0.0}
    document = {
        "verdict": verdict,
        "calls": calls,
        "retained": figures,
        "resources": resources,
        "lost_references": None,
    }
    return Outcome(exit_code=exit_code, document=document, elapsed_s=0.1)


def with_lost(*names: str) -> Outcome:
    told = [{"name": name, "per_call": 1.0} for name in names]
    what = outcome("flat", 0)
    assert what.document is not None
    return replace(what, document={**what.document, "lost_references": told})


def judged(name: str, what: Outcome) -> Judgement:
    return judge(BY_NAME[name], TRUTH[name], what)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("pure_work", outcome("flat", 0)),
        ("lru_cache_128", outcome("plateaued", 0, calls=900)),
        ("slots_chain", outcome("growing", 1, bytes_per_call=48.0, low=47.9, high=48.1)),
        ("slots_chain", outcome("growing", 1, bytes_per_call=48.7, low=47.0, high=50.0)),
        ("descriptors_never_closed", outcome("flat", 1)),
        ("accelerating", outcome("growing", 1, bytes_per_call=1.0, low=0.5, high=2.0)),
        ("reference_lost_at_each_call", with_lost("steps._settings (steps._Settings)")),
        ("pure_work", with_lost()),
    ],
)
def test_the_truth_has_no_fault(name: str, what: Outcome) -> None:
    judgement = judged(name, what)
    assert judgement.faults == ()
    assert judgement.right


@pytest.mark.parametrize(
    ("name", "what", "fault"),
    [
        ("pure_work", outcome("growing", 1), "exit 1"),
        ("pure_work", outcome("inconclusive", 3), "inconclusive"),
        ("slots_chain", outcome("flat", 0), "called flat"),
        ("slots_chain", outcome("inconclusive", 3), "called inconclusive"),
        ("slots_chain", outcome("plateaued", 1), "called plateaued"),
        ("descriptors_never_closed", outcome("flat", 0), "exit 0"),
    ],
)
def test_a_wrong_verdict_is_wrong(name: str, what: Outcome, fault: str) -> None:
    judgement = judged(name, what)
    assert not judgement.right
    assert fault in "; ".join(judgement.faults)


@pytest.mark.parametrize(
    ("name", "what", "fault"),
    [
        (
            "slots_chain",
            outcome("growing", 1, bytes_per_call=50.0, low=47.0, high=51.0),
            "50.0 B a call, truly 48.0",
        ),
        (
            "slots_chain",
            outcome("growing", 1, bytes_per_call=48.5, low=48.4, high=48.6),
            "truth outside [48.4, 48.6]",
        ),
        ("descriptor_every_10th", outcome("flat", 1), "1.0 fds a call, truly 0.1"),
        ("pure_work", with_lost("made.up"), "lost references of ['made.up'], truly of []"),
        ("reference_lost_at_each_call", with_lost(), "lost references of [], truly of ["),
        ("reference_lost_at_each_call", outcome("flat", 0), "references were not counted"),
        ("pure_work", outcome("flat", 0, calls=1501), "1501 calls, 1500 allowed"),
        ("lru_cache_1500", outcome("flat", 0, calls=10_001), "10001 calls, 10000 allowed"),
    ],
)
def test_a_right_verdict_may_still_be_at_fault(name: str, what: Outcome, fault: str) -> None:
    judgement = judged(name, what)
    assert judgement.right
    assert fault in "; ".join(judgement.faults)


def test_a_check_without_a_result_is_wrong_and_says_why() -> None:
    what = Outcome(exit_code=2, document=None, elapsed_s=1.0, errors="trace\nno such file\n")
    judgement = judged("pure_work", what)
    assert not judgement.right
    assert judgement.faults == ("no result, exit 2: no such file",)


def test_the_confusion_table_counts_every_run_once() -> None:
    judgements = [
        judged("pure_work", outcome("flat", 0)),
        judged("pure_work", outcome("growing", 1)),
        judged("slots_chain", outcome("inconclusive", 3)),
        judged("slots_chain", Outcome(exit_code=2, document=None, elapsed_s=0.0)),
    ]
    assert confusion(judgements) == [
        ["clean", "1", "1", "0", "0"],
        ["leak", "0", "0", "1", "1"],
    ]


def of_few(name: str, verdict: str, asked: int, **changes: object) -> few_calls.Told:
    document = {
        "verdict": verdict,
        "calls": asked,
        "floor_bytes_per_call": 10.0,
        "horizon_calls": asked // 2,
        "resources": {"fds_floor": 0.05},
    }
    exit_code = {"flat": 0, "plateaued": 0, "growing": 1}.get(verdict, 3)
    said = Outcome(exit_code=exit_code, document=document | changes, elapsed_s=0.1)
    return few_calls.told(BY_NAME[name], TRUTH[name], asked, said)


@pytest.mark.parametrize(
    ("name", "verdict", "changes"),
    [
        ("every_10th", "rising", {}),
        ("every_10th", "inconclusive", {}),
        ("every_10th", "flat", {"horizon_calls": 9}),
        ("every_10th", "flat", {"floor_bytes_per_call": 200.0}),
        ("one_in_20", "flat", {}),
        ("descriptor_every_10th", "flat", {"resources": {"fds_floor": 0.11}}),
        ("sqlite_statements", "rising", {}),
        ("sqlite_statements", "plateaued", {}),
    ],
)
def test_what_few_calls_may_say(name: str, verdict: str, changes: dict[str, object]) -> None:
    told = of_few(name, verdict, 30, **changes)
    assert (told.word, told.fault) == (verdict, "")


@pytest.mark.parametrize(
    ("name", "verdict", "changes", "fault"),
    [
        ("every_10th", "flat", {}, "leaks, and is called flat with a floor of 10.0"),
        ("every_10th", "plateaued", {}, "leaks, and is called plateaued"),
        ("descriptor_every_10th", "flat", {}, "leaks, and is called flat with a floor of 0.05"),
        ("sqlite_statements", "growing", {}, "clean, and called growing"),
        ("sqlite_statements", "flat", {"calls": 31}, "31 calls were run, 30 were asked for"),
    ],
)
def test_what_few_calls_may_not_say(
    name: str, verdict: str, changes: dict[str, object], fault: str
) -> None:
    assert of_few(name, verdict, 30, **changes).fault.startswith(fault)


def test_a_wrong_word_of_few_calls_is_counted_as_wrong_alone() -> None:
    every = [
        of_few("every_10th", "rising", 20),
        of_few("every_10th", "flat", 20),
        of_few("sqlite_statements", "rising", 20),
        of_few("sqlite_statements", "rising", 50),
    ]
    assert few_calls.rows(every) == [
        ["20", "leak", "0", "1", "0", "0", "0", "1"],
        ["20", "clean", "0", "1", "0", "0", "0", "0"],
        ["50", "leak", "0", "0", "0", "0", "0", "0"],
        ["50", "clean", "0", "1", "0", "0", "0", "0"],
    ]
    assert few_calls.rising_and_clean(every) == {
        20: ["sqlite_statements"],
        50: ["sqlite_statements"],
    }


def test_only_the_generated_section_of_the_page_changes() -> None:
    page = "before\n<!-- suite -->\nold\n<!-- /suite -->\nafter\n"
    assert replaced(page, "suite", "new") == page.replace("old", "new")
    with pytest.raises(ValueError, match="no section 'peers'"):
        replaced(page, "peers", "new")


def test_the_committed_truth_names_its_interpreter() -> None:
    document = json.loads((ROOT / "bench/proof/accuracy/truth.json").read_text())
    assert document["schema_version"] == 1
    assert {"python", "libc", "machine", "window"} <= document.keys()
