"""An interpreter of its own that runs lines of a program one after another, seen from outside.

What it holds is read from /proc by this process: the truth that its own readings are held to.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

ANSWERS = """
import sys
for line in iter(sys.stdin.readline, ""):
    try:
        print(repr(eval(line, globals())), flush=True)
    except SyntaxError:
        exec(line, globals())
        print(flush=True)
"""


class OtherProcess:
    """A process that evaluates what it is told; `ask` returns the value, as text was printed."""

    def __init__(self, prelude: str = "", **variables: str) -> None:
        environment = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0", **variables}
        command = [sys.executable, "-c", prelude + ANSWERS]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **environment}
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, line: str) -> str:
        """Run one line in it and return the text of its value, "" for a statement."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, f"{line!r} ended the process"
        return answer.strip()

    def number(self, line: str) -> int:
        return int(self.ask(line))

    def anonymous_bytes(self) -> int:
        """Return its resident memory without a file, as the kernel counts it page by page."""
        return rollup(self.pid, "Anonymous:")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def rollup(pid: int, name: str) -> int:
    """Return a figure of /proc/PID/smaps_rollup in bytes."""
    with Path(f"/proc/{pid}/smaps_rollup").open() as file:
        line = next(line for line in file if line.startswith(name))
    return int(line.split()[1]) * 1024
