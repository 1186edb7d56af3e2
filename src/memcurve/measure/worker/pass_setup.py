"""Open a pass of any kind: set up, choose its class, bind the arguments, tear down."""

from __future__ import annotations

import contextlib
import inspect
import json
from typing import Any, Dict, Iterator, List, Optional, Type

from . import target
from .passes import Functions, Runner, SampledPass, Spec

CONTEXTS = (contextlib._GeneratorContextManager, contextlib._AsyncGeneratorContextManager)


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
    lines: List[Any] = []
    number = 0
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                number += 1
                if line.strip():
                    lines.append(json.loads(line))
    except OSError as error:
        raise target.TargetError("the inputs file %r: %s" % (path, error.strerror)) from error
    except (ValueError, RecursionError) as error:  # no UTF-8 is a ValueError too
        text = "the inputs file %r, line %d: %s; write one JSON value a line"
        raise target.TargetError(text % (path, max(number, 1), error)) from error
    if not lines:
        raise target.TargetError("the inputs file %r has no lines" % path)
    return lines


def _pass_class(kind: str) -> Type[Any]:
    if kind in ("natural", "settled"):
        return SampledPass
    if kind == "survivors":  # the passes that decide need not import the others
        from .explaining_pass import ExplainingPass

        return ExplainingPass
    from .allocations_pass import AllocationsPass

    return AllocationsPass


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
