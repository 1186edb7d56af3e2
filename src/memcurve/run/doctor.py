"""Say what can be counted with an interpreter, how exactly, and what the next best costs.

The interpreter is started as for a measurement and tries every source of every counter. What it
tells is turned here into one line for each counter, with the price in the verdicts.
"""

import importlib.util
import shutil
import sys
from typing import Any

import msgspec

from memcurve.measure.headroom import read_headroom
from memcurve.measure.isolation import Guard, SpawnedWorker
from memcurve.measure.runner import Session
from memcurve.model.diagnosis import CounterSource, Diagnosis, Headroom, Tool
from memcurve.model.errors import MeasureError
from memcurve.model.recording import Environment, Failure, Source
from memcurve.model.units import format_bytes

START_TIMEOUT_S = 30.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
IN_PAGES = "a leak shows in steps of 4 KiB: one below about 64 B a call may stay inconclusive"


def diagnose(python: str = sys.executable) -> Diagnosis:
    """Start `python`, let it try every source, and say what it found. Costs about 0.1 s.

    Raises MeasureError if the interpreter cannot be started or is older than CPython 3.8.
    """
    with SpawnedWorker(python, {}) as worker:
        session = Session(worker, START_TIMEOUT_S)
        answer = session.ask({"op": "diagnose"}, Guard(worker.pid, START_TIMEOUT_S, lambda: 0))
    if isinstance(answer, Failure):
        said = answer.output.splitlines()[-1:] or [answer.message]
        raise MeasureError(
            f"{python}: the worker did not start ({said[0]}); it needs CPython 3.8 or newer"
        )
    return diagnosis_of(answer, read_headroom())


def diagnosis_of(facts: dict[str, Any], headroom: Headroom | None = None) -> Diagnosis:
    """Turn what a worker told into a diagnosis."""
    environment = msgspec.convert(facts["environment"], Environment)
    sources = environment.sources
    return Diagnosis(
        exact=any(sources[name].exact for name in ("python_bytes", "malloc_bytes")),
        environment=environment,
        key=environment.key,
        counters=(*_heaps(environment), *_objects(environment, facts), *_system(facts)),
        isolation=_isolation(environment, facts),
        thread_cache_off=not facts["thread_cache"],
        row_s=facts["row_ns"] / 1e9,
        tools=_tools(facts["modules"]),
        headroom=headroom,
        notes=tuple(_notes(environment, facts)),
    )


def _heaps(environment: Environment) -> list[CounterSource]:
    python, malloc = (environment.sources[name] for name in ("python_bytes", "malloc_bytes"))
    both = python.exact and malloc.exact
    if both:
        live = deferred = ""
    else:
        live, deferred = IN_PAGES, "known to the byte for the exact heap alone"
    return [
        _row("python_bytes", python.name, python.exact, _price(python)),
        _row("malloc_bytes", malloc.name, malloc.exact, _price(malloc)),
        _row("live_bytes", "the sum of both", both, live),
        _row("deferred_bytes", "both, around a collection", both, deferred),
    ]


def _price(source: Source) -> str:
    if source.exact or not source.note:
        return source.note
    return source.note if source.name == "none" else f"{source.note}; {IN_PAGES}"


def _objects(environment: Environment, facts: dict[str, Any]) -> list[CounterSource]:
    tracked = facts["freezes"] and environment.implementation == "CPython"
    note = "" if tracked else "no gc.freeze here: what was there before looks like a survivor"
    return [
        _row("objects", "gc.get_objects since gc.freeze" if tracked else "none", tracked, note),
        _row("tasks", "asyncio.all_tasks", True),
    ]


def _system(facts: dict[str, Any]) -> list[CounterSource]:
    if facts["proc"]:
        peak = "" if facts["resets_peak"] else "it cannot be reset: it is of the whole process"
        return [
            _row("fds", "/proc/self/fd", True),
            _row("sockets", "/proc/self/fd", True),
            _row("threads", "/proc/self/stat", True),
            _row("rss_bytes", "/proc/self/statm", False, "pages, shared by everything"),
            _row("rss_peak_bytes", "VmHWM", False, peak),
        ]
    psutil = facts["modules"]["psutil"]
    handles = "psutil handles" if psutil else "none"
    fds = "/dev/fd" if facts["dev_fd"] else handles
    missing = "install psutil in the measured interpreter"
    unseen = "" if psutil else f"threads that Python did not start are not seen: {missing}"
    return [
        _row("fds", fds, fds != "none", "" if fds != "none" else missing),
        _row("sockets", "none", False, "counted among the descriptors only"),
        _row("threads", "psutil" if psutil else "threading.active_count", psutil, unseen),
        _row("rss_bytes", "psutil" if psutil else "none", False, "" if psutil else missing),
        _row("rss_peak_bytes", "getrusage", False, "it cannot be reset: it is of the process"),
    ]


def _row(counter: str, source: str, exact: bool, note: str = "") -> CounterSource:
    return CounterSource(counter=counter, source=source, exact=exact, note=note)


def _isolation(environment: Environment, facts: dict[str, Any]) -> tuple[str, ...]:
    if environment.platform == "win32":
        return ("none",)
    return ("fork", "spawn", "none") if facts["fork"] else ("spawn", "none")


def _tools(modules: dict[str, bool]) -> tuple[Tool, ...]:
    here = {name: importlib.util.find_spec(name) is not None for name in ("matplotlib", "jinja2")}
    browser = any(shutil.which(name) for name in BROWSERS)
    told = (
        ("memray", modules["memray"], "call sites of native memory; tracemalloc stands in"),
        ("objgraph", modules["objgraph"], "drawings of who holds a culprit; its path stands in"),
        ("psutil", modules["psutil"], "counters where there is no /proc"),
        ("matplotlib", here["matplotlib"], "pictures of curves: memcurve[report]"),
        ("jinja2", here["jinja2"], "the page of a run: memcurve[report]"),
        ("dot", shutil.which("dot") is not None, "drawings of cycles; a plain ring stands in"),
        ("chromium", browser, "memcurve's own tests of the page, nothing else"),
    )
    return tuple(Tool(name=n, found=bool(f), purpose=p) for n, f, p in told)


def _notes(environment: Environment, facts: dict[str, Any]) -> list[str]:
    notes = []
    sources = environment.sources
    python, malloc = sources["python_bytes"], sources["malloc_bytes"]
    if not (python.exact or malloc.exact):
        notes.append("nothing can be counted exactly: verdicts would rest on resident memory")
    if facts["thread_cache"]:
        notes.append(
            "malloc's thread cache could not be turned off (GLIBC_TUNABLES): each thread may hold "
            "up to 244 KB of freed blocks that count as in use, so small leaks take longer to prove"
        )
    if environment.free_threaded:
        notes.append(
            "free-threaded build: Python's allocator (mimalloc) does not tell its live bytes; run "
            "the same code on the default build of this version to count to the byte"
        )
    if "musl" in environment.libc:
        notes.append("musl has no statistics of malloc; run the same code on glibc to see it")
    if facts["debug"]:
        notes.append(
            "debug hooks are on (PYTHONMALLOC or -X dev): each block is 24 to 32 bytes larger"
        )
    if python.exact and python.name == "none":
        notes.append(
            "PYTHONMALLOC=malloc: the total is exact, but not split between the heaps, and each "
            "object is larger by malloc's header"
        )
    if "+" in environment.allocator:
        library = environment.allocator.partition("+")[2]
        notes.append(f"{library} stands in for malloc: figures compare with such runs alone")
    if malloc.name == "mallinfo":
        notes.append("a heap beyond 4 GiB wraps around: its growth is still right, its size not")
    if environment.platform == "win32":
        notes.append("no fork and no pipes to a child here: only isolation 'none' is to be had")
    return notes


def headline(diagnosis: Diagnosis) -> str:
    """Return what decides in one line."""
    live = next(row for row in diagnosis.counters if row.counter == "live_bytes")
    if live.exact:
        return "live memory is counted to the byte"
    if diagnosis.exact:
        return "live memory is counted to the byte in one heap, in pages in the other"
    return "nothing can be counted exactly"


def headroom_text(headroom: Headroom | None) -> str:
    """Return the nearest limit on memory in words."""
    if headroom is None:
        return "unknown"
    left = format_bytes(headroom.left_bytes)
    if headroom.limit_bytes is None:
        return f"none but the machine's: {left} to be had"
    return f"{format_bytes(headroom.limit_bytes)} ({headroom.source}), {left} left"
