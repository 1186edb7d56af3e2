"""Keep what is measured apart from who measures: start, watch, stop and kill worker processes.

A spawned worker is a fresh interpreter that imports the target once and forks for every pass. A
forked worker is a copy of this very process, for callables that have no name to import. Both speak
the same lines over a pair of pipes (see `worker.main`).
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, Self

from memcurve.model.errors import MeasureError
from memcurve.model.text import printable, printable_json

BOOT = Path(__file__).parent / "worker" / "boot.py"
# glibc's per-thread caches count freed chunks as in use; they are off from the process's start
TUNABLES = "glibc.malloc.tcache_count=0"
POLL_S = 0.1
OUTPUT_TAIL_BYTES = 2000
MEMORY_SHARE = 0.8

Message = dict[str, Any]


class WorkerLost(Exception):  # noqa: N818 - an event of the protocol, caught by the runner
    """The process that measured is gone, or had to be killed."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Watch(Protocol):
    """Called between waits; returns why the worker must be killed, or None."""

    def __call__(self) -> tuple[str, str] | None: ...


class Pipes:
    """JSON lines to and from a worker."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd, self._write_fd, self._rest = read_fd, write_fd, b""

    def send(self, message: Message) -> None:
        """Write one message; a worker that is gone shows at the next `receive`."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write_fd, json.dumps(message).encode() + b"\n")

    def receive(self, watch: Watch) -> Message | None:
        """Return the next message, None at the end of the stream; `watch` runs while waiting."""
        while b"\n" not in self._rest:
            while not select.select([self._read_fd], [], [], POLL_S)[0]:
                reason = watch()
                if reason is not None:
                    raise WorkerLost(*reason)
            chunk = os.read(self._read_fd, 1 << 16)
            if not chunk:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        message: Message = json.loads(printable_json(line))
        return message

    def close(self) -> None:
        for fd in (self._read_fd, self._write_fd):
            with contextlib.suppress(OSError):
                os.close(fd)


class SpawnedWorker:
    """An interpreter of its own. It ends with this process, and so does what it started."""

    def __init__(self, python: str, environment: Mapping[str, str], cwd: str | None = None) -> None:
        self.python = python
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        tunables = [os.environ.get("GLIBC_TUNABLES"), TUNABLES]
        try:
            self._process = subprocess.Popen(
                [python, str(BOOT), str(to_child), str(from_child)],
                pass_fds=(to_child, from_child),
                stdin=subprocess.DEVNULL,
                stdout=self.output,
                stderr=self.output,
                cwd=cwd,
                start_new_session=True,
                env={
                    **os.environ,
                    **environment,
                    "GLIBC_TUNABLES": ":".join(filter(None, tunables)),
                },
            )
        except OSError as error:
            self.output.close()
            os.close(from_parent)
            os.close(to_parent)
            raise MeasureError(
                f"cannot start python {python!r}: {error.strerror}; name an interpreter"
            ) from error
        finally:
            os.close(to_child)
            os.close(from_child)
        self.pipes = Pipes(to_parent, from_parent)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> tuple[int | None, int | None]:
        """Wait for the end of the process; return (exit status, signal)."""
        code = self._process.wait()
        return (code, None) if code >= 0 else (None, -code)

    def ended_already(self) -> bool:
        """Whether the process is gone, without waiting."""
        return self._process.poll() is not None

    def tail(self) -> str:
        """Return the end of what the worker printed."""
        self.output.seek(0, os.SEEK_END)
        self.output.seek(max(self.output.tell() - OUTPUT_TAIL_BYTES, 0))
        return printable(self.output.read().decode("utf-8", "replace")).strip()

    def kill(self) -> None:
        """End the worker and everything in its session at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def close(self) -> None:
        """Let the worker end by itself, or kill it after a second."""
        self.pipes.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        self.kill()
        self.output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ForkedWorker:
    """A copy of this process that runs one pass of callables that have no name.

    What the caller's other threads did is not in the copy, its heap carries the caller's thread
    caches, and what is tied to the caller's event loop must not be used in it.
    """

    def __init__(self, functions: Mapping[str, Callable[..., Any] | None]) -> None:
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the worker
        to_child, from_parent = os.pipe()
        to_parent, from_child = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(from_parent)
            os.close(to_parent)
            _serve_in_fork(to_child, from_child, self.output.fileno(), dict(functions))
        os.close(to_child)
        os.close(from_child)
        self.pipes = Pipes(to_parent, from_parent)
        self._status: int | None = None

    def ended(self) -> tuple[int | None, int | None]:
        """Wait for the end of the process; return (exit status, signal)."""
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]
        if os.WIFSIGNALED(self._status):
            return None, os.WTERMSIG(self._status)
        return os.WEXITSTATUS(self._status), None

    def tail(self) -> str:
        """Return the end of what the worker printed."""
        self.output.seek(0, os.SEEK_END)
        self.output.seek(max(self.output.tell() - OUTPUT_TAIL_BYTES, 0))
        return printable(self.output.read().decode("utf-8", "replace")).strip()

    def kill(self) -> None:
        """End the copy and everything in its session at once."""
        if self._status is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.ended()

    def close(self) -> None:
        """End the copy."""
        self.pipes.close()
        self.kill()
        self.output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _serve_in_fork(
    read_fd: int, write_fd: int, output: int, functions: dict[str, Callable[..., Any] | None]
) -> None:
    from memcurve.measure.worker import main

    status = 1
    try:
        os.setsid()
        os.dup2(output, 1)
        os.dup2(output, 2)
        main.serve_functions(read_fd, write_fd, functions)
        status = 0
    finally:
        os._exit(status)


Worker = SpawnedWorker | ForkedWorker


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 where it cannot be read."""
    try:
        fields = Path(f"/proc/{pid}/statm").read_text().split()
    except (OSError, IndexError):
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def available_bytes() -> int | None:
    """Return the memory that the machine can still give, None where that cannot be read."""
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    line = next((row for row in text.splitlines() if row.startswith("MemAvailable:")), None)
    return int(line.split()[1]) * 1024 if line else None


class Guard:
    """Watch a worker: kill it when one call takes too long or memory is about to run out.

    `running_call` is the number of the call that runs, below zero once it has returned: until the
    next one, `between_s` is the limit, or that of a call.
    """

    def __init__(
        self,
        pid: int,
        call_timeout_s: float,
        running_call: Callable[[], int],
        *,
        between_s: float | None = None,
    ) -> None:
        self._pid, self._timeout_s, self._running_call = pid, call_timeout_s, running_call
        self._between_s = call_timeout_s if between_s is None else between_s
        available = available_bytes()
        self._limit = int(available * MEMORY_SHARE) if available else None
        self._call, self._since = -1, time.monotonic()

    def __call__(self) -> tuple[str, str] | None:
        now, call = time.monotonic(), self._running_call()
        if call != self._call:
            self._call, self._since = call, now
        limit_s = self._timeout_s if call > 0 else self._between_s
        if now - self._since > limit_s:
            what = f"call {call} did not return" if call > 0 else "the worker did not answer"
            return "timeout", f"{what} within {limit_s:g} s; give it more with --timeout"
        used = resident_bytes(self._pid)
        if self._limit is not None and used > self._limit:
            return "out_of_memory", (
                f"call {abs(call)}: {used >> 20} MiB resident, "
                f"{self._limit >> 20} MiB were to be had; killed before the machine ran out"
            )
        return None
