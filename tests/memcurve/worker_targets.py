"""Targets that end, hang, allocate or misbehave, for `memcurve check` by their names."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

NOT_CALLABLE = 3
KEPT: list[object] = []
CALLS: list[int] = []


class Slotted:
    __slots__ = ("other",)


class Node:
    __slots__ = ("load", "me")

    def __init__(self) -> None:
        self.me = self
        self.load = bytes(4000)


def clean() -> bytes:
    return bytes(1000)


def needs_three(a: int, b: int, c: int) -> None: ...


def raises_at_once() -> None:
    raise LookupError("nothing there")


def raises_at_57(number: int) -> None:
    if number == 56:
        raise LookupError("gone")


def never_returns() -> None:
    threading.Event().wait()


def spins(number: int) -> None:
    while number >= 3:
        pass


def exits() -> None:
    sys.exit(5)


def exits_hard(number: int) -> None:
    if number == 9:
        os._exit(7)


def segfaults(number: int) -> None:
    if number == 9:
        ctypes.string_at(0)


def kills_itself(number: int) -> None:
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)


def forks() -> None:
    os.fork()


def forks_and_waits() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def closes_stderr() -> None:
    sys.stderr.close()
    with contextlib.suppress(OSError):
        os.close(2)


def allocates_without_end(number: int) -> None:
    while number == 4:
        KEPT.append(bytearray(1 << 20))
        time.sleep(0.001)  # the kernel must end it, not the machine around it first


def starts_a_daemon() -> None:
    """Leave a process behind that says where it is."""
    if not CALLS:
        CALLS.append(1)
        import subprocess

        process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        Path(os.environ["DAEMON_FILE"]).write_text(str(process.pid))
    if len(CALLS) == 1:
        threading.Event().wait()


def leaves_a_thread(number: int) -> None:
    if number % 100 == 0:
        threading.Thread(target=threading.Event().wait, daemon=True).start()


def keeps_slotted() -> None:
    KEPT.append(Slotted())


def keeps_native() -> None:
    KEPT.append(ctypes.create_string_buffer(8))
    ctypes.CDLL(None).malloc(ctypes.c_size_t(64))


def keeps_socket() -> None:
    KEPT.append(socket.socket())


def makes_garbage() -> None:
    Node()


def yields(number):
    KEPT.append(bytes(400))
    yield number


async def yields_later(number):
    KEPT.append(bytes(400))
    yield number


def returns_a_generator(number):
    return yields(number)


def returns_an_async_generator(number):
    return yields_later(number)


@contextlib.contextmanager
def makes_a_manager():
    KEPT.append(bytes(400))
    yield


class Yielding:
    def __new__(cls):
        return yields(1)


def exhausts_a_generator(number):
    return list(yields(number))


async def exhausts_an_async_generator(number):
    return [value async for value in yields_later(number)]
