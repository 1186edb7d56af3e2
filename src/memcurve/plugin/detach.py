"""Keep what pytest records of a running test out of the measured memory.

pytest keeps about 960 bytes for each log record, 390 for each warning, and, with `--capture=sys`,
every byte that is printed. So its handlers are detached while calls are measured. Where the test
itself asks for one of these records (`caplog`, `recwarn`, `capsys` …), that one stays and is
emptied after each call.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Tidy = Callable[[], None]
_CAPTURES = ("capsys", "capfd", "capsysbinary", "capfdbinary")


@contextlib.contextmanager
def records_detached(item: pytest.Item) -> Iterator[None]:
    """Detach pytest's log handlers, warning recorder and output capture from this process."""
    values = funcargs_of(item)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_log_detached(values.get("caplog")))
        if "recwarn" not in values:
            stack.enter_context(_warnings_dropped())
        if not any(name in values for name in _CAPTURES):
            stack.enter_context(_output_dropped())
        yield


def tidiers(item: pytest.Item) -> list[Tidy]:
    """Return what must be called after each call, because the test asks for a record."""
    values = funcargs_of(item)
    found: list[Tidy] = []
    if "caplog" in values:
        found.append(values["caplog"].clear)
    if "recwarn" in values:
        found += [values["recwarn"].clear, _warn_again]
    found += [values[name].readouterr for name in _CAPTURES if name in values]
    return found


def _warn_again() -> None:
    """Let a place that has warned warn again: a change of filters empties the registries."""
    warnings.simplefilter("default")


def funcargs_of(item: pytest.Item) -> dict[str, Any]:
    """Return the values of the fixtures of a test, by name."""
    values: dict[str, Any] = getattr(item, "funcargs", {})
    return values


@contextlib.contextmanager
def _log_detached(caplog: object) -> Iterator[None]:
    root = logging.getLogger()
    kept = getattr(caplog, "handler", None)
    detached = [h for h in root.handlers if _is_pytests(h) and h is not kept]
    for handler in detached:
        root.removeHandler(handler)
    try:
        yield
    finally:
        for handler in detached:
            root.addHandler(handler)


def _is_pytests(handler: logging.Handler) -> bool:
    return any(ancestor.__module__ == "_pytest.logging" for ancestor in type(handler).__mro__)


@contextlib.contextmanager
def _warnings_dropped() -> Iterator[None]:
    """Drop warnings that would be recorded; those that are turned into errors are still raised."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda *_, **__: None
        yield


@contextlib.contextmanager
def _output_dropped() -> Iterator[None]:
    with (
        open(os.devnull, "w") as nowhere,  # noqa: PTH123 - no path, a device
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        yield
