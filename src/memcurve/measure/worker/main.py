"""Serve passes to the parent: one JSON object a line in, one a line out.

A worker imports the target once. Each pass then runs in a fork of it, or, where forking is not
safe or not to be had, in the worker itself, which then serves that one pass only.

    parent                                  worker
    {"op": "load", target, paths}        →  {"event": "loaded", threads, environment}
    {"op": "pass", kind, fork, table …}  →  {"event": "started", pid, columns, sources}
    {"op": "calls", "to", "rows"}        →  {"event": "reached", call, rows, …}     any number
    {"op": "verify"}                     →  {"event": "verified", …}                any number
    {"op": "survey", stage, options}     →  {"event": "surveyed", found}            any number
    {"op": "finish"}                     →  {"event": "finished", …}
    {"op": "diagnose"}                   →  {"event": "diagnosed", environment, …}
    (end of the fork)                    →  {"event": "exit", status, closed}
At any point instead: {"event": "failed", stage, call, kind, message, traceback}.
"""

from __future__ import annotations

import errno
import gc
import json
import mmap
import os
import signal
import sys
import time
import traceback
from typing import Any, Dict, Optional

from . import environment, pass_setup, resources, tampering, target
from .loop import CallError
from .passes import Functions, Spec

OUTPUT_TAIL_BYTES = 4000
LONGEST_MESSAGE = 2000  # of an exception: a screen; the traceback has its end


class Channel:
    """JSON lines over two pipe ends."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._reader = os.fdopen(read_fd, "rb", buffering=0)
        self._write_fd = write_fd
        self._rest = b""

    def receive(self) -> Optional[Dict[str, Any]]:
        """Return the next message, or None when the parent is gone."""
        while b"\n" not in self._rest:
            chunk = self._reader.read(1 << 16)
            if not chunk:
                return None
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        message: Dict[str, Any] = json.loads(line.decode("utf-8"))
        return message

    def send(self, event: str, **fields: Any) -> None:
        fields["event"] = event
        data = (json.dumps(fields) + "\n").encode("utf-8")
        while data:
            data = data[os.write(self._write_fd, data) :]


def die_with_parent() -> None:
    """Ask Linux to end this process when the thread that started it ends."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # if memory runs out, this process goes first, not the parent
    except (OSError, AttributeError, TypeError, ImportError):
        return


def describe(error: BaseException, stage: str, call: Optional[int] = None) -> Dict[str, Any]:
    """Return the fields of a "failed" event for an exception that code of the user raised."""
    cause = (isinstance(error, CallError) and error.__cause__) or error
    text = formatted(cause)
    kind = "target" if isinstance(cause, target.TargetError) else "raised"
    if isinstance(cause, SystemExit):
        kind = "exited"
    elif isinstance(cause, MemoryError):
        kind = "out_of_memory"
    words = said(cause)
    name = type(cause).__name__
    message = words if kind == "target" else "%s: %s" % (name, words) if words else name
    return {
        "stage": stage,
        "call": getattr(error, "call", call),
        "kind": kind,
        "message": message if len(message) <= LONGEST_MESSAGE else message[:LONGEST_MESSAGE] + " …",
        "traceback": text[-OUTPUT_TAIL_BYTES:],
    }


def said(error: BaseException) -> str:
    """Return the words of an exception, whatever its own `__str__` does."""
    try:
        return str(error)
    except Exception as second:
        return "its message cannot be read, %s" % type(second).__name__


def formatted(error: BaseException) -> str:
    """Return an exception with its traceback, without its words where these cannot be had."""
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__)
    except Exception:
        lines = [*traceback.format_tb(error.__traceback__), type(error).__name__ + "\n"]
    return "".join(lines)


def run_pass(channel: Channel, spec: Spec, functions: Functions) -> None:
    """Run one pass to its end; returns nothing, tells everything over the channel."""
    stage = "setup"
    try:
        with pass_setup.make(spec, functions) as current:
            stage = "call"
            channel.send("started", pid=os.getpid(), **current.describe())
            while True:
                message = channel.receive()
                if message is None:
                    return
                if message["op"] == "calls":
                    channel.send("reached", **current.calls(message["to"], message["rows"]))
                elif message["op"] == "verify":
                    channel.send("verified", **current.verify())
                elif message["op"] == "survey":
                    found = current.survey(message["stage"], message["options"])
                    channel.send("surveyed", found=found)
                elif message["op"] == "finish":
                    stage = "teardown"
                    break
        channel.send("finished", **current.finish())
    except BaseException as error:
        names = tampering.put_back()  # before anything else is called
        fields = describe(error, stage)
        if names and not isinstance(error, CallError):
            fields.update(kind="target", message=tampering.told(names, fields["message"]))
        channel.send("failed", **fields)


def _forked(channel: Channel, spec: Spec, functions: Functions) -> None:
    gc.collect()
    gc.freeze()  # what was imported: a pass that freezes it anyway need not walk it first
    sys.stdout.flush()
    sys.stderr.flush()
    closed = mmap.mmap(-1, 1)  # the copy shares it: what it says once its pipes are gone
    pid = os.fork()
    if pid == 0:
        die_with_parent()
        if spec["kind"] not in ("settled", "natural"):
            gc.unfreeze()
        status = 1
        try:
            run_pass(channel, spec, functions)
            status = 0
        except OSError as error:
            closed[0] = error.errno == errno.EBADF
        finally:
            os._exit(status)
    while True:
        try:
            status = os.waitpid(pid, 0)[1]
            break
        except InterruptedError:
            continue
    if os.WIFSIGNALED(status):
        channel.send("exit", signal=os.WTERMSIG(status), status=None)
    else:
        channel.send("exit", signal=None, status=os.WEXITSTATUS(status), closed=bool(closed[0]))
    closed.close()


def _load(channel: Channel, message: Dict[str, Any]) -> Functions:
    for path in reversed(message["paths"]):
        if path not in sys.path:
            sys.path.insert(1, path)
    began = time.perf_counter()
    functions: Functions = {}
    for role, text in message["targets"].items():
        found = target.resolve(text) if text else None
        functions[role] = found
        if found is not None and role == "target":
            target.required(found)
    channel.send(
        "loaded",
        threads=resources.reader().threads(),
        import_s=time.perf_counter() - began,
        environment=environment.describe(message["packages"]),
    )
    return functions


def serve_functions(read_fd: int, write_fd: int, functions: Functions) -> None:
    """Serve one pass of functions that this process already has, then tell that it ended."""
    die_with_parent()
    channel = Channel(read_fd, write_fd)
    message = channel.receive()
    if message is not None:
        gc.unfreeze()  # what the caller froze may be garbage by now: `begin` collects it
        run_pass(channel, message, functions)
        channel.send("exit", signal=None, status=0)


def serve(read_fd: int, write_fd: int) -> None:
    """Serve the parent until it closes the channel."""
    die_with_parent()
    os.environ.pop("GLIBC_TUNABLES", None)  # ours, not for the processes that the target starts
    channel = Channel(read_fd, write_fd)
    functions: Functions = {}
    while True:
        message = channel.receive()
        if message is None:
            return
        if message["op"] == "load":
            try:
                functions = _load(channel, message)
            except BaseException as error:
                channel.send("failed", **describe(error, "import"))
        elif message["op"] == "diagnose":
            from . import diagnosis  # what the passes need not import

            channel.send("diagnosed", **diagnosis.facts())
        elif message["fork"]:
            _forked(channel, message, functions)
        else:
            run_pass(channel, message, functions)
            channel.send("exit", signal=None, status=0)
            return
