"""Run one workload under the preloaded malloc counter and write what lives at each mark.

Run by path, as a script, with nothing but the standard library:
    counted.py LIBRARY TARGET SETUP-OR-DASH DESCRIPTOR MARK…
After each MARK calls it collects, lets tasks end, and writes to DESCRIPTOR the counter's live
blocks and one line "resources FDS THREADS TASKS".
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


def mark(counter, descriptor, calls, tasks):
    for _ in range(3):
        gc.collect()
    if counter.counter_write(descriptor, ctypes.c_long(calls)) != 0:
        raise OSError("the malloc counter could not write its mark")
    fds = len(os.listdir("/proc/self/fd")) - 1  # noqa: PTH208
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208
    os.write(descriptor, b"resources %d %d %d\n" % (fds, threads, tasks))


def run(target, marks, counter, descriptor):
    done = 0
    for calls in marks:
        for _ in range(calls - done):
            target()
        done = calls
        mark(counter, descriptor, calls, 0)


async def run_async(target, marks, counter, descriptor):
    done = 0
    for calls in marks:
        for _ in range(calls - done):
            await target()
        done = calls
        await asyncio.sleep(SETTLE_S)
        mark(counter, descriptor, calls, len(asyncio.all_tasks()) - 1)


def main(library, target, setup, descriptor, *marks):
    counter = ctypes.CDLL(library)
    if counter.counter_install() != 0:
        raise OSError("the malloc counter found no allocator of CPython to wrap")
    if setup != "-":
        load(setup)()
    function = load(target)
    arguments = (function, [int(calls) for calls in marks], counter, int(descriptor))
    if inspect.iscoroutinefunction(function):
        asyncio.run(run_async(*arguments))
    else:
        run(*arguments)
    os._exit(0)  # some leaks are threads that never end


if __name__ == "__main__":
    main(*sys.argv[1:])
