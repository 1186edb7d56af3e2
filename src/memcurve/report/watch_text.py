"""The state of a watch as lines for a terminal or a log."""

from typing import Protocol

from memcurve.model.units import format_bytes, format_count, format_duration
from memcurve.model.verdict import Checked
from memcurve.report.text import check_text


class HeldResources(Protocol):
    """What a program holds: counts, and bytes of resident memory."""

    @property
    def fds(self) -> int | None: ...
    @property
    def sockets(self) -> int | None: ...
    @property
    def threads(self) -> int | None: ...
    @property
    def tasks(self) -> int | None: ...
    @property
    def rss_bytes(self) -> int | None: ...
    @property
    def rss_peak_bytes(self) -> int | None: ...


class NearestLimit(Protocol):
    """What is left until a limit on memory is reached."""

    @property
    def source(self) -> str: ...
    @property
    def limit_bytes(self) -> int | None: ...
    @property
    def left_bytes(self) -> int: ...
    @property
    def calls_left(self) -> int | None: ...


def watch_text(
    result: Checked,
    resources: HeldResources,
    headroom: NearestLimit | None,
    marks: int,
    rows: int,
    cost_s: float,
) -> str:
    """Return the verdict, what the program holds, what is left, and what watching cost."""
    *lines, _ = check_text(result).splitlines()
    lines.append(f"  holds        {_held(resources)}")
    if headroom is not None:
        lines.append(f"  headroom     {_left(headroom)}")
    each = format_duration(cost_s / rows)
    lines.append(f"  {format_count(marks)} marks, {format_count(rows)} rows at {each} of CPU each")
    return "\n".join(lines)


def _held(resources: HeldResources) -> str:
    counts = {
        "descriptors": resources.fds,
        "sockets": resources.sockets,
        "threads": resources.threads,
        "tasks": resources.tasks,
    }
    parts = [f"{format_count(n)} {name}" for name, n in counts.items() if n is not None]
    sizes = {"resident": resources.rss_bytes, "at most": resources.rss_peak_bytes}
    parts += [f"{format_bytes(n)} {name}" for name, n in sizes.items() if n is not None]
    return ", ".join(parts)


def _left(headroom: NearestLimit) -> str:
    text = f"{format_bytes(headroom.left_bytes)} left ({headroom.source}"
    if headroom.limit_bytes is not None:
        text += f" {format_bytes(headroom.limit_bytes)}"
    text += ")"
    if headroom.calls_left is not None:
        text += f", {format_count(headroom.calls_left)} calls at the present slope"
    return text
