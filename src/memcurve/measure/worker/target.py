"""Resolve a target by its name and make one call of it.

A target is `package.module:attribute` or `path/file.py:attribute`. It takes nothing, or the call's
number (from 0), or the next line of the inputs; where a set-up gave a value it may take that value
first.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import os
import sys
from types import AsyncGeneratorType, FunctionType, GeneratorType, ModuleType
from typing import Any, Callable, List, Optional, Tuple

Arguments = Callable[[int], Tuple[Any, ...]]
NOTHING_RAN = (
    GeneratorType,
    AsyncGeneratorType,
    contextlib._GeneratorContextManager,
    contextlib._AsyncGeneratorContextManager,
)
"""What a call may return without having run a line of the generator function in it."""


class TargetError(Exception):
    """The target cannot be called as it is named."""


def _load_file(path: str) -> ModuleType:
    if not os.path.isfile(path):
        raise TargetError("no such file: %r (looked in %s)" % (path, os.getcwd()))
    folder = os.path.dirname(os.path.abspath(path))
    if folder not in sys.path:
        sys.path.insert(1, folder)
    name = os.path.splitext(os.path.basename(path))[0]
    if name in sys.modules and not _same_file(sys.modules[name], path):
        name = "_memcurve_target_" + name
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None  # the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _same_file(module: ModuleType, path: str) -> bool:
    known = getattr(module, "__file__", None)
    return known is not None and os.path.exists(known) and os.path.samefile(known, path)


def _load_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            text = "no such module: %r (sys.path[0] is %s)" % (name, sys.path[0])
            raise TargetError(text) from None
        raise


def resolve(text: str) -> Callable[..., Any]:
    """Return what `text` names; the error says what is missing and what is there instead."""
    place, separator, attribute = text.rpartition(":")
    if not separator or not place or not attribute:
        raise TargetError("%r is not of the form pkg.mod:attr or path/file.py:attr" % text)
    is_file = place.endswith(".py") or os.sep in place
    value: Any = _load_file(place) if is_file else _load_module(place)
    for part in attribute.split("."):
        if not hasattr(value, part):
            raise TargetError("no attribute %r in %s%s" % (part, place, _near(value, part)))
        _refuse_method(value, part, text)
        value = getattr(value, part)
    if not callable(value):
        raise TargetError("%s is a %s, not callable" % (text, type(value).__name__))
    function: Callable[..., Any] = value
    return function


def _refuse_method(owner: object, name: str, text: str) -> None:
    """Refuse a method of a class: called alone, it would get the call's number as its instance."""
    if not isinstance(owner, type):
        return
    if isinstance(inspect.getattr_static(owner, name), FunctionType) and name != "__new__":
        raise TargetError(
            "%s is a method and needs an instance of %s; wrap it: def one_call(): %s(…).%s(…)"
            % (text, owner.__name__, owner.__name__, name)
        )


def _near(value: object, name: str) -> str:
    import difflib

    public = (
        [other for other in vars(value) if not other.startswith("_")]
        if hasattr(value, "__dict__")
        else []
    )
    close = difflib.get_close_matches(name, public, 3) or public[:5]
    return "; it has %s" % ", ".join(sorted(close)) if close else ""


def required(function: Callable[..., Any]) -> int:
    """Return how many positional arguments a call of `function` must give.

    A call that runs nothing is refused: it would read as flat, whatever the function does.
    """
    if is_generator(function):
        raise TargetError(
            "%s is a generator function: a call makes a generator and runs none of it; "
            "measure what runs it, such as a function with `for _ in %s(…): pass`"
            % ((getattr(function, "__name__", "it"),) * 2)
        )
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0  # a builtin without a signature: called with nothing
    empty = inspect.Parameter.empty
    keyword = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is empty]
    if keyword:
        raise TargetError(
            "%s needs the keyword argument %r; wrap it: def one_call(): %s(%s=…)"
            % (_name(function), keyword[0], _name(function), keyword[0])
        )
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(1 for p in parameters if p.kind in kinds and p.default is empty)


def _name(function: Callable[..., Any]) -> str:
    name: str = getattr(function, "__qualname__", None) or type(function).__name__
    return name


def _wrapped(function: Callable[..., Any]) -> str:
    """Return a function to write around one that takes more than a target may."""
    keyword = "await " if is_asynchronous(function) else ""
    return "%sdef one_call(): %s%s(…)" % ("async " if keyword else "", keyword, _name(function))


def nothing_ran(returned: object) -> TargetError:
    """Return the error for a call that made one of `NOTHING_RAN` and ran none of it."""
    what = "generator: measure a function that runs it, such as with `for _ in …: pass`"
    if isinstance(returned, NOTHING_RAN[2:]):
        what = "context manager: measure a function that enters it, such as with `with …: pass`"
    return TargetError("none of its lines ran, because the call only made a " + what)


def bind(function: Callable[..., Any], value: Any, inputs: Optional[List[Any]]) -> Arguments:
    """Return `arguments(number)`, the tuple with which call `number` calls the function.

    The caller applies it itself: no frame of ours may stand under the target's, where a kept
    traceback would keep it too.
    """
    count = required(function)
    most = 1 if value is None else 2
    if count > most:
        raise TargetError(
            "%s takes %d arguments; a target takes none or the call's number%s; wrap it: %s"
            % (
                _name(function),
                count,
                "" if most == 1 else ", after the value of its set-up",
                _wrapped(function),
            )
        )
    if inputs is not None and count == 0:
        raise TargetError("inputs are given, but the target takes no argument")

    def last(number: int) -> Any:
        return inputs[number % len(inputs)] if inputs else number

    if count == 0:
        return lambda number: ()
    if count == 1:
        return lambda number: (last(number),)
    return lambda number: (value, last(number))


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Return whether calling `function` gives an awaitable, as far as can be told beforehand."""
    return any(map(inspect.iscoroutinefunction, _what_runs(function)))


def is_generator(function: Callable[..., Any]) -> bool:
    """Return whether calling `function` makes a generator, asynchronous or not."""
    kinds = (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(kind(one) for kind in kinds for one in _what_runs(function))


def _what_runs(function: Callable[..., Any]) -> Tuple[Any, Any]:
    """Return the function inside any partials, and the `__call__` of its type."""
    seen: Any = function
    while hasattr(seen, "func"):  # functools.partial
        seen = seen.func
    return seen, getattr(type(seen), "__call__", None)  # noqa: B004 - the method itself
