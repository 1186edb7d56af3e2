"""Threads, processes, descriptors and tasks, all of them given back; and those that are not."""

import asyncio
import os
import queue
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


def thread_joined():
    thread = threading.Thread(target=bytes, args=(10_000,))
    thread.start()
    thread.join()


_executor = None


def thread_pool():
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(4)
    list(_executor.map(bytes, range(1000, 1008)))


def subprocess_run():
    subprocess.run(["true"], check=True, capture_output=True)


def files_closed():
    with Path(os.devnull).open("rb") as file:
        file.read()
    for end in socket.socketpair():
        end.close()


_open_files = []


def descriptor_pool():
    if len(_open_files) < 8:
        _open_files.append(os.open(os.devnull, os.O_RDONLY))
    os.read(_open_files[0], 1)


class _Wire:
    def __init__(self):
        self.ends = [_QuietSocket(end) for end in socket.socketpair()]
        self.me = self


class _QuietSocket:
    def __init__(self, raw):
        self.descriptor = raw.detach()

    def __del__(self):
        os.close(self.descriptor)


def sockets_in_a_cycle():
    _Wire()


async def pure_coroutine():
    await asyncio.gather(*(asyncio.sleep(0) for _ in range(5)))


_background = set()


async def background_task_50_ms():
    task = asyncio.ensure_future(_work_in_background())
    _background.add(task)
    task.add_done_callback(_background.discard)


async def _work_in_background():
    payload = bytes(1000)
    await asyncio.sleep(0.05)
    return len(payload)


_inbox = None
_worker = None


async def queue_with_worker():
    global _inbox, _worker
    if _inbox is None:
        _inbox = asyncio.Queue()
        _worker = asyncio.ensure_future(_drain(_inbox))
    await _inbox.put(bytes(500))
    await _inbox.join()


async def _drain(inbox):
    while True:
        await inbox.get()
        inbox.task_done()


_forever = threading.Event()


def threads_never_end():
    threading.Thread(target=_forever.wait, daemon=True).start()


def descriptors_never_closed():
    os.open(os.devnull, os.O_RDONLY)


def descriptor_every_10th():
    if _tick() % 10 == 0:
        os.open(os.devnull, os.O_RDONLY)


_ticks = 0


def _tick():
    global _ticks
    _ticks += 1
    return _ticks


_sockets = []


def sockets_kept():
    _sockets.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))


_tasks = []


async def tasks_never_awaited():
    _tasks.append(asyncio.ensure_future(asyncio.sleep(36_000)))


_stuck = []


async def tasks_waiting_for_ever():
    _stuck.append(asyncio.ensure_future(asyncio.Event().wait()))
    await asyncio.sleep(0)


_results = []


async def results_kept():
    await asyncio.sleep(0)
    _results.append(bytes(2000))


async def timers_far_away():
    asyncio.get_running_loop().call_later(36_000, len, bytes(1500))


_long_lived = None


async def callbacks_on_a_long_lived_future():
    global _long_lived
    if _long_lived is None:
        _long_lived = asyncio.get_running_loop().create_future()
    payload = bytes(1200)
    _long_lived.add_done_callback(lambda _: len(payload))


_jobs = queue.Queue()
_answers = queue.Queue()
_history = []
_helper = None


def _serve():
    while True:
        job = _jobs.get()
        _history.append(bytes(800))
        _answers.put(job)


def leak_in_a_thread():
    global _helper
    if _helper is None:
        _helper = threading.Thread(target=_serve, daemon=True)
        _helper.start()
    _jobs.put(1)
    _answers.get()
