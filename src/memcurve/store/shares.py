"""What a folder holds of a run that several machines share: the promise that a merge checks.

    OUT/share.json      which shard of how many, its designs, those of the whole run, how asked

It names designs and chooses no path: where they are follows from their names.
"""

from pathlib import Path

import msgspec

from memcurve.model.errors import RecordingError
from memcurve.store.files import read_json, replace_file

SHARE_VERSION = 1
MOST_SHARDS = 10_000
"""More machines than anybody gives to one suite; a stored number beyond it is damage."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Shard `number` of `of`: its designs ``scenario/design``, and those of all shards together.

    `asked` are the options that decide what a recording holds.
    """

    schema_version: int = SHARE_VERSION
    number: int
    of: int
    asked: str
    designs: tuple[str, ...]
    whole: tuple[str, ...]


def share_path(out: Path) -> Path:
    """Return where it is kept."""
    return out / "share.json"


def save_share(out: Path, share: Share | None) -> None:
    """Keep what a folder is to hold; None: a whole run, and what stood there of a shard goes."""
    if share is None:
        share_path(out).unlink(missing_ok=True)
    else:
        replace_file(share_path(out), msgspec.json.encode(share))


def load_share(out: Path) -> Share:
    """Read what a folder is to hold; RecordingError where it is no shard's, or damaged."""
    path, advice = share_path(out), "run that shard again"
    if not path.exists():
        raise RecordingError(
            f"{out}: holds no shard of a run; name the --out of a memcurve run --shard I/N"
        )
    found = read_json(path, Share, "share of a run", advice)
    if found.schema_version != SHARE_VERSION:
        raise RecordingError(
            f"{path}: version {found.schema_version} is not {SHARE_VERSION}; {advice}"
        )
    if not 1 <= found.number <= found.of <= MOST_SHARDS:
        raise RecordingError(f"{path}: number: no shard is {found.number} of {found.of}; {advice}")
    if strange := set(found.designs) - set(found.whole):
        raise RecordingError(f"{path}: designs: {min(strange)!r} is none of the run's; {advice}")
    return found
