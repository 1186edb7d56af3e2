"""One temporary folder a process, gone with it, and what a killed one left is removed by the next.

Who owns a folder holds the lock on a file in it. The kernel lets a lock go however its owner ends,
so a folder whose lock can be had is nobody's.
"""

import atexit
import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from memcurve.model.errors import MeasureError
from memcurve.model.units import format_bytes

PREFIX, LOCK = "memcurve-run-", "owner"
_guard = threading.Lock()
_mine: dict[int, tuple[Path, int]] = {}
"""By process: a fork has the variables of its parent, and must not remove that one's folder."""


def scratch() -> Path:
    """Return the folder of this process, made at the first need.

    Raises MeasureError where nothing temporary can be written.
    """
    with _guard:
        held = _mine.get(os.getpid())
        if held is None:
            held = _mine[os.getpid()] = _made(Path(tempfile.gettempdir()))
            atexit.register(remove)
        return held[0]


@contextlib.contextmanager
def everything_here() -> Iterator[None]:
    """Let all that this process makes temporarily, backends too, be in its folder.

    What it starts has the folder of the system, as in production.
    """
    folder, before = scratch(), tempfile.tempdir
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def remove() -> None:
    """Remove the folder of this process, if it has one."""
    with _guard:
        held = _mine.pop(os.getpid(), None)
    if held is not None:
        shutil.rmtree(held[0], ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(held[1])


def _made(place: Path) -> tuple[Path, int]:
    _sweep(place)
    try:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        fresh = folder / f"{LOCK}.new"
        lock = os.open(fresh, os.O_CREAT | os.O_RDWR, 0o600)
        with contextlib.suppress(OSError):  # a file system without locks: never swept
            fcntl.flock(lock, fcntl.LOCK_EX)
            fresh.rename(folder / LOCK)  # once it is held, so that nobody takes it for left
    except OSError as error:
        raise MeasureError(no_room(place, error)) from error
    return folder, lock


def _sweep(place: Path) -> None:
    """Remove the folders of this user that no living process holds."""
    for lock in place.glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError):
            if lock.stat().st_uid != os.getuid() or lock.is_symlink():
                continue
            handle = os.open(lock, os.O_RDWR)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(handle)


def reserve(handle: int, size: int) -> None:
    """Have a file of that size on its disk now: a mapping of a hole ends a process by SIGBUS.

    Raises MeasureError, which names the disk, where it has no room.
    """
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
            os.ftruncate(handle, size)
            return
        raise MeasureError(no_room(scratch(), error, size)) from error


def no_room(place: Path, error: OSError, size: int = 0) -> str:
    """Say in one line which disk takes nothing."""
    free = ""
    with contextlib.suppress(OSError):
        free = f", {format_bytes(shutil.disk_usage(place).free)} free"
    what = f"{format_bytes(size)} of samples" if size else "what is temporary"
    return f"{place}{free}: {error.strerror} for {what}; make room there, or set TMPDIR"
