"""All that development and CI install is pinned: no version comes in that nobody chose."""

import re
import tomllib
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][0-9A-Za-z.!+]*)")
OURS = {"memcurve", "ragpool"}


def pins(text: str) -> dict[str, str]:
    """Return the versions by name; AssertionError for a line that pins nothing, or one twice."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        match = PIN.fullmatch(line)
        assert match is not None, f"no pin: {line!r}"
        name = canonicalize_name(match[1])
        assert name not in found, f"pinned twice: {name}"
        found[name] = match[2]
    return found


def unpinned(wanted: Iterable[str], pinned: dict[str, str]) -> list[str]:
    """Return what installing these would install that is not pinned, or not at its pin."""
    wrong, seen = [], set[tuple[str, str]]()
    waiting = [(Requirement(text), "") for text in wanted]
    while waiting:
        one, extra = waiting.pop()
        if one.marker is not None and not one.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(one.name)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        if name not in OURS and pinned.get(name) != distribution.version:
            wrong.append(f"{name} {distribution.version} is pinned at {pinned.get(name)}")
        for part in {"", *one.extras}:
            if (name, part) not in seen:
                seen.add((name, part))
                waiting += [(Requirement(each), part) for each in distribution.requires or ()]
    return sorted(set(wrong))


def test_whatever_development_installs_is_pinned() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert unpinned(groups["dev"], pins((ROOT / "constraints.txt").read_text())) == []


def test_what_is_not_pinned_would_be_seen() -> None:
    pinned = pins((ROOT / "constraints.txt").read_text())
    pinned.pop("markupsafe")  # what jinja2 brings along, which an extra of ours asks for
    pinned["rich"] = "1.0"
    wrong = unpinned(["memcurve[report]"], pinned)
    assert [text.split()[0] for text in wrong] == ["markupsafe", "rich"]
