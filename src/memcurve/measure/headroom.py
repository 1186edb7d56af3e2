"""Tell how many bytes this process may still take before something kills it.

The nearest limit counts: a control group of its own or of a parent (version 2 or 1), else what the
machine can still give. Used is the working set: what the group holds less file pages that are not
in use, which the kernel drops first.
"""

from collections.abc import Iterator
from pathlib import Path

from memcurve.model.diagnosis import Headroom

UNLIMITED_BYTES = 1 << 60  # version 1 writes "no limit" as a number near 2**63


def read_headroom(root: Path = Path("/")) -> Headroom | None:
    """Return the nearest limit, None where none can be read; `root` holds `proc` and `sys`."""
    found = [*_version_2(root), *_version_1(root), *_machine(root)]
    return min(found, key=lambda headroom: headroom.left_bytes, default=None)


def _groups(root: Path, controller: str) -> str | None:
    """Return the path of this process's control group for a controller, None without one."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return path.lstrip("/")
    return None


def _up(mount: Path, group: str) -> Iterator[Path]:
    """Yield the folder of a group and of its parents: each of them may set the limit."""
    folder = mount / group
    while folder != mount:
        if folder.is_dir():
            yield folder
        folder = folder.parent
    yield mount


def _version_2(root: Path) -> Iterator[Headroom]:
    group = _groups(root, "")
    if group is None:
        return
    for folder in _up(root / "sys/fs/cgroup", group):
        limit, used = _number(folder / "memory.max"), _number(folder / "memory.current")
        if limit is not None and used is not None:
            idle = _statistic(folder / "memory.stat", "inactive_file")
            yield _headroom("cgroup v2 memory.max", limit, used - idle)


def _version_1(root: Path) -> Iterator[Headroom]:
    group = _groups(root, "memory")
    if group is None:
        return
    for folder in _up(root / "sys/fs/cgroup/memory", group):
        limit = _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.usage_in_bytes")
        if limit is not None and used is not None and limit < UNLIMITED_BYTES:
            idle = _statistic(folder / "memory.stat", "total_inactive_file")
            yield _headroom("cgroup v1 memory.limit_in_bytes", limit, used - idle)


def _machine(root: Path) -> Iterator[Headroom]:
    kibibytes = _statistic(root / "proc/meminfo", "MemAvailable:")
    if kibibytes:
        yield Headroom(source="MemAvailable", limit_bytes=None, left_bytes=kibibytes * 1024)


def _headroom(source: str, limit: int, used: int) -> Headroom:
    return Headroom(source=source, limit_bytes=limit, left_bytes=max(limit - used, 0))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None  # "max" is no limit


def _statistic(path: Path, name: str) -> int:
    for line in _text(path).splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == name:
            return int(words[1])
    return 0
