"""Give a culprit a name that stays: across runs, machines, and edits that do not concern it.

It is made of the scenario, the type, the kind of root and the shape of the path; for what no object
accounts for, of the file and function that allocate it. Addresses, line numbers, folders, and which
entry of a container it was are left out.
"""

import hashlib
import re
from collections.abc import Iterable

LENGTH = 12  # 48 bits: a thousand marks of a project collide once in a million projects
_PLACE = re.compile(r"\s*\([^()]*:\d+\)")
_NUMBER = re.compile(r"0x[0-9a-f]+|\b\d+\b")


def fingerprint(scenario: str, kind: str, root: str, path: Iterable[str], place: str) -> str:
    """Return 12 hexadecimal digits."""
    steps = [shape_of(step) for step in path]
    text = "\0".join((scenario, kind, root, *steps, place))
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def shape_of(step: str) -> str:
    """Return a step of a path without its places in files and its numbers."""
    return _NUMBER.sub("#", _PLACE.sub("", step))


def file_of(site: str) -> str:
    """Return the last two parts of the file of a site: what a check-out elsewhere has in common."""
    return "/".join(site.rpartition(":")[0].split("/")[-2:])
