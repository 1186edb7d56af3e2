"""Leaks that a person has acknowledged: reported, not failed, until a date.

The file is TOML, one table for each leak:

    [[leak]]
    fingerprint = "3f9a0c1d22be"
    reason = "the vendor's client is never closed"
    link = "https://example.org/issues/12"
    expires = 2027-01-31
"""

import datetime
import tomllib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from memcurve.model.errors import KnownLeaksError
from memcurve.model.findings import Culprit
from memcurve.model.outcome import Crossing, Outcome
from memcurve.model.text import printable

DEFAULT_FILE = "known-leaks.toml"
ENOUGH = 0.9
"""The share of a growth that known culprits must explain for it to count as acknowledged."""
GROWING = frozenset(("live_bytes", "fds", "threads", "tasks"))
"""Counters whose growth an acknowledgement covers; garbage, failures and leads it does not."""


class KnownLeak(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One acknowledged culprit: which, why, where that is discussed, and until when (inclusive)."""

    fingerprint: str
    reason: str
    expires: datetime.date
    link: str = ""

    def expired(self, today: datetime.date) -> bool:
        return today > self.expires


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    leak: list[KnownLeak] = []


def parse_known(text: str, name: str = DEFAULT_FILE) -> tuple[KnownLeak, ...]:
    """Read the leaks of a file's text; raises KnownLeaksError naming the table and the field."""
    try:
        return tuple(msgspec.convert(tomllib.loads(text), _File).leak)
    except RecursionError as error:
        raise KnownLeaksError(f"{name}: nested too deep; write one [[leak]] for each") from error
    except (ValueError, msgspec.ValidationError) as error:
        raise KnownLeaksError(
            f"{name}: {error}; each [[leak]] needs fingerprint, reason and expires"
        ) from error


def load_known(path: str | Path | None = None) -> tuple[KnownLeak, ...]:
    """Read the file at `path`; without one, `known-leaks.toml` of this folder if it is there."""
    place = Path(DEFAULT_FILE if path is None else path)
    try:
        return parse_known(printable(place.read_text(encoding="utf-8")), place.name)
    except UnicodeDecodeError as error:
        raise KnownLeaksError(
            f"{place}: {error.reason} at byte {error.start}; save it as UTF-8"
        ) from error
    except IsADirectoryError as error:
        raise KnownLeaksError(f"{place}: not a file; write it, or leave the option out") from error
    except FileNotFoundError as error:
        if path is None:
            return ()
        raise KnownLeaksError(
            f"no such file: {place}; write it, or leave the option out"
        ) from error


def known_in(folder: Path) -> tuple[KnownLeak, ...]:
    """Read `known-leaks.toml` of a folder, nothing where there is none."""
    place = folder / DEFAULT_FILE
    return load_known(place) if place.is_file() else ()


def mark_known(
    culprits: Iterable[Culprit], known: Iterable[KnownLeak], today: datetime.date
) -> tuple[Culprit, ...]:
    """Return the culprits with what is known of them; an expired entry says that it expired."""
    by_fingerprint = {leak.fingerprint: leak for leak in known}
    return tuple(_marked(culprit, by_fingerprint, today) for culprit in culprits)


def _marked(culprit: Culprit, known: dict[str, KnownLeak], today: datetime.date) -> Culprit:
    leak = known.get(culprit.fingerprint)
    if leak is None:
        return culprit
    link = f" ({leak.link})" if leak.link else ""
    if leak.expired(today):
        text = f"expired on {leak.expires}: {leak.reason}{link}"
    else:
        text = f"until {leak.expires}: {leak.reason}{link}"
    return msgspec.structs.replace(culprit, known=text)


def acknowledged(
    culprits: Iterable[Culprit], known: Iterable[KnownLeak], today: datetime.date
) -> bool:
    """Say whether a growth is acknowledged: known culprits that have not expired explain it.

    They must explain 90 % of the retained growth; where it is descriptors, threads or tasks that
    grow, every culprit must be known.
    """
    valid = {leak.fingerprint for leak in known if not leak.expired(today)}
    found = list(culprits)
    if not any(c.fingerprint in valid for c in found):
        return False
    unknown = [c for c in found if c.fingerprint not in valid]
    if any(c.bytes_per_call == 0 for c in unknown):
        return False
    return not unknown or sum(c.share for c in found if c.fingerprint in valid) >= ENOUGH


def acknowledge(outcome: Outcome, known: Iterable[KnownLeak], today: datetime.date) -> Outcome:
    """Return an outcome with what is known of its culprits, without the crossings that covers."""
    known = tuple(known)
    culprits = mark_known(outcome.culprits, known, today)
    explanation, held = outcome.explanation, outcome.comparison
    if explanation is not None:
        explanation = msgspec.structs.replace(explanation, culprits=culprits)
    if held is not None and acknowledged(culprits, known, today):
        held = msgspec.structs.replace(held, crossings=not_covered(held.crossings))
    return msgspec.structs.replace(
        outcome, culprits=culprits, explanation=explanation, comparison=held
    )


def not_covered(crossings: Iterable[Crossing]) -> tuple[Crossing, ...]:
    """Return the crossings that an acknowledged growth does not account for."""
    return tuple(one for one in crossings if one.kind == "lead" or one.counter not in GROWING)
