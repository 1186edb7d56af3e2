"""Look at every test of a session once, and say at its end what deserves a measurement."""

from collections.abc import Generator
from typing import Any

import msgspec
import pytest

from memcurve.explain.fingerprint import fingerprint
from memcurve.explain.known import known_in
from memcurve.judge.suspects import is_worth, suspects
from memcurve.measure.suite_look import FREE_S, SuiteLook
from memcurve.measure.suite_tools import Tools
from memcurve.model.recording import timestamp
from memcurve.model.suite import SuiteSurvey
from memcurve.plugin.suspected import keep_suspects
from memcurve.report.suspects_text import suspects_text

KEY = "memcurve_survey"
LOADED_BY_TOOLS = ("coverage", "execnet", "iniconfig", "pluggy", "pytest", "_pytest", "memcurve")
"""Packages that pytest and its usual plugins load, and that keep something for each test."""


class Surveying:
    """The hooks that look; registered only where a survey was asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._look: SuiteLook | None = None
        self._survey = SuiteSurvey()
        self._passed = True
        self._free_s = free_seconds(config)
        self._left_out = tuple(str(one) for one in config.getini("memcurve_survey_skip") or ())

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        if not self._is_controller():
            worth = of_one_worker if hasattr(self._config, "workerinput") else is_worth
            self._look = SuiteLook(Tools(tool_packages(self._config)), worth, self._free_s)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        look = self._look
        if look is None or any(part in item.nodeid for part in self._left_out):
            return (yield)
        self._passed = True
        look.begin(item.location[0])
        result = yield
        look.end(item.nodeid, passed=self._passed)
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        return (yield from self._counted(last=False))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        return (yield from self._counted(last=False))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        return (yield from self._counted(last=True))

    def _counted(self, *, last: bool) -> Generator[None, object, object]:
        if self._look is None:
            return (yield)
        before = self._look.enter()
        try:
            result = yield
        except BaseException:
            self._passed = False
            raise
        self._look.leave(before, last=last)
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker of xdist found."""
        sent = getattr(node, "workeroutput", {}).get(KEY)
        if sent is not None:
            self._survey = self._survey.joined(msgspec.convert(sent, SuiteSurvey))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        if self._look is None:
            return
        look, self._look = self._look, None
        self._survey = marked(look.close())
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[KEY] = msgspec.to_builtins(self._survey)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        known = known_in(self._config.rootpath)
        today = timestamp()[:10]
        valid = frozenset(leak.fingerprint for leak in known if str(leak.expires) >= today)
        found = suspects(self._survey, valid)
        terminalreporter.section("memory survey")
        for line in suspects_text(self._survey, found):
            terminalreporter.write_line(line)
        if keep_suspects(self._config, found.tests) and found.tests:
            count = len(found.tests)
            noun = "test" if count == 1 else "tests"
            terminalreporter.write_line(
                f"  next     pytest --memcurve-suspects: measures {count} {noun}, says what leaks"
            )

    def _is_controller(self) -> bool:
        """Say whether the tests run in workers of xdist, and none here."""
        chosen = getattr(self._config.option, "dist", "no") != "no"
        return chosen and not hasattr(self._config, "workerinput")


def of_one_worker(tests: int, size: int) -> bool:
    """Say that every holder is worth a look: other workers of xdist may have seen it as well.

    Only what has the same holder can be counted together, so what one test left here, and seven
    left there, would be one that is missing.
    """
    return tests > 0 or size > 0


def free_seconds(config: pytest.Config) -> float:
    """Return the CPU seconds that looks at the whole heap may take however short the session is.

    Raises pytest.UsageError for what is no number of seconds.
    """
    given = config.getoption("memcurve_survey_seconds")
    if given is None:
        given = config.getini("memcurve_survey_seconds")
    if given is None:
        return FREE_S
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise pytest.UsageError(
            f"memcurve_survey_seconds is {given!r}; give CPU seconds, such as 5"
        )
    return seconds


def tool_packages(config: pytest.Config) -> set[str]:
    """Return the top-level packages of the distributions that plugins of this session come from."""
    found = set(LOADED_BY_TOOLS)
    for _, distribution in config.pluginmanager.list_plugin_distinfo():
        files = distribution.files or ()
        tops = {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py"}
        found |= {top for top in tops if top.isidentifier()}
    return found


def marked(survey: SuiteSurvey) -> SuiteSurvey:
    """Return the survey with a fingerprint for each group, by which a known leak is recognised."""
    groups = tuple(
        group
        if not group.holder
        else msgspec.structs.replace(
            group, fingerprint=fingerprint("survey", group.kind, "", group.holder.split(" → "), "")
        )
        for group in survey.survivors
    )
    return msgspec.structs.replace(survey, survivors=groups)
