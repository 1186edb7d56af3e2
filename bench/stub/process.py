"""Start, ask and stop the stub from another process.

Standard library only: the bench parent, which forks what is measured, stays light.
"""

from __future__ import annotations

import http.client
import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from bench.stub.counters import GAUGE_BYTES, GAUGES

if TYPE_CHECKING:
    from types import TracebackType

_ROOT = Path(__file__).resolve().parents[2]
_START_WAIT_S = 20.0
_STOP_WAIT_S = 5.0
_CONTROL_WAIT_S = 10.0
# what a measuring parent sets for its own children would only slow the server down
_NOT_INHERITED = {
    "GLIBC_TUNABLES",
    "PYTHONDEVMODE",
    "PYTHONMALLOC",
    "PYTHONTRACEMALLOC",
    "PYTHONWARNINGS",
}


class StubServerError(RuntimeError):
    """The stub did not start, or did not answer as it should."""


class StubServer:
    """The stub backend as a child process on 127.0.0.1; `with` starts and stops it.

    It ends with this process, however this process ends. A process that was forked from this one
    may ask and control the server, but cannot stop it.
    """

    def __init__(self, port: int = 0, *, gauges: Path | None = None) -> None:
        """Take the port to listen on, and a file to keep the counts of connections in."""
        self.port = port
        self._gauges = gauges
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = f"pid {self.pid}" if self.running else "not running"
        return f"<StubServer {self.url} {state}>"

    @property
    def url(self) -> str:
        """The address of the server itself, without a slash at its end; Anthropic's base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def rag_url(self) -> str:
        return f"{self.url}/rag"

    @property
    def pid(self) -> int:
        """The server's process; raises StubServerError when there is none."""
        if self._process is None:
            raise StubServerError(f"stub server {self.url}: not running; start it first")
        return self._process.pid

    @property
    def running(self) -> bool:
        if self._process is None:
            return False
        # only the owner can wait for the process; a forked one would read "gone" from its own poll
        return os.getpid() != self._owner or self._process.poll() is None

    def start(self) -> None:
        """Start the server and wait until it listens; keeps the port of an earlier start."""
        if self.running:
            raise StubServerError(f"stub server {self.url}: already running; stop it first")
        self._forget()
        command = [sys.executable, "-P", "-m", "bench.stub_server", "--watch-stdin"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), *self._gauge_arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the parent, which needs the server to end well
        )
        try:
            self.port = self._read_port(self._process)
        except BaseException:
            self.kill()
            raise

    def _gauge_arguments(self) -> list[str]:
        if self._gauges is None:
            return []
        self._gauges.write_bytes(bytes(GAUGE_BYTES * len(GAUGES)))
        return ["--gauges", str(self._gauges)]

    def stop(self) -> None:
        """End the server; does nothing when it has ended, or in a forked process."""
        if self._process is None or os.getpid() != self._owner:
            return
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(_STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """End the server with SIGKILL, as a crash would."""
        if self._process is not None and os.getpid() == self._owner:
            self._process.kill()
            self._process.wait()
            self._forget()

    def restart(self) -> None:
        """Start the server again on the same port; it has no counters and faults left."""
        self.stop()
        self.start()

    def stats(self) -> dict[str, Any]:
        """Read the counters; this does not change them."""
        return self._ask("GET", "/stats")

    def reset(self) -> None:
        """Set the counters to zero and cancel all faults."""
        self._ask("POST", "/stats/reset")
        self.clear()

    def control(self, **faults: Any) -> None:
        """Order a fault, on top of those in force; `bench.stub.faults.Order` has the fields."""
        self._ask("POST", "/control", faults)

    def clear(self) -> None:
        """Cancel all faults."""
        self._ask("DELETE", "/control")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        sent = None if body is None else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_CONTROL_WAIT_S)
        try:
            connection.request(method, path, sent)
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise StubServerError(
                f"stub server {self.url}: no answer to {method} {path}"
            ) from error
        finally:
            connection.close()
        if response.status != 200:
            raise StubServerError(f"stub server {self.url}: {method} {path}: {answer['error']}")
        return answer

    def _read_port(self, process: subprocess.Popen[bytes]) -> int:
        line = _read_line(_pipe(process.stdout), _START_WAIT_S)
        word, _, url = line.decode().strip().partition(" ")
        if word == "ready":
            return int(url.rpartition(":")[2])
        process.kill()  # without effect when it has ended by itself
        raise StubServerError(
            f"stub server on port {self.port}: not ready within {_START_WAIT_S:g} s "
            f"(exit status {process.wait()}); its standard error says why"
        )

    def _forget(self) -> None:
        """Let go of a process that has ended."""
        if self._process is not None:
            _pipe(self._process.stdin).close()
            _pipe(self._process.stdout).close()
            self._process = None


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    paths = [str(_ROOT), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    assert end is not None
    return end


def _read_line(pipe: IO[bytes], wait_s: float) -> bytes:
    """Read one line, or what came before the pipe closed or the time was over."""
    line, deadline = b"", time.monotonic() + wait_s
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(pipe.fileno(), 4096)
            if not piece:
                break
            line += piece
    return line
