"""Measure marked tests: run the test once as ever, then again and again with the same fixtures."""

import functools
import inspect
from collections.abc import Callable, Generator
from typing import Any

import pytest

from memcurve.model.errors import MemcurveError
from memcurve.plugin.detach import tidiers
from memcurve.plugin.isolation import OPEN_AT_START
from memcurve.plugin.limits import Gated
from memcurve.plugin.measured_test import MeasuredTest
from memcurve.plugin.message import failure_text
from memcurve.plugin.reporting import keep_outcome, look_at_folder, write_report
from memcurve.plugin.settings import Settings, read_settings


class Measuring:
    """The hooks that measure; registered only where measuring was asked for."""

    def __init__(self, config: pytest.Config) -> None:
        look_at_folder(config)
        self._config, self._held = config, config.stash[OPEN_AT_START]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        marker = item.get_closest_marker("memcurve")
        if marker is None or not isinstance(item, pytest.Function):
            return (yield)
        if marker.args:
            pytest.fail("the marker memcurve takes keywords: retained='64 B'", pytrace=False)
        try:
            settings = read_settings(self._config, marker.kwargs)
        except MemcurveError as error:
            pytest.fail(str(error), pytrace=False)
        function = item.obj
        item.obj = self._measured(item, function, settings)
        try:
            return (yield)
        finally:
            item.obj = function

    def _measured(
        self, item: pytest.Function, function: Callable[..., Any], settings: Settings
    ) -> Callable[..., Any]:
        """Return what runs a test in its place: once as it is, and then measured."""

        @functools.wraps(function)
        def once_then_measured(*args: object, **kwargs: object) -> None:
            __tracebackhide__ = True
            function(*args, **kwargs)
            call = repeated(item, function, args, kwargs)
            conclude_test(item, settings, lambda: self._measurement(item, call, settings).run())

        @functools.wraps(function)
        async def once_then_ameasured(*args: object, **kwargs: object) -> None:
            __tracebackhide__ = True
            await function(*args, **kwargs)
            call = repeated(item, function, args, kwargs)
            await aconclude_test(item, settings, self._measurement(item, call, settings))

        return once_then_ameasured if inspect.iscoroutinefunction(function) else once_then_measured

    def _measurement(
        self, item: pytest.Item, call: Callable[..., object], settings: Settings
    ) -> MeasuredTest:
        return MeasuredTest(item, call, settings, self._held)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        write_report(session)


def repeated(
    item: pytest.Item,
    function: Callable[..., Any],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> Callable[[], object]:
    """Return one call of a test with its fixtures, which empties what the test records."""
    tidy = tidiers(item)
    for empty in tidy:
        empty()
    call = functools.partial(function, *args, **kwargs)
    if not tidy:
        return call

    def tidied() -> None:
        call()
        for empty in tidy:
            empty()

    async def atidied() -> None:
        await call()
        for empty in tidy:
            empty()

    return atidied if inspect.iscoroutinefunction(function) else tidied


def conclude_test(item: pytest.Item, settings: Settings, run: Callable[[], Gated]) -> None:
    """Measure, keep what was found for reports, and fail the test if it must fail."""
    __tracebackhide__ = True
    try:
        gated = run()
    except MemcurveError as error:
        reason = could_not_measure(error)
    else:
        return settle(item, settings, gated)
    pytest.fail(reason, pytrace=False)  # here, so that it is not chained


async def aconclude_test(item: pytest.Item, settings: Settings, measurement: MeasuredTest) -> None:
    """Do the same in the running event loop."""
    __tracebackhide__ = True
    try:
        gated = await measurement.arun()
    except MemcurveError as error:
        reason = could_not_measure(error)
    else:
        return settle(item, settings, gated)
    pytest.fail(reason, pytrace=False)


def settle(item: pytest.Item, settings: Settings, gated: Gated) -> None:
    """Keep the outcome; fail the test where a limit was crossed or a question is open."""
    __tracebackhide__ = True
    keep_outcome(item, gated)
    if gated.crossed or gated.regressed or (gated.unsettled and settings.inconclusive == "fail"):
        pytest.fail(failure_text(gated, repeat_command(item)), pytrace=False)


def repeat_command(item: pytest.Item) -> str:
    """Return the command that measures this test again."""
    return f"pytest --memcurve '{item.nodeid}'"


def could_not_measure(error: MemcurveError) -> str:
    """Return why a test that passes once could not be measured."""
    text = f"memcurve could not measure this test: {error}"
    failure = getattr(error, "failure", None)
    if failure is None:
        return text
    text += (
        "\n  note     the test ran once and was then called again and again with the same fixture "
        "values; what may happen only once belongs into a fixture"
    )
    return text + (f"\n\n{failure.traceback.rstrip()}" if failure.traceback else "")
