"""What a run has done so far, beside its recordings: gone once it is complete.

    OUT/unfinished.json      which designs are stored, of how many, and how they were asked for

It names designs and chooses no path: what is measured next is what the command names.
"""

from pathlib import Path

import msgspec

from memcurve.model.errors import RecordingError
from memcurve.store.files import read_json, replace_file

UNFINISHED_VERSION = 1


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was begun: the names ``scenario/design`` of all its designs, and of those stored.

    `asked` are the options that decide what a recording holds.
    """

    schema_version: int = UNFINISHED_VERSION
    begun_at: str
    asked: str
    designs: tuple[str, ...]
    done: tuple[str, ...] = ()


def unfinished_path(out: Path) -> Path:
    """Return where it is kept."""
    return out / "unfinished.json"


def save_unfinished(out: Path, value: Unfinished) -> None:
    """Keep how far a run is."""
    replace_file(unfinished_path(out), msgspec.json.encode(value))


def load_unfinished(out: Path) -> Unfinished | None:
    """Read how far the last run came, None if it is complete; RecordingError if it is damaged."""
    path = unfinished_path(out)
    if not path.exists():
        return None
    found = read_json(path, Unfinished, "begun run", "remove it, and run anew")
    if found.schema_version != UNFINISHED_VERSION:
        raise RecordingError(
            f"{path}: version {found.schema_version} is not {UNFINISHED_VERSION}; run anew"
        )
    return found


def forget_unfinished(out: Path) -> None:
    """The run is complete."""
    unfinished_path(out).unlink(missing_ok=True)
