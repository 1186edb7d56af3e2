"""The passes that decide: rows of counters after calls, in this process."""

from __future__ import annotations

import asyncio
import gc
import inspect
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, Iterable, List, Optional

from . import churn, counters, heap, mappings, target
from .loop import Allowance, CallLoop, drive
from .settle import Settler

if TYPE_CHECKING:
    from .survivors import Survivors

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
        self._runner, self._named = runner, named
        self._survivors: Optional[Survivors] = None
        self._samples: bool = spec.get("samples", True)
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
        """Answer one survey between calls: of this pass itself, or a stage of a look."""
        name = "stage_" + stage
        if hasattr(self, name):
            return getattr(self, name)(**options)
        found = getattr(self._look(), name)(**options)
        found["pass_calls"] = self._loop.calls
        return found

    def _look(self) -> Survivors:
        if self._survivors is None:
            from .survivors import Survivors  # what only counts need not import it

            self._survivors = Survivors(
                self._loop,
                self._counters,
                self._settler,
                self._runner,
                self._named,
                samples=self._samples,
            )
        return self._survivors

    def stage_begin(self) -> Dict[str, Any]:
        """Return what resident memory consists of now, for the ledger."""
        state: Dict[str, Any] = mappings.state(self._counters)
        state["counts"] = churn.counts()
        return state

    def stage_end(self) -> Dict[str, Any]:
        """Return the same after the last call, and what the collector would free of it."""
        counts = churn.counts()
        state: Dict[str, Any] = mappings.state(self._counters)
        opened = self._descriptors()
        python, malloc, objects = mappings.deferred(self._counters)
        state.update(deferred_python=python, deferred_malloc=malloc, deferred_objects=objects)
        state.update(counts=counts, deferred_descriptors=max(opened - self._descriptors(), 0))
        return state

    def stage_act(self, kind: str, number: int) -> Dict[str, Any]:
        """Do something about garbage that stands."""
        if kind == "collect":
            gc.collect()
        elif kind == "threshold":
            gc.set_threshold(number)
        elif kind == "freeze":
            gc.collect()
            gc.freeze()
        return {"kind": kind, "number": number}

    def stage_churn(self, calls: int, most: int) -> Dict[str, Any]:
        """Return what the collector sees of calls; runs more than `calls` of them."""

        def run(number: int) -> None:
            self._run_unsampled(number)
            drive(self._settler.turns(), self._runner)

        read = churn.Readers(self._counters.live_bytes, self._descriptors)
        return churn.churn(run, read, calls, most)

    def stage_references(self, calls: int) -> List[Dict[str, Any]]:
        """Return what lost references; runs five windows of `calls` calls."""
        from .refcounts import references  # asked for with everything, or not at all

        def run(number: int) -> None:
            self._run_unsampled(number)
            drive(self._settler.turns(), self._runner)

        return references(run, calls)

    def _descriptors(self) -> int:
        return self._counters.resources.descriptors(False)[0]

    def _run_unsampled(self, calls: int) -> None:
        self._loop.sampling = False
        try:
            drive(self._loop.run(self._loop.calls + calls, frozenset()), self._runner)
        finally:
            self._loop.sampling = True

    def verify(self) -> Dict[str, Any]:
        return drive(self._loop.verify(), self._runner)

    def finish(self) -> Dict[str, Any]:
        gc.unfreeze()
        gc.enable()
        return self._progress()
