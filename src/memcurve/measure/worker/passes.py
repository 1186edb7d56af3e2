"""One pass: set up, calls, tear down, in this process and around one table of rows."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import inspect
import json
from typing import Any, Awaitable, Callable, Dict, Iterable, Iterator, List, Optional, Type

from . import counters, heap, mappings, target
from .loop import Allowance, CallError, CallLoop, drive
from .settle import Settler

__all__ = ["CallError", "make"]

Spec = Dict[str, Any]
Functions = Dict[str, Optional[Callable[..., Any]]]
CONTEXTS = (contextlib._GeneratorContextManager, contextlib._AsyncGeneratorContextManager)


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


@contextlib.contextmanager
def _prepared(function: Any, runner: Runner) -> Iterator[Any]:
    """Run a set-up and give its value.

    A set-up is a function, a coroutine function, or one that yields its value once, like a pytest
    fixture, with or without the decorators of contextlib.
    """
    if function is None:
        yield None
        return
    if inspect.isgeneratorfunction(function):
        function = contextlib.contextmanager(function)
    elif inspect.isasyncgenfunction(function):
        function = contextlib.asynccontextmanager(function)
    value = function()
    if inspect.isawaitable(value) and not isinstance(value, CONTEXTS):
        value = runner(value)
    if isinstance(value, CONTEXTS[1]):
        entered = runner(value.__aenter__())
        try:
            yield entered
        finally:
            runner(value.__aexit__(None, None, None))
    elif isinstance(value, CONTEXTS[0]):
        with value as entered:
            yield entered
    else:
        yield value


def _inputs(path: Optional[str]) -> Optional[List[Any]]:
    if path is None:
        return None
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    if not lines:
        raise target.TargetError("the inputs file %r has no lines" % path)
    return lines


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
        allowance = Allowance(self._counters.clock, spec["allowance_s"], spec["share"])
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
        """Return the same behind the last call, and what the collector would free of it."""
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


def _pass_class(kind: str) -> Type[Any]:
    if kind in ("natural", "settled"):
        return SampledPass
    from . import tracing  # what the passes that decide need not import

    found: Type[Any] = tracing.PASSES[kind]
    return found


def _named(functions: Functions, value: Any) -> Dict[int, str]:
    """Return the objects that a retention path may end at although only the worker holds them."""
    named = {id(function): "target" for function in functions.values() if function is not None}
    if value is not None:
        named[id(value)] = "value of the set-up"
    return named


@contextlib.contextmanager
def make(spec: Spec, functions: Functions) -> Iterator[Any]:
    """Set up the pass that `spec` describes, give it, and tear it down."""
    runner = Runner()
    function = functions["target"]
    assert function is not None
    if target.is_asynchronous(function) or spec["loop"]:
        runner.ensure_loop()
    inputs = _inputs(spec["inputs"])
    try:
        with _prepared(functions.get("setup"), runner) as value:
            arguments = target.bind(function, value, inputs)
            kind = _pass_class(spec["kind"])
            yield kind(spec, function, arguments, runner, _named(functions, value))
            teardown = functions.get("teardown")
            if teardown is not None:
                result = teardown()
                if inspect.isawaitable(result):
                    runner(result)
    finally:
        runner.close()
