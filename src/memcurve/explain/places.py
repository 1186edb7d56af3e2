"""Places in code: which frame a person would open, and how its file is written.

A worker tells files as the interpreter does, with all folders of the machine. Read are places
relative to the working directory, and those of installed packages from the package on.
"""

import os
import re
from typing import Any, TypeVar

import msgspec

from memcurve.model.findings import Culprit, Cycle, Explanation, Peak, Site

_STDLIB = re.compile(r"/lib/python\d[^/]*/(?!site-packages/|dist-packages/)")
_INSTALLED = re.compile(r"/[^():]*/(?:(?:site|dist)-packages|lib/python\d[^/():]*)/")

Frames = tuple[str, ...]
_T = TypeVar("_T")


def is_users(place: str) -> bool:
    """Say whether a ``file:line`` is of the program that is measured, not of a library."""
    file = place.rpartition(":")[0]
    installed = "site-packages" in file or "dist-packages" in file
    return file.endswith(".py") and not installed and not is_stdlib(place)


def user_site_of(frames: Frames) -> str:
    """Return the innermost frame of the user's own code, "" if there is none."""
    return next((place for place in frames if is_users(place)), "")


def kept_frames(frames: Frames, most: int) -> Frames:
    """Return the innermost frames, and the innermost of the user's own code however deep it is."""
    users = user_site_of(frames)
    return frames[:most] if not users or users in frames[:most] else (*frames[:most], users)


def is_stdlib(place: str) -> bool:
    """Say whether a ``file:line`` is the standard library's, or no file at all."""
    return place.startswith("<") or bool(_STDLIB.search(place))


def site_of(frames: Frames) -> str:
    """Return the innermost frame outside the standard library; the innermost if all are inside."""
    return next((place for place in frames if not is_stdlib(place)), frames[0] if frames else "")


def shortened(explanation: Explanation, folder: str) -> Explanation:
    """Return an explanation with its places relative to a folder, or to where packages are.

    It comes last: which file is the standard library's is told by its folder.
    """
    return msgspec.structs.replace(
        explanation,
        culprits=_written(explanation.culprits, tuple[Culprit, ...], folder),
        cycles=_written(explanation.cycles, tuple[Cycle, ...], folder),
        sites=_written(explanation.sites, tuple[Site, ...], folder),
        peak=_written(explanation.peak, Peak | None, folder),
    )


def short(text: str, folder: str) -> str:
    """Return a place, or a text with places in parentheses, without the folders in front."""
    if "/" not in text:
        return text
    here = re.escape(folder.rstrip(os.sep) + os.sep)
    return re.sub(rf"(^|\(){here}", r"\1", _INSTALLED.sub("", text))


def _written(value: _T, kind: Any, folder: str) -> _T:
    written: _T = msgspec.convert(_shortened(msgspec.to_builtins(value), folder), kind)
    return written


def _shortened(value: Any, folder: str) -> Any:
    match value:
        case str():
            return short(value, folder)
        case list() | tuple():
            return [_shortened(one, folder) for one in value]
        case dict():
            return {key: _shortened(one, folder) for key, one in value.items()}
    return value
