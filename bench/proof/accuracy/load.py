"""Keep processors busy during a measurement."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPIN = "while True: sum(range(100_000))"


@contextlib.contextmanager
def burners(number: int) -> Iterator[None]:
    """Run so many spinning processes until the block ends; each takes one processor."""
    running = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(number)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
