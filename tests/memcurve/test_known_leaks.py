"""A known leak is reported and does not fail, until it expires: in check, run and pytest alike."""

import datetime
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from memcurve.explain.known import acknowledge, known_in, parse_known
from memcurve.model.findings import Culprit
from memcurve.model.outcome import Comparison, Crossing, Outcome
from memcurve.model.recording import Recording
from tests.memcurve.command_line import run_command

TODAY = datetime.date(2026, 11, 22)
ENTRY = """
[[leak]]
fingerprint = "{mark}"
reason = "the vendor never closes it"
link = "https://example.org/12"
expires = {expires}
"""
LEAKY = """
KEPT = []
def keeps(): KEPT.append({"load": bytes(1000)})
"""
SCENARIO = """
from memcurve import scenario
small = scenario("small", {"pooled": "leaky.py:keeps"}, calls=60)
"""
TEST = """
import msgspec
import pytest
KEPT = []
@pytest.mark.memcurve
def test_keeps(): KEPT.append({"load": bytes(1000)})
"""


@pytest.fixture
def place(project: Callable[..., Path]) -> Path:
    folder = project(SCENARIO, leaky=LEAKY)
    (folder / "test_keeps.py").write_text(TEST)
    return folder


def write(place: Path, mark: str, days: int) -> None:
    """Acknowledge a culprit until so many days from today."""
    expires = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=days)
    (place / "known-leaks.toml").write_text(ENTRY.format(mark=mark, expires=expires))


def invoke(*arguments: str) -> tuple[int, str]:
    result = run_command(*arguments)
    return result.exit_code, result.stdout


def mark_in(text: str) -> str:
    found = re.search(r'(?:mark +|"fingerprint": ?")([0-9a-f]{12})', text)
    assert found is not None, text
    return found.group(1)


def test_check_fails_then_is_acknowledged_then_fails_again(place: Path) -> None:
    code, text = invoke("check", "leaky.py:keeps")
    assert code == 1
    write(place, mark_in(text), days=7)
    code, text = invoke("check", "leaky.py:keeps")
    assert code == 0
    assert "the vendor never closes it (https://example.org/12)" in text
    assert text.startswith("growing")
    write(place, mark_in(text), days=-7)
    code, text = invoke("check", "leaky.py:keeps")
    assert code == 1
    assert "expired on" in text


def test_run_is_not_failed_by_a_known_leak_and_reports_it(place: Path) -> None:
    arguments = ("run", "--quiet", "--json", "--jobs", "1")
    code, text = invoke(*arguments)
    assert code == 1
    write(place, mark_in(text), days=7)
    code, text = invoke(*arguments)
    assert code == 0
    assert '"growing"' in text
    assert "the vendor never closes it" in (place / "reports" / "index.html").read_text()
    write(place, mark_in(text), days=-7)
    assert invoke("report", "--json")[0] == 1


def test_a_test_is_not_failed_by_a_known_leak(place: Path) -> None:
    def run() -> tuple[int, str]:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "memcurve.plugin.pytest_plugin",
                "-q",
                "--memcurve",
            ],
            cwd=place,
            env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    code, text = run()
    assert code == 1, text
    write(place, mark_in(text), days=7)
    code, text = run()
    assert code == 0, text
    (leak,) = known_in(place)
    write(place, leak.fingerprint, days=-7)
    code, text = run()
    assert code == 1
    assert "expired on" in text


def crossing(kind: str, counter: str) -> Crossing:
    particulars = {
        "band": {"last_call": 60},
        "verdict": {"no_bound_up_to": 1500},
        "resources": {"no_bound_up_to": 1500},
        "lead": {"over_design": "naive", "theirs": 1.0, "most": 0.5},
    }
    crossed = {"scenario": "small", "design": "naive", "counter": counter, "call": 60}
    return msgspec.convert(
        {**crossed, "kind": kind, "value": 2.0, "limit": 1.0, **particulars[kind]}, Crossing
    )


def outcome(*crossings: Crossing, mark: str = "0123456789ab") -> Outcome:
    recording = Recording(
        scenario="small",
        design="naive",
        target="leaky.py:keeps",
        calls=60,
        environment=None,
        passes=(),
    )
    culprit = Culprit(type="dict", per_call=1.0, bytes_per_call=1.0, share=1.0, fingerprint=mark)
    held = Comparison(scenario="small", design="naive", baseline=None, crossings=crossings)
    return Outcome(recording=recording, judgement=None, comparison=held, culprits=(culprit,))


KNOWN = parse_known(ENTRY.format(mark="0123456789ab", expires="2026-12-31"))
GROWTH = (
    crossing("verdict", "live_bytes"),
    crossing("resources", "fds"),
    crossing("band", "live_bytes"),
)
OTHERS = (
    crossing("band", "deferred_bytes"),
    crossing("band", "failures"),
    crossing("lead", "live_bytes"),
)


def test_an_acknowledged_growth_crosses_nothing_but_garbage_and_leads_still_do() -> None:
    found = acknowledge(outcome(*GROWTH, *OTHERS), KNOWN, TODAY).comparison
    assert found is not None
    assert found.crossings == OTHERS


def test_a_growth_that_nobody_knows_crosses_what_it_crossed() -> None:
    found = acknowledge(outcome(*GROWTH, mark="another"), KNOWN, TODAY).comparison
    assert found is not None
    assert found.crossings == GROWTH


def test_a_folder_without_the_file_knows_nothing(tmp_path: Path) -> None:
    assert known_in(tmp_path) == ()
