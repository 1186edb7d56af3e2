"""The fixture `memcurve`: measure callables inside a test."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

import memcurve
from memcurve.measure.worker.target import is_asynchronous
from memcurve.model.errors import MeasureError
from memcurve.model.verdict import Checked
from memcurve.plugin.hooks import repeat_command
from memcurve.plugin.isolation import OPEN_AT_START
from memcurve.plugin.limits import Gated
from memcurve.plugin.measured_test import MeasuredTest
from memcurve.plugin.message import failure_text
from memcurve.plugin.reporting import keep_outcome
from memcurve.plugin.settings import read_settings


class MemcurveFixture:
    """Measures callables, closures included; keywords are those of the marker."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._item: pytest.Item = request.node
        self._checks = 0

    def check(self, target: str | Callable[..., Any], **keywords: object) -> Checked:
        """Measure a callable and return what that found; nothing fails.

        A callable runs in a fork of this process, or in the process itself where sockets or
        threads were opened since the session began. A text (``pkg.mod:attr``) runs in an
        interpreter of its own and takes the keywords of `memcurve.check`. Raises MemcurveError
        for what cannot be measured.
        """
        if isinstance(target, str):
            return memcurve.check(target, **keywords)  # type: ignore[arg-type]
        return self._kept(Gated(checked=self._run(target, keywords).checked))

    async def acheck(self, target: Callable[..., Any], **keywords: object) -> Checked:
        """Measure in the running event loop and return what was found; nothing fails."""
        return self._kept(Gated(checked=(await self._arun(target, keywords)).checked))

    def assert_flat(
        self, target: Callable[..., Any], within: str | float = "1 B", **keywords: object
    ) -> Checked:
        """Fail the test if a callable keeps more than `within` bytes a call, or anything else.

        Descriptors, threads and tasks must not grow at all unless `fds`, `threads` or `tasks`
        allow it. An open question fails too: flatness is proved, not assumed.
        """
        __tracebackhide__ = True
        return self._asserted(self._run(target, keywords | {"retained": within}))

    async def aassert_flat(
        self, target: Callable[..., Any], within: str | float = "1 B", **keywords: object
    ) -> Checked:
        """Do the same in the running event loop."""
        __tracebackhide__ = True
        return self._asserted(await self._arun(target, keywords | {"retained": within}))

    def _run(self, target: Callable[..., Any], keywords: dict[str, object]) -> Gated:
        if is_asynchronous(target) and _loop_runs():
            raise MeasureError(
                f"{target!r} is asynchronous and an event loop runs here; "
                "await memcurve.acheck() or aassert_flat()"
            )
        return self._measurement(target, keywords).run()

    async def _arun(self, target: Callable[..., Any], keywords: dict[str, object]) -> Gated:
        return await self._measurement(target, keywords).arun()

    def _kept(self, gated: Gated) -> Checked:
        keep_outcome(self._item, gated)
        return gated.checked

    def _measurement(self, target: Callable[..., Any], keywords: dict[str, object]) -> MeasuredTest:
        self._checks += 1
        settings = read_settings(self._item.config, keywords)
        before = self._item.config.stash[OPEN_AT_START]
        label = "" if self._checks == 1 else str(self._checks)
        return MeasuredTest(self._item, target, settings, before, label)

    def _asserted(self, gated: Gated) -> Checked:
        __tracebackhide__ = True
        self._kept(gated)
        if gated.crossed or gated.regressed or gated.unsettled:
            raise AssertionError(failure_text(gated, repeat_command(self._item)))
        return gated.checked


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
