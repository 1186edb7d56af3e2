"""Read the lines of code around a place, as a report shows them.

A place may come from a file that others wrote, so it chooses no path: only Python's source below
the folder at hand, or where packages are, is read.
"""

import sys
import sysconfig
from pathlib import Path

import msgspec

AROUND = 4
"""Lines before and after: the place is in the middle of what a person sees at once."""
LARGEST = 4 << 20
"""Bytes of a file that is read: source is smaller."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of source, and whether it is the one that was asked for."""

    number: int
    text: str
    wanted: bool


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """A place and the lines around it; none where the file is not there to read."""

    place: str
    lines: tuple[Line, ...] = ()


def excerpt_of(place: str, folder: Path) -> Excerpt:
    """Return the lines around a ``file:line``, relative to a folder or to where packages are.

    None of a file that is elsewhere, or no Python's source.
    """
    file, _, text = place.rpartition(":")
    number = int(text) if text.isdecimal() else 0
    found = next((path for path in _candidates(file, folder) if _is_source(path)), None)
    if found is None or not number:
        return Excerpt(place=place)
    lines = found.read_text(encoding="utf-8", errors="replace").splitlines()
    first = max(number - AROUND, 1)
    shown = lines[first - 1 : number + AROUND]
    return Excerpt(
        place=place,
        lines=tuple(
            Line(number=n, text=text.expandtabs(4), wanted=n == number)
            for n, text in enumerate(shown, first)
        ),
    )


def _candidates(file: str, folder: Path) -> list[Path]:
    places = sysconfig.get_paths()
    roots = [folder, *(Path(places[name]) for name in ("purelib", "platlib", "stdlib"))]
    roots += [Path(entry) for entry in sys.path if entry]
    try:
        found = [(root.resolve(), (root / file).resolve()) for root in roots]
    except (OSError, ValueError):  # a name with a null byte, or too long
        return []
    return [path for root, path in found if path.is_relative_to(root) and path.suffix == ".py"]


def _is_source(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size <= LARGEST
    except OSError:
        return False
