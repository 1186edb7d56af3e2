"""Say what a child process is for: its command, and the library that started it."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any, Dict

from . import family

LONGEST_COMMAND = 120
# what a command line holds, and what runs under it; the first that fits
COMMANDS = (
    ("multiprocessing.resource_tracker", "resource tracker"),
    ("multiprocessing.forkserver", "forkserver"),
    ("popen_loky", "loky worker"),
    ("loky.backend.resource_tracker", "resource tracker"),
    ("multiprocessing.spawn", "multiprocessing process"),
    ("--multiprocessing-fork", "multiprocessing process"),
)


def of(pid: int, status: family.Status) -> Dict[str, Any]:
    """Return {"role", "command"} of a descendant of this process."""
    command = command_of(pid)
    named = _started_here().get(pid)
    if named is not None:
        return {"role": named, "command": command}
    if status.parent != os.getpid() and "multiprocessing.forkserver" in command:
        return {"role": "multiprocessing process", "command": command}
    for part, role in COMMANDS:
        if part in command:
            return {"role": role, "command": command}
    same = command == command_of(os.getpid())
    return {"role": "fork" if same else "subprocess", "command": command}


def command_of(pid: int) -> str:
    """Return the command line of a process, its name where it has none."""
    text = family.contents(pid, "cmdline").rstrip(b"\0") or family.contents(pid, "comm").strip()
    line = text.replace(b"\0", b" ").decode("utf-8", "replace")
    return line if len(line) <= LONGEST_COMMAND else line[: LONGEST_COMMAND - 1] + "…"


def _started_here() -> Dict[int, str]:
    """Return {process: role} as far as this process's own libraries know it."""
    roles: Dict[int, str] = {}
    processes = getattr(sys.modules.get("multiprocessing.process"), "_children", ())
    for process in list(processes):
        roles[process.pid] = _role_of(process.name)
    for thread in threading.enumerate():
        if type(thread).__name__ == "_ExecutorManagerThread":
            loky = "loky" in type(thread).__module__
            for pid in list(getattr(thread, "processes", ())):
                roles[pid] = "loky worker" if loky else "concurrent.futures worker"
    return roles


def _role_of(name: str) -> str:
    if "PoolWorker" in name:
        return "multiprocessing pool worker"
    return "multiprocessing manager" if "Manager" in name else "multiprocessing process"
