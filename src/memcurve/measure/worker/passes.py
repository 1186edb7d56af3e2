"""The passes that decide: rows of counters after calls, in this process."""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import Any, Awaitable, Callable, Dict, Iterable, Optional

from . import counters, heap, mappings, target
from .loop import Allowance, CallLoop, drive
from .settle import Settler

Spec = Dict[str, Any]
Functions = Dict[str, Optional[Callable[..., Any]]]


class Runner:
    """Run awaitables of the pass on a loop of our own, which is made at the first need."""

    def __init__(self) -> None:
        self.loop: Optional[asyncio.AbstractEventLoop] = None

    def ensure_loop(self) -> asyncio.AbstractEventLoop:
        if self.loop is None:
            self.loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self.loop)
        return self.loop

    def __call__(self, awaitable: Awaitable[Any]) -> Any:
        loop = self.ensure_loop()
        if not inspect.iscoroutine(awaitable) and not asyncio.isfuture(awaitable):
            awaitable = _await(awaitable)
        return loop.run_until_complete(awaitable)

    def close(self) -> None:
        """Cancel what still runs and close the loop."""
        if self.loop is None:
            return
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        if left:
            self.loop.run_until_complete(_gathered(left))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        self.loop.close()


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _gathered(tasks: Iterable[asyncio.Future[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class SampledPass:
    """A natural or settled pass: rows of counters after calls."""

    def __init__(
        self,
        spec: Spec,
        function: Callable[..., Any],
        arguments: target.Arguments,
        runner: Runner,
        named: Dict[int, str],
    ) -> None:
        gauges = counters.Gauges(spec["gauges"])
        width = len(counters.COLUMNS) + len(spec["gauges"])
        mode = spec["mode"]
        if mode != "natural":
            heap.fix_mmap_threshold()
        table = counters.Table(spec["table"], width)
        self._runner = runner
        self._counters = counters.Counters(table, gauges, mode == "natural")
        self._settler = settler = Settler(
            runner.loop,
            self._counters.live_bytes,
            self._counters.resources.threads,
            spec["grace_s"],
        )
        allowance = Allowance(
            self._counters.clock, spec["allowance_s"], spec["share"], spec["every"]
        )
        self._loop = CallLoop(function, arguments, self._counters, settler, allowance, mode)
        self._allowance = allowance
        drive(self._loop.begin(), runner)

    def describe(self) -> Dict[str, Any]:
        """Return what the parent needs in order to read the table."""
        return {"columns": list(counters.COLUMNS)}

    def calls(self, last: int, rows: Iterable[int]) -> Dict[str, Any]:
        drive(self._loop.run(last, frozenset(rows)), self._runner)
        return self._progress()

    def _progress(self) -> Dict[str, Any]:
        clock = self._counters.clock
        return {
            "call": self._loop.calls,
            "rows": self._counters.table.rows,
            "cpu_s": clock.cpu_ns / 1e9,
            "wall_s": clock.wall_ns / 1e9,
            "sampling_s": self._allowance.spent_ns / 1e9,
        }

    def survey(self, stage: str, options: Dict[str, Any]) -> Any:
        """Answer one survey between calls."""
        return getattr(self, "stage_" + stage)(**options)

    def stage_begin(self) -> Dict[str, int]:
        """Return what resident memory consists of now, for the ledger."""
        return mappings.state(self._counters)

    def stage_end(self) -> Dict[str, int]:
        """Return the same after the last call, and what the collector would free of it."""
        state = mappings.state(self._counters)
        python, malloc, objects = mappings.deferred(self._counters)
        state.update(deferred_python=python, deferred_malloc=malloc, deferred_objects=objects)
        return state

    def verify(self) -> Dict[str, Any]:
        return drive(self._loop.verify(), self._runner)

    def finish(self) -> Dict[str, Any]:
        gc.unfreeze()
        gc.enable()
        return self._progress()
