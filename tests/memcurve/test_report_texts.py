"""The texts of a run as a person accepted them, and the promises they keep at any size."""

import io
import json

import msgspec
import pytest

from memcurve.model.outcome import Run
from memcurve.report.arrange import view_of
from memcurve.report.json.summary import summary_json, summary_of
from memcurve.report.markdown import MOST_LINES, escape, markdown
from memcurve.report.sparklines import spark_bars
from memcurve.report.table import MOST_COLUMNS, print_table
from tests.memcurve.accepted_text import assert_golden
from tests.memcurve.making import (
    curve,
    growing,
    judgement,
    natural,
    outcome,
    recording,
    run,
    settled,
)
from tests.memcurve.sample_run import crossed_run, naive, pooled, published, sample_run

RUNS = {"sample": sample_run, "crossed": crossed_run}


def table(of: Run) -> str:
    file = io.StringIO()
    print_table(view_of(of), file)
    return file.getvalue()


@pytest.mark.parametrize("name", RUNS)
def test_the_table_reads_as_accepted(name: str) -> None:
    assert_golden(table(RUNS[name]()), f"table-{name}.txt")


@pytest.mark.parametrize("name", RUNS)
def test_the_markdown_reads_as_accepted(name: str) -> None:
    assert_golden(markdown(view_of(RUNS[name]())), f"summary-{name}.md")


def test_the_summary_reads_as_accepted() -> None:
    assert_golden(summary_json(view_of(crossed_run())).decode(), "summary-crossed.json")


def many(count: int) -> Run:
    makers = (naive, published, pooled)
    return run(*(make(f"scenario_{i}") for i in range(count) for make in makers))


def test_the_table_never_passes_100_columns() -> None:
    wide = outcome(
        recording(
            settled(connections_opened=curve(calls=300).grows(per_call=99_999)),
            natural(rss_peak_bytes=curve().grows(per_call=1e9)),
            scenario="a_scenario_with_quite_a_long_name",
            design="a_design_with_a_long_name",
        ),
        judged=judgement(fds=growing(123_456.0, "fds")),
    )
    lines = table(run(wide, *sample_run().outcomes)).splitlines()
    assert max(map(len, lines)) <= MOST_COLUMNS


def test_the_command_that_accepts_a_curve_is_never_broken_over_lines() -> None:
    assert any(line.endswith("--reason '…'") for line in table(crossed_run()).splitlines())


def test_no_colour_reaches_what_is_not_a_terminal() -> None:
    assert "\x1b" not in table(sample_run())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colour_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = Terminal(), Terminal()
    print_table(view_of(crossed_run()), coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(view_of(crossed_run()), plain)
    assert "\x1b[31m" in coloured.getvalue()
    assert "\x1b[31m" not in plain.getvalue()


@pytest.mark.parametrize("count", [1, 3, 20])
def test_the_markdown_stays_below_60_lines_and_counts_what_it_leaves_out(count: int) -> None:
    lines = markdown(view_of(many(count))).splitlines()
    assert len(lines) < 60
    assert len(lines) <= MOST_LINES + 1
    assert any("more" in line and "index.html" in line for line in lines) == (count == 20)


def test_the_markdown_begins_with_the_worst_scenario() -> None:
    text = markdown(view_of(sample_run()))
    assert text.index("executions / naive") < text.index("rag\\_client / naive")


def test_no_difference_is_printed_as_a_tilde() -> None:
    row = next(line for line in markdown(view_of(sample_run())).splitlines() if "pooled" in line)
    assert markdown(view_of(many(1))).count("< 1 B ~") == 2
    assert "< 1 B ~" not in row  # there the other design grows: that is a difference


def test_names_cannot_break_a_markdown_table() -> None:
    assert escape("a|b_c<d>") == "a\\|b\\_c&lt;d&gt;"


def test_a_sparkline_rises_where_the_curve_does() -> None:
    panel = view_of(sample_run()).scenarios[0].panel("retained")
    assert spark_bars(panel, "pooled") == "▁" * 12
    rising = spark_bars(panel, "naive")
    assert list(rising) == sorted(rising)
    assert (rising[0], rising[-1]) == ("▁", "█")


def test_every_design_of_the_summary_has_every_key() -> None:
    found = msgspec.to_builtins(summary_of(view_of(crossed_run())))
    designs = [design for scenario in found["scenarios"] for design in scenario["designs"]]
    assert len({tuple(design) for design in designs}) == 1
    assert len({tuple(design["figures"]) for design in designs}) == 1


def test_the_summary_is_valid_json_even_where_nothing_was_proved() -> None:
    few = outcome(recording(settled(curve(calls=3).flat())))
    text = summary_json(view_of(run(few)))
    verdict = json.loads(text)["scenarios"][0]["designs"][0]["verdicts"]["retained"]
    assert (verdict["verdict"], verdict["high"]) == ("inconclusive", None)
