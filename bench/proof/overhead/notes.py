"""What the measured process of `make overhead` notes of itself, and how it is read back."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import msgspec

WARM_UP = 20
NOTES = "BENCH_OVERHEAD_NOTES"
CALLS = "BENCH_OVERHEAD_CALLS"


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One run: CPU seconds a call of the whole process, and its anonymous memory at the end."""

    cpu_s_per_call: float
    anonymous_bytes: int


def note_at(number: int) -> None:
    """Note the process's CPU time and memory if call `number` is the last warm one or the last."""
    if number == WARM_UP - 1:
        _note("first")
    elif number == int(os.environ[CALLS]) - 1:
        _note("last")


def _note(name: str) -> None:
    status = Path("/proc/self/status").read_text()
    anonymous = next(line for line in status.splitlines() if line.startswith("RssAnon:"))
    told = {"cpu_ns": time.process_time_ns(), "anonymous_bytes": int(anonymous.split()[1]) * 1024}
    Path(os.environ[NOTES], name).write_text(json.dumps(told))


def read_cost(folder: Path, calls: int) -> Cost:
    """Read what the process noted; raises FileNotFoundError if the run did not get there."""
    first, last = (json.loads((folder / name).read_text()) for name in ("first", "last"))
    return Cost(
        cpu_s_per_call=(last["cpu_ns"] - first["cpu_ns"]) / 1e9 / (calls - WARM_UP),
        anonymous_bytes=last["anonymous_bytes"],
    )
