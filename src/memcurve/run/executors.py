"""Executors by name: processes of this machine, or the workers of a dask cluster.

processes://4           four processes here
dask://HOST:PORT        the cluster whose scheduler listens there (extra "dask")
"""

import contextlib
import ctypes
import importlib
import multiprocessing
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

from memcurve.model.errors import MeasureError
from memcurve.run.elsewhere import Place

CONNECT_S = 10
DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux."""
MOST_PROCESSES = 1024
_PROCESSES = re.compile(r"processes://(\d{1,4})")
_DASK = re.compile(r"dask://([^/\s:@]+|\[[0-9a-fA-F:]+\]):(\d{1,5})")


def place_at(text: str) -> Place:
    """Return where ``processes://N`` or ``dask://HOST:PORT`` runs jobs.

    Raises MeasureError for anything else, and where the package for it is missing.
    """
    if found := _PROCESSES.fullmatch(text):
        count = int(found[1])
        if 1 <= count <= MOST_PROCESSES:
            return Place(opened=lambda: _processes(count), width=count)
    if found := _DASK.fullmatch(text):
        address = f"tcp://{found[1]}:{found[2]}"
        return Place(opened=lambda: _dask(address))
    raise MeasureError(f"no executor {text!r}; write processes://4 or dask://HOST:PORT")


@contextlib.contextmanager
def _processes(count: int) -> Iterator[Executor]:
    """Give a pool of processes; when it is left, they end, whatever they do."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, context, _end_with_the_asker, (os.getpid(),))
    before = set(multiprocessing.active_children())
    try:
        yield pool
    finally:
        for child in set(multiprocessing.active_children()) - before:
            child.kill()  # waits for no job: all are done, or nobody wants them any more
        pool.shutdown(cancel_futures=True)


def _end_with_the_asker(asker: int) -> None:
    """Have the kernel end this process with the one that asked for it, however that one ends."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != asker:
        os._exit(1)  # it was gone before


@contextlib.contextmanager
def _dask(address: str) -> Iterator[Executor]:
    """Give an executor on a cluster.

    The scheduler runs what it loses with a worker on another one. A job that runs when this is
    left goes on to its end there, and its result is dropped.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as error:
        raise MeasureError(
            "an executor dask://… needs another package: pip install 'memcurve[dask]'"
        ) from error
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise MeasureError(
            f"no scheduler of dask at {address}: {type(error).__name__}; "
            "start one with: dask scheduler"
        ) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise MeasureError(f"the cluster at {address} has no worker; start one: dask worker")
        yield client.get_executor(pure=False)
