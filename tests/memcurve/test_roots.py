"""Who is named as the root of an object: every kind, and nothing where there is nothing."""

import asyncio
import contextvars
import ctypes
import functools
import gc
import threading
from collections.abc import Callable, Iterator

import pytest

from memcurve.measure.worker import roots
from memcurve.measure.worker.chain import Root

GLOBAL: list[object] = []


class Holder:
    SHARED: list[object] = []  # noqa: RUF012 - a class attribute is what is meant

    def __init__(self) -> None:
        self.items: list[object] = []


HOLDER = Holder()
LOCAL = threading.local()
VARIABLE: contextvars.ContextVar[list[object]] = contextvars.ContextVar("requests")


def _closure() -> tuple[list[object], Callable[[], int]]:
    inside: list[object] = []

    def count() -> int:
        return len(inside)

    return inside, count


@functools.cache
def _cached() -> list[object]:
    return [object()]


def _suspended() -> Iterator[list[object]]:
    waiting: list[object] = [object()]
    yield waiting


INSIDE, COUNT = _closure()
SUSPENDED = _suspended()


@pytest.fixture
def search() -> roots.Search:
    gc.unfreeze()
    gc.collect()
    return roots.Search({}, {id(globals().get("nothing"))})


def test_a_module_global_is_named_with_its_module(search: roots.Search) -> None:
    found = search.up(GLOBAL)
    assert (found.kind, found.steps) == ("module global", [(f"{__name__}.GLOBAL", "list")])


def test_an_attribute_of_a_global_instance_is_a_step(search: roots.Search) -> None:
    found = search.up(HOLDER.items)
    name = f"{__name__}.Holder"
    assert found.steps == [(f"{__name__}.HOLDER", name), (".items", "list")]


def test_a_class_attribute_is_a_root(search: roots.Search) -> None:
    found = search.up(Holder.SHARED)
    assert (found.kind, found.steps) == (
        "class attribute",
        [(f"{__name__}.Holder.SHARED", "list")],
    )


def test_a_closure_cell_is_told_by_the_name_of_its_variable(search: roots.Search) -> None:
    # the module also names the list itself: without that only the function holds it
    inside = globals().pop("INSIDE")
    try:
        found = search.up(inside)
    finally:
        globals()["INSIDE"] = inside
    assert found.kind in ("closure cell", "running frame")


def test_a_cache_is_a_root(search: roots.Search) -> None:
    found = search.up(_cached())
    assert found.kind == "lru_cache"
    assert "_cached" in found.steps[0][0]


def test_the_local_of_a_suspended_generator_is_told(search: roots.Search) -> None:
    found = search.up(next(SUSPENDED))
    assert found.kind == "suspended frame"
    assert any("local 'waiting'" in label for label, _ in found.steps)


def test_a_thread_local_is_a_root(search: roots.Search) -> None:
    LOCAL.seen = [object()]
    assert search.up(LOCAL.seen).kind in ("thread local", "module global")


def test_a_context_variable_is_told_by_its_name(search: roots.Search) -> None:
    context = contextvars.Context()
    context.run(VARIABLE.set, [object()])
    found = search.up(next(iter(context.values())))
    assert found.kind == "context variable"
    assert "'requests'" in found.steps[0][1]


def test_a_timer_of_a_loop_is_held_by_the_loop(search: roots.Search) -> None:
    loop = asyncio.new_event_loop()
    handle = loop.call_later(1000, print)
    try:
        found = search.up(handle)
        assert found.kind == "event loop"
        assert any("_scheduled" in label for label, _ in found.steps)
    finally:
        loop.close()


def test_the_local_of_a_thread_that_runs_is_found(search: roots.Search) -> None:
    ready, done = threading.Event(), threading.Event()
    places: list[int] = []

    def work() -> None:
        kept = [object()]
        places.append(id(kept))
        ready.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(5)
        kept = ctypes.cast(places[0], ctypes.py_object).value
        found = search.up(kept)
        del kept
        assert any("local 'kept'" in label for label, _ in found.steps)
    finally:
        done.set()
        thread.join()


def test_what_nothing_refers_to_is_held_outside_python(search: roots.Search) -> None:
    lost = [object()]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(lost))
    place = id(lost)
    del lost
    thing = ctypes.cast(place, ctypes.py_object).value

    def alone() -> Root:
        return search.up(ctypes.cast(place, ctypes.py_object).value)

    del thing
    found = alone()
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(ctypes.cast(place, ctypes.py_object).value))
    assert found.kind == roots.OUTSIDE


def test_a_set_up_value_that_only_the_worker_holds_is_a_root() -> None:
    value = Holder()
    search = roots.Search({id(value): "value of the set-up"}, set())
    assert search.up(value.items).kind == "value of the set-up"
