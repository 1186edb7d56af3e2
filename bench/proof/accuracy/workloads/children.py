"""Processes that come and go, pools of them, and those that keep what they were given."""

import asyncio
import concurrent.futures
import itertools
import multiprocessing
import os
import subprocess
import sys

_calls = itertools.count()
_one = {}
_BATCH = bytes(20_000)


def _started(name, make):
    """Return what is made once, at the first call."""
    if name not in _one:
        _one[name] = make()
    return _one[name]


def _pool(start, size, **more):
    return _started("pool", lambda: multiprocessing.get_context(start).Pool(size, **more))


def _executor(start):
    context = multiprocessing.get_context(start)
    return _started(
        "executor", lambda: concurrent.futures.ProcessPoolExecutor(1, mp_context=context)
    )


def process_joined():
    process = multiprocessing.get_context("fork").Process(target=len, args=(_BATCH,))
    process.start()
    process.join()
    process.close()


def forked_pool_of_2():
    _pool("fork", 2).map(len, [_BATCH] * 4)


def spawned_executor():
    _executor("spawn").submit(len, _BATCH).result()


def forkserver_executor():
    _executor("forkserver").submit(len, _BATCH).result()


def loky_executor():
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(max_workers=1, timeout=None).submit(len, _BATCH).result()


def _sizes(parallel):
    from joblib import delayed

    parallel(delayed(len)(_BATCH) for _ in range(2))


def _parallel():
    from joblib import Parallel

    return Parallel(n_jobs=2)


def joblib_with_two_jobs():
    _sizes(_started("parallel", lambda: _parallel().__enter__()))


def joblib_begun_anew():
    _sizes(_parallel())


async def asyncio_subprocess():
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()


_seen = {}


def _remembered(number):
    _seen[number % 200] = bytes(4000)
    return number


def cache_of_200_in_a_worker():
    _pool("fork", 1).apply(_remembered, (next(_calls),))


_kept = []


def _keep(size):
    _kept.append(bytes(size))
    return size


def workers_replaced_after_40_jobs():
    _pool("fork", 1, maxtasksperchild=40).apply(_keep, (20_000,))


def kept_by_a_forked_worker():
    _pool("fork", 1).apply(_keep, (20_000,))


_KEEPS = "import sys; vars(sys).setdefault('kept', []).append(bytes(12_000))"


def kept_by_a_spawned_worker():
    _executor("spawn").submit(exec, _KEEPS).result()


def kept_below_a_forkserver():
    _executor("forkserver").submit(exec, _KEEPS).result()


def kept_by_loky():
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(max_workers=1, timeout=None).submit(exec, _KEEPS).result()


_HELPER = """
import sys
answers = {}
for line in sys.stdin:
    answers[line] = bytes(8000)
    print("ok", flush=True)
"""


def _helper():
    command = [sys.executable, "-c", _HELPER]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1)


def kept_by_a_helper_program():
    helper = _started("helper", _helper)
    helper.stdin.write(f"request {next(_calls)}\n")
    helper.stdout.readline()


def _ended():
    if os.fork() == 0:
        os._exit(0)


def zombie_every_10th():
    if next(_calls) % 10 == 0:
        _ended()


def process_every_20th():
    if next(_calls) % 20 == 0:
        _kept.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
