"""A survey: every test looked at once, with the outcome that it has without."""

import re

import pytest

pytest_plugins = "pytester"

JOBS = """
import functools

SEEN, NAMES, RAN = [], [], []
BY_NAME, BOUNDED, LAST = {}, {}, {}


class Job:
    def __init__(self, number):
        self.body = "x" * 500 + str(number)


@functools.lru_cache(100)
def cached(number):
    return [number]


def remember(name):
    BY_NAME[name] = 7


def remember_the_last(name):
    LAST["name"] = name
    BOUNDED[name] = 7
    if len(BOUNDED) > 1:
        del BOUNDED[next(iter(BOUNDED))]
"""

TESTS = '''
import gc, logging, os, unittest
import pytest
import jobs


@pytest.mark.parametrize("number", range(8))
def test_leak(number):
    jobs.SEEN.append(jobs.Job(number))
    jobs.RAN.append(1)
    assert len(jobs.RAN) <= 8


@pytest.mark.parametrize("number", range(8))
def test_untracked(number):
    jobs.NAMES.append(bytes(1000 + number))


@pytest.mark.parametrize("number", range(8))
def test_text(number):
    jobs.remember(f"user {number}")


@pytest.mark.parametrize("number", range(8))
def test_bounded(number):
    jobs.remember_the_last(f"user {number}")


@pytest.mark.parametrize("number", range(8))
def test_cached(number):
    jobs.cached(number)


@pytest.mark.parametrize("number", range(8))
def test_clean(number):
    """Leave garbage that only the collector frees."""
    garbage = [bytes(4000)]
    garbage.append(garbage)
    logging.getLogger("noise").warning("recorded by pytest")


def test_descriptor():
    os.dup(0)


@pytest.fixture
def file(tmp_path):
    """Nobody closes it but its last reference, which pytest holds until after the teardown."""
    return open(tmp_path / "file", "w")


@pytest.mark.filterwarnings("ignore")
def test_file_of_a_fixture(file):
    file.write("x")


@pytest.fixture(scope="module")
def wide():
    return []


@pytest.mark.parametrize("number", range(8))
def test_wide_fixture(wide, number):
    wide.append([bytes(3000)])


def test_import():
    import xml.dom.minidom


class TestCase(unittest.TestCase):
    def test_attribute(self):
        self.kept = [bytes(5000)]


def test_fails():
    jobs.SEEN.append([1])
    assert 0


def test_skips():
    pytest.skip("not here")


def test_collector_is_as_it_was():
    assert gc.isenabled()
'''
PASSED = 61
ENOUGH = ("--memcurve-survey-seconds", "60")
"""CPU seconds: some 60 looks at the whole heap, of 10 to 30 ms each, take a twentieth of that."""


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(jobs=JOBS, test_jobs=TESTS)
    return pytester


def survey(suite: pytest.Pytester, *args: str) -> str:
    done = suite.runpytest_subprocess(
        "-p", "memcurve.plugin.pytest_plugin", "--memcurve-survey", *ENOUGH, *args
    )
    done.assert_outcomes(passed=PASSED, failed=1, skipped=1)
    return done.stdout.str().partition("= memory survey =")[2]


@pytest.mark.parametrize("args", [(), ("-p", "xdist.plugin", "-n", "2")], ids=["alone", "xdist"])
def test_a_survey_names_what_outlives_tests_and_nothing_that_is_kept_on_purpose(
    suite: pytest.Pytester, args: tuple[str, ...]
) -> None:
    text = survey(suite, *args)
    assert "looked at 63 tests, 2 failed or skipped" in text
    assert re.search(r"8 objects below jobs\.Job, born in .*test_leak.* and 7 more", text)
    assert "held by  module global: jobs.SEEN: list" in text
    assert re.search(r"8 objects below bytes, born in .*test_untracked.* and 7 more", text)
    assert "held by  module global: jobs.NAMES: list" in text
    assert "added at test_jobs.py:15" in text
    assert re.search(r"8 objects below str, born in .*test_text.* and 7 more", text)
    assert "held by  module global: jobs.BY_NAME: dict" in text
    assert "added at jobs.py:18" in text
    assert "1  descriptor left open by test_jobs.py::test_descriptor\n" in text
    suspects = [line for line in text.splitlines() if "born in" in line or "left" in line]
    for name in (
        "test_clean",
        "test_bounded",
        "test_cached",
        "test_wide",
        "test_file",
        "test_import",
        "test_attribute",
    ):
        assert not [line for line in suspects if name in line]


def test_a_budget_that_is_no_time_is_refused(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\nmemcurve_survey_seconds = soon\n")
    done = suite.runpytest_subprocess("-p", "memcurve.plugin.pytest_plugin", "--memcurve-survey")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "memcurve_survey_seconds is 'soon'; give CPU seconds, such as 5" in done.stderr.str()


def test_tests_can_be_left_out(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\nmemcurve_survey_skip =\n    test_leak\n    test_untracked\n")
    text = survey(suite)
    assert "looked at 47 tests" in text
    assert "jobs.Job" not in text


def test_without_the_option_nothing_is_looked_at(suite: pytest.Pytester) -> None:
    done = suite.runpytest_subprocess("-p", "memcurve.plugin.pytest_plugin")
    assert "memory survey" not in done.stdout.str()


SMALL = """
import functools

import pytest

KEPT = []


@functools.lru_cache(8)
def cached(number):
    return [number] * 500


def fill(kept=[]):
    if len(kept) < 3:
        kept.append([0] * 500)


@pytest.mark.parametrize("number", range(4))
def test_leak(number):
    KEPT.append([number] * 500)


@pytest.mark.parametrize("number", range(4))
def test_fill(number):
    fill()


def test_clean():
    pass
"""


def test_suspects_are_measured_and_their_verdicts_decide(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SMALL)
    plugin = ("-p", "memcurve.plugin.pytest_plugin")
    surveyed = pytester.runpytest_subprocess(*plugin, "--memcurve-survey")
    assert surveyed.ret == 0
    surveyed.stdout.fnmatch_lines(["*next     pytest --memcurve-suspects: measures 2 tests*"])
    measured = pytester.runpytest_subprocess(*plugin, "--memcurve-suspects")
    measured.assert_outcomes(passed=1, failed=1, deselected=7)
    assert "growing" in measured.stdout.str()


def test_a_survey_without_suspects_measures_nothing_and_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_clean():\n    pass\n")
    plugin = ("-p", "memcurve.plugin.pytest_plugin")
    assert pytester.runpytest_subprocess(*plugin, "--memcurve-survey").ret == 0
    measured = pytester.runpytest_subprocess(*plugin, "--memcurve-suspects")
    assert measured.ret == 0
    assert "the last survey found no suspects" in measured.stdout.str()


def test_suspects_without_a_survey_are_refused_with_the_next_step(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("def test_clean():\n    pass\n")
    done = pytester.runpytest_subprocess(
        "-p", "memcurve.plugin.pytest_plugin", "--memcurve-suspects"
    )
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert "run pytest --memcurve-survey first" in done.stderr.str()
