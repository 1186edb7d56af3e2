"""Let one other tool judge one workload, and print what it said as JSON.

Run by path, in the peers' own virtual environment:
    trial.py TOOL SETTING TARGET SETUP-OR-DASH
Nothing of this repository is imported. `said` is leak or clean; `calls` counts every call of the
workload. Coroutine functions run on one event loop, as a server would.
"""

import asyncio
import gc
import importlib.util
import inspect
import json
import os
import subprocess
import sys
import tempfile
import time


class Calls:
    """Call the workload through, and count."""

    def __init__(self, target):
        self.target = target
        self.number = 0
        self.loop = asyncio.new_event_loop() if inspect.iscoroutinefunction(target) else None

    def __call__(self):
        self.number += 1
        if self.loop is None:
            self.target()
        else:
            self.loop.run_until_complete(self.target())


def load(target):
    path, attribute = target.rsplit(":", 1)
    name = os.path.basename(path)[:-3]  # noqa: PTH119 - as light as the workloads are small
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return getattr(sys.modules[name], attribute)


def psleak(calls, setting):
    import psleak

    options = {}
    if setting == "best":
        for _ in range(600):  # its own warm-up comes after its look at descriptors and threads
            calls()
        gc.collect()
        options = {"tolerance": 4096, "checkers": psleak.Checkers.exclude("gcgarbage")}
    case = psleak.MemoryLeakTestCase()
    case.setUpClass()
    try:
        case.execute(calls, **options)
    except AssertionError as error:  # each of its findings is one
        return "leak", type(error).__name__
    return "clean", ""


def python_leak_hunter(calls, setting):
    from leak_hunter import measure_growth

    options = {}
    if setting == "best":
        options = {"warmup": 400, "iterations": 200, "min_per_call": 0.005}
    report = measure_growth(calls, **options)
    return ("leak", str(report.suspect)) if report.leaked else ("clean", "")


def leak_assert(calls, setting):
    from leak_assert import LeakTest
    from leak_assert.assertions import LeakAssertionError

    warmup, limit = (1000, "32/iter") if setting == "best" else (50, "1kb/iter")
    with LeakTest(iterations=1000, warmup=warmup) as test:
        for _ in test:
            calls()
    try:
        test.assert_growth_rate(max=limit)
    except LeakAssertionError as error:
        return "leak", error.actual
    return "clean", ""


PYTEST_MEMRAY = """
import gc, json, os, sys
sys.path.insert(0, {folder!r})
import trial, pytest

calls = trial.Calls(trial.load({target!r}))
for _ in range({warmup}):
    calls()
gc.collect()

@pytest.mark.limit_leaks({limit!r})
def test_workload():
    for _ in range({number}):
        calls()
    gc.collect()
"""


def pytest_memray(target, setup, setting):
    warmup, number, limit = (600, 400, "16 KB") if setting == "best" else (0, 100, "1 MB")
    folder = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    body = PYTEST_MEMRAY.format(
        folder=folder, target=target, warmup=warmup, number=number, limit=limit
    )
    if setup != "-":
        body = body.replace("for _", f"trial.load({setup!r})()\nfor _", 1)
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "test_trial.py")  # noqa: PTH118
        with open(path, "w") as file:  # noqa: PTH123
            file.write(body)
        command = [sys.executable, "-m", "pytest", "--memray", "-q", "-p", "no:cacheprovider"]
        ran = subprocess.run([*command, "--rootdir", place, path], capture_output=True, text=True)
    if ran.returncode > 1 or (ran.returncode and "allowed to leak" not in ran.stdout):
        raise RuntimeError(f"pytest exit {ran.returncode}: {ran.stdout[-300:]}")
    return ("leak" if ran.returncode else "clean"), "", warmup + number


def pytest_benchmem(calls, setting):
    from pytest_benchmem import measure_memory

    few, many = (300, 1200) if setting == "best" else (1, 1)
    before = measure_memory(calls, repeats=1, calls=few).peak_bytes
    after = measure_memory(calls, repeats=1, calls=many).peak_bytes
    grew = after > before * 1.1
    return ("leak" if grew else "clean"), f"peak {before} then {after}"


TOOLS = {
    "psleak": psleak,
    "python-leak-hunter": python_leak_hunter,
    "leak-assert": leak_assert,
    "pytest-benchmem": pytest_benchmem,
}


def trial(tool, setting, target, setup):
    started = time.perf_counter()
    if tool == "pytest-memray":
        said, detail, number = pytest_memray(target, setup, setting)
    else:
        if setup != "-":
            load(setup)()
        calls = Calls(load(target))
        gc.collect()
        said, detail = TOOLS[tool](calls, setting)
        number = calls.number
    elapsed_s = time.perf_counter() - started
    return {"said": said, "calls": number, "elapsed_s": elapsed_s, "detail": detail}


if __name__ == "__main__":
    answer = trial(*sys.argv[1:])
    sys.stdout.write("\n" + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # some leaks are threads that never end
