"""The report of marked tests: their ids, by file; no designs, and no winner where there is one."""

import io
from pathlib import Path

import msgspec
import pytest

from memcurve.cli.stored import nodes_of, stored_outcomes
from memcurve.model.outcome import Comparison, Outcome, PassedLimit, Run
from memcurve.model.scenario import scenario
from memcurve.model.thresholds import Thresholds
from memcurve.report.arrange import view_of
from memcurve.report.ci import action_benchmark_json, junit_xml
from memcurve.report.html import render_html
from memcurve.report.markdown import markdown
from memcurve.report.table import print_table
from memcurve.run.gate import gated
from memcurve.run.scenarios import judged
from memcurve.store.findings import save_outcomes
from tests.memcurve.making import curve, recording, settled

TESTS = {
    "tests_test_a_test_clean_1-45850ec9": "tests/test_a.py::test_clean[1]",
    "tests_test_b_TestB_test_leak": "tests/test_b.py::TestB::test_leak",
    "tests_test_a_test_other": "tests/test_a.py::test_other",
}


def measured(name: str, per_call: float = 0.0) -> Outcome:
    made = settled(curve(calls=1500).grows(per_call=per_call) if per_call else curve(calls=1500))
    return judged(recording(made, scenario=name, design="test"), Thresholds())


def of_tests() -> Run:
    clean, leak, other = TESTS
    leaking = measured(leak, 2000)
    assert leaking.judgement is not None
    over = PassedLimit(
        scenario=leak,
        design="test",
        counter="live_bytes",
        call=1500,
        value=2000.0,
        limit=1.0,
        test=TESTS[leak],
        verdict=leaking.judgement.overall,
    )
    held = Comparison(scenario=leak, design="test", baseline=None, crossings=(over,))
    leaking = msgspec.structs.replace(leaking, comparison=held)
    return Run(outcomes=(measured(clean), leaking, measured(other)), tests=TESTS)


def table(run: Run) -> str:
    file = io.StringIO()
    print_table(view_of(run), file)
    return file.getvalue()


def test_tests_stand_together_by_their_file_the_worst_first() -> None:
    groups = view_of(of_tests()).groups
    assert [name for name, _ in groups] == ["tests/test_b.py", "tests/test_a.py"]
    assert [one.title for one in groups[1][1]] == [
        "tests/test_a.py::test_clean[1]",
        "tests/test_a.py::test_other",
    ]


@pytest.mark.parametrize("write", [table, lambda run: markdown(view_of(run)).replace("\\", "")])
def test_a_text_names_tests_by_their_ids_and_nobody_wins_or_loses(write: object) -> None:
    assert callable(write)
    text = write(of_tests())
    assert "45850ec9" not in text
    assert "wins" not in text
    for test in TESTS.values():
        file, _, name = test.partition("::")
        assert file in text
        assert name in text


def test_the_page_names_tests_and_has_neither_designs_nor_winners() -> None:
    page = render_html(view_of(of_tests()))
    seen = page.partition("<body>")[2].partition("<footer>")[0]
    for word in ("nobody wins", "leads every other design", ">design<", "All scenarios"):
        assert word not in seen
    assert '<th colspan="9" scope="rowgroup">tests/test_a.py</th>' in seen
    assert ">TestB::test_leak</a>" in seen
    assert "pytest --memcurve &#39;tests/test_a.py::test_clean[1]&#39;" in seen
    assert seen.count("no bound up to call") == 2  # above, and where the test has its curves


def test_a_run_of_clean_tests_counts_them() -> None:
    run = of_tests()
    run = msgspec.structs.replace(run, outcomes=(run.outcomes[0], run.outcomes[2]))
    assert view_of(run).headline == "2 tests: 2 flat"


def test_what_ci_reads_names_tests_too() -> None:
    assert b'classname="tests/test_b.py" name="TestB::test_leak"' in junit_xml(of_tests())
    assert b"tests/test_a.py::test_clean[1] retained" in action_benchmark_json(of_tests())


def test_a_report_written_again_keeps_the_limits_that_tests_were_held_to(tmp_path: Path) -> None:
    for outcome in of_tests().outcomes:
        save_outcomes(tmp_path, [outcome], TESTS[outcome.recording.scenario])
    _, outcomes = stored_outcomes(tmp_path)
    assert nodes_of(tmp_path, outcomes) == TESTS
    crossed = [one.crossings for one in outcomes if one.crossings]
    assert crossed == [of_tests().crossings]


def test_a_report_elsewhere_knows_what_may_grow(tmp_path: Path) -> None:
    """The folder of recordings is all there is: no scenario file, no baselines."""
    made = recording(
        settled(curve(calls=1500).grows(per_call=2000)), scenario="jobs", design="leaky"
    )
    for may_grow in ((), ("leaky",)):
        one = scenario("jobs", {"leaky": "jobs:leak"}, may_grow=may_grow, description="some jobs")
        save_outcomes(tmp_path, [judged(made, Thresholds())], scenarios=[one])
        (stored,), outcomes = stored_outcomes(tmp_path)
        assert stored.may_grow == may_grow
        assert stored.description == "some jobs"
        held = gated([stored], outcomes, tmp_path / "baselines", known=())
        assert bool(held[0].crossings) != bool(may_grow)
