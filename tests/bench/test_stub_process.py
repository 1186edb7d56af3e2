"""The life of the stub's process: start, restart, stop, and the end with its parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import httpx
import pytest

from bench.stub_server import StubServer, StubServerError

ROOT = Path(__file__).parents[2]
WAIT_S = 20

# starts the server, says which process it is, and waits until it is killed
PARENT = """
import sys
from bench.stub_server import StubServer
server = StubServer()
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""
# the same, but a forked process keeps the pipe to the server open and outlives its parent
FORKING_PARENT = PARENT.replace(
    "sys.stdin.read()",
    """import os, signal
child = os.fork()
if child == 0:
    signal.pause()
print(child, flush=True)
sys.stdin.read()""",
)
# a forked process tries to stop the server, and still finds it
ASKING_FORK = """
import os
from bench.stub_server import StubServer
with StubServer() as server:
    if (child := os.fork()) == 0:
        server.stop()
        state = "running" if server.running else "gone"
        print(state, server.stats()["connections_open"], flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    print("running" if server.running else "gone")
"""
# starts the server as a user would, without the class
PLAIN_PARENT = """
import subprocess, sys
command = [sys.executable, "-m", "bench.stub_server"]
server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
server.stdout.readline()
print(server.pid, flush=True)
sys.stdin.read()
"""


def spawn(code: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        cwd=ROOT,
        text=True,
    )


def killed(parent: subprocess.Popen[str]) -> None:
    parent.kill()
    parent.communicate()


def read_pid(parent: subprocess.Popen[str]) -> int:
    assert parent.stdout is not None
    return int(parent.stdout.readline())


def ends_within(descriptor: int, wait_s: float) -> bool:
    """Wait for the process behind a pidfd."""
    return bool(select.select([descriptor], [], [], wait_s)[0])


needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waits by pidfd (Linux)")


@needs_pidfd
@pytest.mark.parametrize("code", [PARENT, PLAIN_PARENT], ids=["class", "by hand"])
def test_the_server_ends_when_its_parent_is_killed(code: str) -> None:
    parent = spawn(code)
    watched = os.pidfd_open(read_pid(parent))
    try:
        assert not ends_within(watched, 0), "it runs as long as its parent"
        killed(parent)
        assert ends_within(watched, WAIT_S)
    finally:
        os.close(watched)


@pytest.mark.parametrize("how", ["end of standard input", "SIGTERM"])
def test_the_server_ends_cleanly_when_it_is_told_to(how: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.stub_server", "--watch-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready http://127.0.0.1:")
    if how == "SIGTERM":
        process.terminate()
        assert process.wait(WAIT_S) == 0
    process.communicate(timeout=WAIT_S)
    assert process.returncode == 0


@needs_pidfd
def test_a_forked_process_that_holds_the_pipe_does_not_keep_the_server_alive() -> None:
    parent = spawn(FORKING_PARENT)
    watched = os.pidfd_open(read_pid(parent))
    child = read_pid(parent)
    try:
        parent.kill()
        assert ends_within(watched, WAIT_S)
    finally:
        os.kill(child, signal.SIGKILL)
        killed(parent)
        os.close(watched)


@needs_pidfd
def test_the_server_outlives_the_thread_that_started_it() -> None:
    server = StubServer()
    thread = Thread(target=server.start)
    thread.start()
    thread.join()
    watched = os.pidfd_open(server.pid)
    try:
        assert not ends_within(watched, 0.2)
        assert server.stats()["connections_opened"] == 0
    finally:
        server.stop()
        os.close(watched)


def test_a_restart_keeps_the_port_and_forgets_counters_and_faults() -> None:
    with StubServer() as server, httpx.Client(base_url=server.url) as client:
        url, first = server.url, server.pid
        client.get("/rag/health")
        server.control(status=503)
        server.kill()
        assert not server.running
        with pytest.raises(httpx.TransportError):
            client.get("/rag/health")
        server.restart()
        assert (server.url, server.pid != first) == (url, True)
        assert server.stats()["requests_total"] == 0
        assert client.get("/rag/health").status_code == 200


def test_stop_may_be_called_twice_and_starting_twice_is_refused() -> None:
    with StubServer() as server:
        with pytest.raises(StubServerError, match="already running"):
            server.start()
        server.stop()
        server.stop()
        with pytest.raises(StubServerError, match="no answer to GET /stats"):
            server.stats()


def test_a_taken_port_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    with StubServer() as server:
        expected = rf"port {server.port}: not ready .*exit status 1"
        with pytest.raises(StubServerError, match=expected):
            StubServer(server.port).start()
    assert f"port {server.port} cannot be used" in capfd.readouterr().err


def test_the_client_side_loads_only_the_standard_library() -> None:
    code = "import sys, bench.stub_server; print(*sys.modules)"
    output = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert "bench.stub.process" in output
    assert not {"asyncio", "h11", "msgspec", "httpx", "bench.stub.service"} & set(output)


def test_a_forked_process_can_ask_but_not_stop() -> None:
    parent = spawn(ASKING_FORK)
    assert parent.communicate(timeout=WAIT_S)[0].split() == ["running", "0", "running"]
