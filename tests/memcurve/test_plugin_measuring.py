"""The pytest plugin where it measures: one session beside xdist, read from its JUnit file."""

import json
import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner

from memcurve.cli.app import main
from tests.memcurve.plugin_samples import SAMPLES

INI = """
[pytest]
memcurve_quick = true
memcurve_budget = 120
memcurve_explain = {explain}
{more}
"""


class Case:
    """One test of a session: how it ended, what it said, its properties."""

    def __init__(self, element: ET.Element) -> None:
        self.name = element.attrib["name"]
        ends = [child for child in element if child.tag in ("failure", "skipped", "error")]
        self.outcome = ends[0].tag if ends else "passed"
        self.message = (ends[0].text or "") if ends else ""
        found = element.iter("property")
        self.properties = {p.attrib["name"]: p.attrib["value"] for p in found}


class Session:
    """A finished run of pytest."""

    def __init__(self, folder: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.folder, self.output = folder, done.stdout + done.stderr
        self.cases: dict[str, Case] = {}
        junit = folder / "junit.xml"
        if junit.exists():
            for element in ET.parse(junit).iter("testcase"):
                case = Case(element)
                self.cases[case.name] = case


def run_pytest(folder: Path, *args: str, plugins: str = "", **environment: str) -> Session:
    """Run pytest in a folder with our plugin and the named ones; all share one bytecode cache."""
    loaded = ["memcurve.plugin.pytest_plugin", *plugins.split()]
    options = [part for name in loaded for part in ("-p", name)]
    cache = {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--junitxml=junit.xml", *options, *args],
        cwd=folder,
        env=os.environ | cache | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return Session(folder, done)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("samples")
    (folder / "test_samples.py").write_text(SAMPLES)
    (folder / "pytest.ini").write_text(
        INI.format(explain="false", more="asyncio_default_fixture_loop_scope = function")
    )
    plugins = "xdist pytest_asyncio.plugin anyio.pytest_plugin"
    return run_pytest(folder, "-n", "2", "--memcurve", plugins=plugins)


GROWING = "growing: live bytes grow by"
FAILING = {
    "test_leak": GROWING,
    "test_garbage": "deferred: 2.0",
    "test_garbage_that_stands": 'are allowed (garbage="4.00 MiB")',
    "test_descriptors": "growing: descriptors grow by 1 a call",
    "test_parameter[3000]": GROWING,
    "test_closure": GROWING,
    "test_method_leak": GROWING,
    "test_async_leak": GROWING,
    "test_async_tasks": GROWING,
    "test_anyio_leak[asyncio]": GROWING,
    "test_fails_once": "assert",
    "test_fails_when_called_again": "call 1 raised FileExistsError",
    "test_ends_the_process": "the process ended itself with status 3 in call",
}
PASSING = {
    "test_allowed_leak",
    "test_allowed_descriptors",
    "test_clean",
    "test_noise_that_pytest_records",
    "test_records_that_the_test_wants",
    "test_garbage_not_gated",
    "test_parameter[10]",
    "test_method_clean",
    "test_async_clean",
    "test_fixture_with_sockets",
    "test_unmarked",
    "test_fixture_check",
    "test_fixture_assert",
    "test_fixture_async",
}


@pytest.mark.parametrize("name", sorted(FAILING))
def test_what_grows_or_breaks_fails_and_says_so(session: Session, name: str) -> None:
    case = session.cases[name]
    assert case.outcome == "failure", session.output
    assert FAILING[name] in case.message


@pytest.mark.parametrize("name", sorted(PASSING))
def test_what_does_not_grow_passes(session: Session, name: str) -> None:
    assert session.cases[name].outcome == "passed", session.cases[name].message


def test_skips_and_known_failures_stay_what_they_are(session: Session) -> None:
    assert session.cases["test_skips"].outcome == "skipped"
    assert session.cases["test_known_leak"].outcome == "skipped"
    assert "13 failed, 14 passed, 1 skipped, 1 xfailed" in session.output


def test_the_message_names_limit_heaps_next_step_and_command(session: Session) -> None:
    message = session.cases["test_leak"].message
    assert '(retained="64 B" a call was allowed)' in message
    assert "heaps    Python" in message
    assert (
        'next     let go of what every call keeps; if that is meant, allow it: retained="1.3'
        in (message)
    )
    assert "repeat   pytest --memcurve 'test_samples.py::test_leak'" in message


def test_pytest_finds_the_plugin_by_itself() -> None:
    found = {point.name: point.value for point in entry_points(group="pytest11")}
    assert found["memcurve"] == "memcurve.plugin.pytest_plugin"


def test_properties_stand_in_junit(session: Session) -> None:
    found = session.cases["test_clean"].properties
    assert found["memcurve_outcome"] == "flat"
    assert float(found["memcurve_bytes_per_call"]) == pytest.approx(0, abs=1)
    assert int(found["memcurve_calls"]) >= 120
    assert not session.cases["test_unmarked"].properties


def test_what_is_tied_to_loop_or_connection_is_measured_in_this_process(session: Session) -> None:
    for name in ("test_async_leak", "test_anyio_leak[asyncio]"):
        assert "measured in the calling process" in session.cases[name].message
    assert "measured in a copy of the calling process" in session.cases["test_leak"].message


def test_the_summary_has_a_line_for_each_measured_test_worst_last(session: Session) -> None:
    summary = session.output.partition(" memory curves ")[2]
    assert "test_samples.py::test_clean" in summary
    assert "within its limit: live bytes grow by 1.0" in summary
    assert summary.index("::test_clean ") < summary.index("! test_samples.py::test_leak ")
    assert "::test_unmarked" not in summary.partition("short test summary")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    def make(text: str) -> Path:
        (tmp_path / "test_it.py").write_text(textwrap.dedent(text))
        (tmp_path / "pytest.ini").write_text(INI.format(explain="true", more=""))
        return tmp_path

    return make


def test_the_message_alone_tells_who_holds_what_grows(folder: Callable[[str], Path]) -> None:
    place = folder(
        """
        import pytest

        REGISTRY = {}

        class Session:
            def __init__(self):
                self.load = bytes(500)

        @pytest.mark.memcurve(retained="64 B")
        def test_it():
            REGISTRY[len(REGISTRY)] = Session()
        """
    )
    message = run_pytest(place, "--memcurve").cases["test_it"].message
    assert "Session" in message
    assert "held by  module global: test_it.REGISTRY" in message
    assert "test_it.py:12" in message


def test_the_message_names_the_cycle_of_too_much_garbage_and_its_line(
    folder: Callable[[str], Path],
) -> None:
    place = folder(
        """
        import pytest

        class Node:
            def __init__(self):
                self.me = self

        @pytest.mark.memcurve(deferred="16 B")
        def test_it():
            Node()

        @pytest.mark.memcurve(deferred="1 MiB")
        def test_allowed():
            Node()
        """
    )
    cases = run_pytest(place, "--memcurve").cases
    assert "cycle    1 a call, 1 object: test_it.Node.me → test_it.Node" in cases["test_it"].message
    assert "made at  test_it.py:10" in cases["test_it"].message
    assert cases["test_allowed"].outcome == "passed"


def test_an_accepted_curve_is_the_threshold_of_later_runs(folder: Callable[[str], Path]) -> None:
    place = folder(
        """
        import os, pytest

        KEPT = []

        @pytest.mark.memcurve(retained="16 KiB")
        def test_it():
            KEPT.append(bytes(int(os.environ["SIZE"])))
        """
    )
    why = "--memcurve-reason=known and small"
    accepted = run_pytest(place, "--memcurve-accept", why, SIZE="500")
    assert accepted.cases["test_it"].outcome == "passed"
    (baseline,) = (place / "memcurve-baselines").glob("*/test_it_test_it.json")
    assert "known and small" in baseline.read_text()
    assert run_pytest(place, "--memcurve", SIZE="500").cases["test_it"].outcome == "passed"
    worse = run_pytest(place, "--memcurve", SIZE="4000").cases["test_it"]
    assert worse.outcome == "failure"
    assert "accepted curve left" in worse.message
    assert "memcurve accept" not in worse.message
    assert "--memcurve-accept --memcurve-reason WHY" in worse.message


def test_the_report_holds_every_curve(folder: Callable[[str], Path]) -> None:
    place = folder(
        """
        import pytest

        @pytest.mark.memcurve
        @pytest.mark.parametrize("name", ["a/b", "a_b"])
        def test_it(name):
            pass
        """
    )
    done = run_pytest(place, "--memcurve-report", "out")
    assert f"curves: {place / 'out' / 'index.html'}" in done.output
    assert "test_it" in (place / "out" / "index.html").read_text()
    kept = list((place / "out" / "recordings").glob("test_it_test_it_a_b-*/test.json"))
    assert len(kept) == 2


def test_the_report_judges_by_the_limits_of_the_tests(folder: Callable[[str], Path]) -> None:
    place = folder(
        """
        import pytest

        KEPT = []

        @pytest.mark.memcurve(retained="4 KiB")
        def test_allowed():
            KEPT.append(bytes(1000))

        @pytest.mark.memcurve(retained="64 B")
        def test_crossed():
            KEPT.append(bytes(1000))
        """
    )
    run_pytest(place, "--memcurve-report", "out", "-o", "memcurve_explain=false")
    summary = json.loads((place / "out" / "summary.json").read_text())
    verdicts = {one["name"]: one["verdict"] for one in summary["scenarios"]}
    assert verdicts == {"test_it_test_allowed": "flat", "test_it_test_crossed": "growing"}
    assert not summary["passed"]
    (crossing,) = summary["crossings"]
    assert crossing["message"].startswith("test_it.py::test_crossed: growing: live bytes grow by")
    page = place / "out" / "index.html"
    again = "pytest --memcurve test_it.py::test_crossed"
    assert again in page.read_text()
    page.unlink()
    assert CliRunner().invoke(main, ["report", "--out", str(place / "out")]).exit_code == 1
    assert again in page.read_text()


def test_an_open_question_fails_unless_the_settings_say_warn(folder: Callable[[str], Path]) -> None:
    place = folder(
        """
        import os, pytest

        @pytest.mark.memcurve(calls=5)
        def test_it():
            os.getpid()
        """
    )
    failed = run_pytest(place, "--memcurve").cases["test_it"]
    assert failed.outcome == "failure"
    assert "next     give it more calls or time" in failed.message
    warned = run_pytest(place, "--memcurve", "-o", "memcurve_inconclusive=warn")
    assert warned.cases["test_it"].outcome == "passed"
    assert "? test_it.py::test_it" in warned.output


def test_coverage_and_benchmarks_beside_it_do_not_read_as_growth(
    folder: Callable[[str], Path],
) -> None:
    place = folder(
        """
        import pytest

        @pytest.mark.memcurve
        def test_it():
            sum(range(100))

        def test_benchmark(benchmark):
            benchmark.pedantic(sum, args=([1],), rounds=2)
        """
    )
    plugins = "pytest_cov.plugin pytest_benchmark.plugin"
    done = run_pytest(place, "--memcurve", "--cov=.", "--cov-branch", plugins=plugins)
    assert {case.outcome for case in done.cases.values()} == {"passed"}, done.output
    assert "test_it.py" in done.output.partition("coverage:")[2]


def test_limits_of_memray_beside_it_hold_for_the_tests_that_name_them(
    folder: Callable[[str], Path],
) -> None:
    place = folder(
        """
        import pytest

        @pytest.mark.memcurve
        def test_measured():
            sum(range(100))

        @pytest.mark.limit_memory("1 MB")
        def test_limited():
            bytes(8 << 20)

        KEPT = []

        @pytest.mark.memcurve
        def test_leak():
            KEPT.append(bytes(5000))
        """
    )
    done = run_pytest(place, "--memcurve", "--memray", plugins="pytest_memray.plugin")
    outcomes = {name: case.outcome for name, case in done.cases.items()}
    assert outcomes == {
        "test_measured": "passed",
        "test_limited": "failure",
        "test_leak": "failure",
    }, done.output
    assert "Test was limited to" in done.cases["test_limited"].message
    assert GROWING in done.cases["test_leak"].message
