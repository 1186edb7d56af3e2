"""The command line says what goes wrong in one line, tells the shell its names, and prints JSON."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from memcurve.cli.app import main
from memcurve.cli.progress import Pace, one_line, shown
from memcurve.report.json.comparison import ComparisonShape
from memcurve.run.lanes import Event
from tests.memcurve.command_line import run_command

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

JOBS = """
def flat(): bytes(1000)
def waits(): cycle = [bytes(50_000)]; cycle.append(cycle)
def reads(state): return state["key"]
def state(): return {"key": 1}
"""
SCENARIO = """
from memcurve import scenario
small = scenario("small", {"naive": "jobs.py:flat", "pooled": "jobs.py:flat"}, calls=20)
"""


@pytest.fixture
def place(project: Callable[..., Path]) -> Path:
    return project(SCENARIO, jobs=JOBS)


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = run_command(*arguments)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "no such command 'chekc'. Did you mean 'check'?; see memcurve --help"),
        (["check"], "missing argument 'TARGET'; see memcurve check --help"),
        (["accept"], "missing option '--reason'; see memcurve accept --help"),
        (["run", "--jobs", "0"], "invalid value for '--jobs': 0 is not in the range x>=1; see"),
        (["run", "nothing.py"], "no such file or folder: 'nothing.py'; name a scenario file"),
        (["check", "jobs.py:gone"], "no attribute 'gone' in jobs.py; it has flat, reads, state"),
        (["report"], "no recordings in reports/recordings; run memcurve run first"),
        (["doctor", "--python", "/no/python"], "cannot start python '/no/python'"),
    ],
)
def test_what_goes_wrong_is_one_line_with_the_next_step(
    place: Path, arguments: list[str], said: str
) -> None:
    code, printed, complaint = invoke(*arguments)
    assert (code, printed) == (2, "")
    assert complaint.startswith(f"memcurve: {said}")
    assert complaint.count("\n") == 1


def test_a_place_that_cannot_be_written_is_one_line(place: Path) -> None:
    (place / "taken").write_text("a file")
    code, _, complaint = invoke("run", "-q", "--quick", "--out", "taken/reports")
    assert code == 2
    assert complaint.startswith("memcurve: taken/reports")
    assert complaint.count("\n") == 1


def test_garbage_that_stands_is_exit_1_above_what_is_allowed_and_0_below(place: Path) -> None:
    code, printed, _ = invoke("check", "jobs.py:waits", "--max-garbage", "4 MiB", "--json")
    assert code == 1
    document = json.loads(printed)
    assert (document["verdict"], document["debt"]["verdict"]) == ("flat", "heavy")
    assert document["debt"]["stood"]["bytes"] > document["debt"]["limit"] == 4 << 20
    assert {one["act"]["kind"] for one in document["debt"]["reliefs"]} >= {"collect", "freeze"}
    code, printed, _ = invoke("check", "jobs.py:waits", "--json")
    assert (code, json.loads(printed)["debt"]["verdict"]) == (0, "calm")


def test_an_interrupted_run_is_not_taken_for_one_that_found_a_leak() -> None:
    @main.command(hidden=True)
    def interrupts() -> None:
        raise KeyboardInterrupt

    try:
        assert invoke("interrupts") == (130, "", "memcurve: interrupted\n")
    finally:
        del main.commands["interrupts"]


def test_without_a_command_the_help_is_shown() -> None:
    code, printed, complaint = invoke()
    assert code == 2
    assert "Examples:" in printed + complaint


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_help_of_every_command_has_examples_that_exist(name: str) -> None:
    command = main.commands[name]
    text = command.help or ""
    assert f"  memcurve {name}" in text.partition("Examples:")[2]
    known = {option for one in command.params for option in one.opts} | {"\b"}
    used = [word for word in text.split() if word.startswith("-") and len(word) > 1]
    assert [word for word in used if word not in known] == []


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_can_print_json(name: str) -> None:
    assert "--json" in {option for one in main.commands[name].params for option in one.opts}


def test_a_target_that_reads_the_call_number_as_its_set_up_is_told_so(place: Path) -> None:
    code, _, complaint = invoke("check", "jobs.py:reads", "--setup", "jobs.py:state")
    assert code == 2
    assert "note: a target with one argument gets the number of the call" in complaint
    _, _, quiet = invoke("check", "jobs.py:reads", "--setup", "jobs.py:state", "-q")
    assert quiet.count("\n") == 1


def test_a_run_draws_svg_on_request_and_reports_are_written_again(place: Path) -> None:
    assert invoke("run", "-q", "--quick", "-k", "small/naive", "--svg")[0] == 0
    picture = place / "reports" / "small.svg"
    assert picture.read_text().startswith("<?xml")
    picture.unlink()
    code, printed, _ = invoke("report", "--json", "--svg", "--junit", "junit.xml")
    assert code == 0
    summary = json.loads(printed)
    assert summary["scenarios"][0]["designs"][0]["verdict"] == "flat"
    assert picture.exists()
    assert (place / "junit.xml").exists()

    code, printed, complaint = invoke("compare", "--json")
    assert code == 2
    assert "nothing to compare with" in complaint
    compared = msgspec.json.decode(printed, type=ComparisonShape)
    assert (compared.passed, compared.designs[0].has_baseline) == (False, False)


def test_what_is_explained_has_a_flame_graph_that_the_page_links(place: Path) -> None:
    (place / "jobs.py").write_text(JOBS + "kept = []\ndef leaks(): kept.append(bytes(1000))\n")
    scenario = place / "leaky.py"
    scenario.write_text(
        'from memcurve import scenario\none = scenario("one", {"it": "jobs.py:leaks"}, calls=20)\n'
    )
    assert invoke("run", "leaky.py", "-q")[0] == 1
    for _ in range(2):
        page = (place / "reports" / "index.html").read_text()
        assert 'href="flamegraphs/one-it.html"' in page
        assert "What grows, and who holds it" in page
        assert invoke("report", "leaky.py")[0] == 1  # from the recordings: the same again
    assert (place / "reports" / "flamegraphs" / "one-it.html").stat().st_size > 0


def completed(place: Path, words: str, number: int) -> list[str]:
    own = {
        **os.environ,
        "_MEMCURVE_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(number),
    }
    command = [
        sys.executable,
        "-c",
        "from memcurve.cli.app import main; main(prog_name='memcurve')",
    ]
    done = subprocess.run(command, cwd=place, env=own, capture_output=True, text=True, check=True)
    return [line.partition(",")[2] for line in done.stdout.split()]


def test_the_shell_completes_commands_options_and_names_of_designs(place: Path) -> None:
    assert completed(place, "memcurve ch", 1) == ["check"]
    assert completed(place, "memcurve run --sv", 2) == ["--svg"]
    assert completed(place, "memcurve explain small/", 2) == ["small/naive", "small/pooled"]
    assert completed(place / "bench", "memcurve explain sm", 2) == []


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [True, False])
def test_a_terminal_shows_scenario_design_pass_and_call(
    monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    event = Event(scenario="small", design="naive", kind="settled", call=70, done=1, total=2)
    with shown(quiet=False) as progress:
        assert progress is not None
        progress(event)
    said = terminal.getvalue()
    assert "[1/2] small/naive settled: call 70, about" in said
    assert bool(re.search("\x1b\\[[0-9;]*3[0-9]m", said)) is not no_color


@pytest.mark.parametrize("show", [shown, one_line])
def test_quiet_shows_nothing(show: Callable[[bool], AbstractContextManager[object]]) -> None:
    with show(True) as progress:
        assert progress is None


def test_progress_of_one_target_tells_from_the_second_call_on_how_long_it_takes() -> None:
    now = [0.0]
    pace = Pace(lambda call_s: 20 * call_s, clock=lambda: now[0])
    said = []
    for call, seconds in ((1, 1.0), (2, 3.0), (3, 4.0), (10, 11.0)):
        now[0] = seconds
        said.append(pace.line("settled", call))
    assert said == [
        "settled: call 1, 1.0 s",
        "settled: call 2, 3.0 s",  # the first imported and connected: nobody knows yet
        "settled: call 3, 4.0 s, about 16.0 s left if nothing rises",
        "settled: call 10, 11.0 s, about 9.0 s left if nothing rises",
    ]
    now[0] = 21.5
    assert pace.line("natural", 1234) == "natural: call 1,234, 21.5 s"


def test_off_a_terminal_a_line_is_printed_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with one_line(quiet=False) as progress:
        assert progress is not None
        for second in range(12):
            now[0] = float(second)
            progress("settled", second)
    assert capsys.readouterr().err.splitlines() == [
        "settled: call 5, 5.0 s",
        "settled: call 10, 10.0 s",
    ]
