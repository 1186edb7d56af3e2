"""Read from outside what the processes below another one hold, by /proc alone.

Bytes are the pages without a file that `smaps_rollup` counts, in memory or swapped. A page that a
forked child shares with its parent counts, so that copying it on writing changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_ENDED = "ZX"


class Below(NamedTuple):
    """What descends from a process: bytes, running processes, zombies."""

    children_bytes: int
    processes: int
    zombies: int


def below(pid: int) -> Below:
    """Return what descends from a process now; what ends meanwhile is left out."""
    parents, states = {}, {}
    for place in _PROC.glob("[0-9]*/stat"):
        text = _text(place).rpartition(")")[2].split()
        if text:
            parents[int(place.parent.name)] = int(text[1])
            states[int(place.parent.name)] = text[0]
    found: set[int] = set()
    while more := {one for one, of in parents.items() if of in {pid, *found}} - found:
        found |= more
    running = [one for one in found if states[one] not in _ENDED]
    return Below(sum(map(anonymous, running)), len(running), len(found) - len(running))


def anonymous(pid: int) -> int:
    """Return the bytes without a file that a process touched; 0 if it is gone."""
    lines = _text(_PROC / str(pid) / "smaps_rollup").splitlines()
    wanted = [line.split() for line in lines if line.startswith(("Anonymous:", "Swap:"))]
    return sum(int(words[1]) for words in wanted) * 1024


def _text(place: Path) -> str:
    try:
        return place.read_text()
    except OSError:
        return ""
