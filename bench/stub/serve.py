"""The server process: listen, say so, and end with the parent."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

from bench.stub.connection import Connection
from bench.stub.counters import GaugeFile
from bench.stub.service import Service

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
_BACKLOG = 1024
_MOST_DESCRIPTORS = 65_536
_PR_SET_PDEATHSIG = 1


def serve(port: int, *, watch_stdin: bool, stay: bool, gauges: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until the parent is gone.

    `watch_stdin` ends the server with the end of its standard input, which the parent holds open.
    `stay` lets it outlive its parent. `gauges` is a file to keep the counts of connections in.
    Raises OSError when the port is taken.
    """
    asyncio.run(_serve(port, watch_stdin, stay, gauges))


async def _serve(port: int, watch_stdin: bool, stay: bool, gauges: Path | None) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    if watch_stdin:
        loop.add_reader(sys.stdin.fileno(), _end_at_eof, done)
    if not stay:
        _end_with_parent(loop, done)
    _raise_descriptor_limit()
    service = Service(GaugeFile(gauges) if gauges is not None else None)
    server = await loop.create_server(
        lambda: Connection(service), HOST, port, backlog=_BACKLOG, reuse_address=True
    )
    gc.freeze()  # what was imported stays; the collector need not walk it between requests
    print(f"ready http://{HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await done.wait()
    server.close()


def _end_at_eof(done: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        done.set()


def _end_with_parent(loop: asyncio.AbstractEventLoop, done: asyncio.Event) -> None:
    """Ask Linux for a signal when the parent dies; elsewhere only the end of standard input tells.

    The end of standard input alone is not enough: a process that the parent forked holds the same
    pipe open. Nor is the signal: it also comes when merely the thread that started the server ends,
    so the handler looks again.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()

    def look() -> None:
        if os.getppid() != parent:
            done.set()

    loop.add_signal_handler(signal.SIGUSR1, look)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGUSR1)
    look()


def _raise_descriptor_limit() -> None:
    """Allow as many connections as a client that never closes one can open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
