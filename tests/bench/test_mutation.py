"""The faults find their places, and what the gate says about them is held to the truth."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.proof.mutation import document
from bench.proof.mutation.fault import THE_CALL, Edit, Fault, Place
from bench.proof.mutation.faults import FAULTS
from bench.proof.mutation.finding import Finding
from memcurve.compare.against_baseline import compare
from memcurve.compare.marks import GATED_COUNTERS
from memcurve.model.outcome import Outcome
from memcurve.model.recording import Failure
from memcurve.model.scenario import scenario
from memcurve.run.discovery import discover
from tests.memcurve.making import culprit, growing, judgement, pass_record, recording

if TYPE_CHECKING:
    from memcurve.model.verdict import Verdict

ROOT = Path(__file__).parents[2]
SCENARIOS = {one.name: one for one in discover([ROOT / "bench" / "scenarios"])}
FAULT = Fault(
    name="sessions kept",
    edits=(Edit("pool.py", "a", "b"),),
    seen_in="rag_client/pooled",
    counters=("live_bytes",),
    culprit="_KEPT",
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_every_fault_still_finds_its_place_in_ragpool(fault: Fault, tmp_path: Path) -> None:
    copy = tmp_path / "ragpool"
    shutil.copytree(ROOT / "src" / "ragpool", copy)
    fault.apply(copy)
    for edit in fault.edits:
        compile((copy / edit.file).read_text(), edit.file, "exec")
    name, _, design = fault.seen_in.partition("/")
    assert design in set(SCENARIOS[name].designs) - set(SCENARIOS[name].may_grow)
    assert set(fault.counters) <= {*GATED_COUNTERS, THE_CALL}
    assert fault.culprit


def test_faults_have_names_of_their_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_place_that_is_gone_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "pool.py").write_text("x = 1\n")
    with pytest.raises(LookupError, match=r"pool.py has no 'y = 1'; write the fault again"):
        Edit("pool.py", "y = 1", "y = 2").apply(tmp_path)


def test_lines_are_added_behind_and_before_a_place_and_indented_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "pool.py"
    file.write_text("def f():\n    x = 1\n")
    place = Place("pool.py", "    x = 1")
    place.then("if x:\n    y = 2").apply(tmp_path)
    place.first("z = 0").apply(tmp_path)
    assert file.read_text() == ("def f():\n    z = 0\n    x = 1\n    if x:\n        y = 2\n")


def said(verdict: Verdict | None = None, *, holder: str = "_KEPT", failed: str = "") -> Finding:
    """Return the finding of a run whose design got that verdict, or could not be measured."""
    failure = Failure(stage="call", kind="raised", message=failed) if failed else None
    passes = (pass_record("settled", failure=failure),) if failure else ()
    outcome = Outcome(
        recording=recording(*passes, design="pooled"),
        judgement=None if failure else judgement(verdict),
        culprits=(culprit("list", path=(holder,)),) if verdict else (),
    )
    declared = scenario("rag_client", {"pooled": "m:f"})
    return Finding.of(FAULT, compare(declared, [outcome], None), 1.0)


def test_a_fault_is_named_by_its_counter_and_its_culprit() -> None:
    finding = said(growing(200.0))
    assert finding.problem == ""
    assert finding.counters == ("live_bytes",)
    assert "_KEPT" in finding.culprit


def test_a_green_gate_is_a_miss() -> None:
    assert said().problem == "the gate stayed green"


def test_another_counter_is_a_miss() -> None:
    assert said(growing(1.0, "fds")).problem == "named fds instead of live_bytes"


def test_another_culprit_is_a_miss_that_tells_who_was_named() -> None:
    problem = said(growing(200.0), holder="_OTHER").problem
    assert problem.startswith("the culprit is not '_KEPT' but list _OTHER")


def test_a_call_that_raises_is_its_own_counter_with_the_error_as_culprit() -> None:
    finding = said(failed="ValueError: _KEPT is gone")
    assert finding.counters == (THE_CALL,)
    assert finding.problem == "named the call instead of live_bytes"
    assert finding.culprit == "ValueError: _KEPT is gone"


def test_the_table_keeps_the_rows_of_faults_that_were_not_run(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- faults -->\n<!-- /faults -->\n")
    first, second = (
        Finding.of(fault, [Outcome(recording=recording(), judgement=None)], 60.0)
        for fault in (_seen_in_naive(FAULTS[0]), _seen_in_naive(FAULTS[1]))
    )
    document.write([second], page)
    document.write([first], page)
    assert list(document.rows_of(page.read_text())) == [FAULTS[0].name, FAULTS[1].name]
    assert "0 of 2 named, 2 missed" in page.read_text()


def _seen_in_naive(fault: Fault) -> Fault:
    return Fault(
        name=fault.name,
        edits=fault.edits,
        seen_in="rag_client/naive",
        counters=fault.counters,
        culprit=fault.culprit,
    )


def test_the_page_shows_every_fault_and_none_was_missed() -> None:
    rows = document.rows_of(document.PAGE.read_text())
    assert list(rows) == [fault.name for fault in FAULTS]
    for fault in FAULTS:
        name, file, design, counters, culprit, *_ = rows[fault.name]
        assert (file, design) == (f"`{fault.file}`", fault.seen_in), name
        assert not counters.startswith(document.MISSED), name
        assert culprit == f"`{fault.culprit}`", name
