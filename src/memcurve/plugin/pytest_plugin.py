"""The door for pytest: options, marker and fixture. It loads nothing heavy before it is used.

A test with the marker `memcurve` is measured when pytest runs with `--memcurve`; without it, it
runs once like any other. The fixture `memcurve` measures whenever it is used.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from memcurve.plugin.fixture import MemcurveFixture

_MARKER = (
    "memcurve(calls, retained, deferred, fds, threads, tasks, allocated, peak, max_bytes, budget, "
    "isolation): "
    "measure this test when pytest runs with --memcurve. It is called again and again, with the "
    "same fixture values; memory may grow by no more than `retained` a call, and descriptors, "
    "threads and tasks by no more than `fds`, `threads` and `tasks`."
)

# name, type, help: each may stand in the configuration file as memcurve_<name>
_INI = (
    ("calls", "string", "calls that a curve shows (default 100)"),
    ("budget", "string", "seconds for deciding about one test (default 10)"),
    ("retained", "string", "bytes a call that memory may grow by (default: 1 B)"),
    ("deferred", "string", "garbage a call that may wait for the collector (default: not gated)"),
    ("garbage", "string", "garbage that may wait for the collector at once (default: 64 MiB)"),
    ("max_bytes", "string", "the most that a cache may hold (default: 256 MiB)"),
    ("inconclusive", "string", "what an open question does to a test: fail (default) or warn"),
    ("baselines", "string", "folder of accepted curves (default: memcurve-baselines)"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare options and settings. Defaults are None, so that the configuration file counts."""
    group = parser.getgroup("memcurve", "memory curves")
    group.addoption(
        "--memcurve",
        action="store_true",
        default=None,
        help="measure the tests that are marked `memcurve` (ini: memcurve)",
    )
    group.addoption(
        "--memcurve-quick",
        action="store_true",
        default=None,
        help="measure with fewer calls: rare leaks are missed, slow caches look like leaks "
        "(ini: memcurve_quick)",
    )
    group.addoption(
        "--memcurve-report",
        metavar="DIR",
        default=None,
        help="measure, and write recordings and a page of all curves into DIR "
        "(ini: memcurve_report)",
    )
    group.addoption(
        "--memcurve-accept",
        action="store_true",
        default=None,
        help="measure three times and accept the curves as the thresholds of later runs",
    )
    group.addoption(
        "--memcurve-reason",
        metavar="TEXT",
        default=None,
        help="why the curves are accepted; it is kept with them",
    )
    group.addoption(
        "--memcurve-survey",
        action="store_true",
        default=None,
        help="look at every test once, without running it again: what outlives it, who holds that "
        "(ini: memcurve_survey)",
    )
    group.addoption(
        "--memcurve-survey-seconds",
        metavar="SECONDS",
        type=float,
        default=None,
        help="CPU seconds that a survey may look at the whole heap in any case (default: 0.5, or "
        "3%% of the session, whichever is more; ini: memcurve_survey_seconds)",
    )
    group.addoption(
        "--memcurve-suspects",
        action="store_true",
        default=None,
        help="measure the suspects of the last survey as marked tests are, and run no other test",
    )
    parser.addini("memcurve", "measure marked tests, as --memcurve does", type="bool", default=None)
    parser.addini("memcurve_quick", "as --memcurve-quick", type="bool", default=None)
    parser.addini(
        "memcurve_explain",
        "look for who holds what grows: some seconds for each failing test (default: yes)",
        type="bool",
        default=None,
    )
    parser.addini(
        "memcurve_samples",
        "tell the beginning of a text or of bytes that stay (default: yes)",
        type="bool",
        default=None,
    )
    parser.addini("memcurve_survey", "as --memcurve-survey", type="bool", default=None)
    parser.addini(
        "memcurve_survey_skip",
        "parts of pytest ids, one a line: tests that a survey leaves out",
        type="linelist",
        default=None,
    )
    parser.addini(
        "memcurve_survey_seconds", "as --memcurve-survey-seconds", type="string", default=None
    )
    parser.addini("memcurve_report", "as --memcurve-report", type="string", default=None)
    for name, kind, text in _INI:
        parser.addini(f"memcurve_{name}", text, type=kind, default=None)  # type: ignore[arg-type]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and what measures if that is wanted."""
    from memcurve.plugin.isolation import OPEN_AT_START, read_open

    config.stash[OPEN_AT_START] = read_open()
    config.addinivalue_line("markers", _MARKER)
    if is_wanted(config):
        from memcurve.plugin.hooks import Measuring

        config.pluginmanager.register(Measuring(config), "memcurve-measuring")
    else:
        config.pluginmanager.register(_Unmeasured(), "memcurve-unmeasured")
    if config.getoption("memcurve_suspects"):
        from memcurve.plugin.suspected import Suspected

        config.pluginmanager.register(Suspected(config), "memcurve-suspected")
    elif config.getoption("memcurve_survey") or config.getini("memcurve_survey"):
        from memcurve.plugin.survey import Surveying

        config.pluginmanager.register(Surveying(config), "memcurve-surveying")


def is_wanted(config: pytest.Config) -> bool:
    """Return whether marked tests are to be measured in this run."""
    options = (
        "memcurve",
        "memcurve_quick",
        "memcurve_report",
        "memcurve_accept",
        "memcurve_suspects",
    )
    asked = any(config.getoption(name) is not None for name in options)
    return bool(asked or config.getini("memcurve"))


class _Unmeasured:
    """Says at the end how many marked tests ran without being measured."""

    def __init__(self) -> None:
        self._marked = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._marked = sum(1 for item in session.items if item.get_closest_marker("memcurve"))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._marked:
            noun = "test" if self._marked == 1 else "tests"
            terminalreporter.write_line(
                f"memcurve: {self._marked} marked {noun} ran once, unmeasured; "
                "measure with --memcurve"
            )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write what was measured, if anything was: by a marker or by the fixture."""
    reports = (report for found in terminalreporter.stats.values() for report in found)
    properties = (pair for report in reports for pair in getattr(report, "user_properties", ()))
    if any(str(name).startswith("memcurve_") for name, _ in properties):
        from memcurve.plugin.reporting import write_summary

        write_summary(terminalreporter)


@pytest.fixture
def memcurve(request: pytest.FixtureRequest) -> "MemcurveFixture":
    """Measure callables inside a test: `check`, `acheck`, `assert_flat`, `aassert_flat`."""
    from memcurve.plugin.fixture import MemcurveFixture

    return MemcurveFixture(request)
