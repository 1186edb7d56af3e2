"""Run one workload under the preloaded counters and write what lives at each mark.

Run by path, as a script, with nothing but the standard library:
    counted.py LIBRARY TARGET SETUP-OR-DASH DESCRIPTOR WAITS MARK…
After each MARK calls it collects, lets tasks end, and writes to DESCRIPTOR the counters' live
blocks, mapped bytes, and one line "resources FDS THREADS TASKS". Then it stands still until a byte
comes through WAITS. After the last mark it writes "last". Programs that it starts are not counted
by the preloaded library: their pages are read from outside.
"""

import asyncio
import ctypes
import gc
import importlib.util
import inspect
import os
import sys

SETTLE_S = 0.15


def load(target):
    path, attribute = target.rsplit(":", 1)
    name = os.path.basename(path)[:-3]  # noqa: PTH119 - no pathlib: it would be counted
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return getattr(sys.modules[name], attribute)


def mark(counter, descriptors, calls, tasks):
    for _ in range(3):
        gc.collect()
    descriptor, waits = descriptors
    if counter.counter_write(descriptor, ctypes.c_long(calls)) != 0:
        raise OSError("the malloc counter could not write its mark")
    fds = len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    lines = b"mapped %d\nresources %d %d %d\n"
    os.write(descriptor, lines % (counter.counter_mapped(), fds, threads, tasks))
    os.read(waits, 1)


def run(target, marks, counter, descriptors):
    done = 0
    for calls in marks:
        for _ in range(calls - done):
            target()
        done = calls
        mark(counter, descriptors, calls, 0)


async def run_async(target, marks, counter, descriptors):
    done = 0
    for calls in marks:
        for _ in range(calls - done):
            await target()
        done = calls
        await asyncio.sleep(SETTLE_S)
        mark(counter, descriptors, calls, len(asyncio.all_tasks()) - 1)


def main(library, target, setup, descriptor, waits, *marks):
    counter = ctypes.CDLL(library)
    counter.counter_mapped.restype = ctypes.c_long
    descriptors = int(descriptor), int(waits)
    for one in descriptors:
        os.set_inheritable(one, False)
    for name in ("LD_PRELOAD", "PYTHONMALLOC"):
        del os.environ[name]
    if counter.counter_install() != 0:
        raise OSError("the malloc counter found no allocator of CPython to wrap")
    if setup != "-":
        load(setup)()
    function = load(target)
    arguments = (function, [int(calls) for calls in marks], counter, descriptors)
    if inspect.iscoroutinefunction(function):
        asyncio.run(run_async(*arguments))
    else:
        run(*arguments)
    os.write(descriptors[0], b"last\n")
    os._exit(0)  # some leaks are threads that never end


if __name__ == "__main__":
    main(*sys.argv[1:])
