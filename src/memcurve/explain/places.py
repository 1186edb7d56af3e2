"""Choose, of the frames that lead to an allocation, the one that a person would open."""

import re

_STDLIB = re.compile(r"/lib/python\d[^/]*/(?!site-packages/|dist-packages/)")

Frames = tuple[str, ...]


def is_stdlib(place: str) -> bool:
    """Say whether a ``file:line`` is the standard library's, or no file at all."""
    return place.startswith("<") or bool(_STDLIB.search(place))


def site_of(frames: Frames) -> str:
    """Return the innermost frame outside the standard library; the innermost if all are inside."""
    return next((place for place in frames if not is_stdlib(place)), frames[0] if frames else "")


def as_places(frames: object) -> Frames:
    """Return ``file:line`` texts of frames given as [[file, line], …]."""
    if not isinstance(frames, (list, tuple)):
        return ()
    return tuple(f"{frame[0]}:{frame[1]}" for frame in frames)
