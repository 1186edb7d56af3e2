"""Text of a realistic size that depends on nothing but its seed.

The sentences are composed once, at import; a text is a row of them picked by the bytes of a hash,
which takes microseconds, where a random generator would take as long as the rest of the request.
"""

from __future__ import annotations

import hashlib
from itertools import accumulate

_SUBJECTS = (
    "the retention policy", "each regional cluster", "an expired credential", "the nightly import",
    "every signed contract", "the billing service", "a reviewed exception", "the support rota",
    "this deployment guide", "the audit trail", "a partial refund", "the escalation path",
    "an archived project", "the export format", "each tenant index", "the quarterly report",
)  # fmt: skip
_VERBS = (
    "is checked against", "must be renewed before", "takes precedence over", "is replaced by",
    "may be combined with", "is recorded together with", "has to wait for", "depends on",
    "is copied into", "is compared with", "follows directly from", "is limited by",
    "can be derived from", "is stored beside", "is announced ahead of", "never overrides",
)  # fmt: skip
_OBJECTS = (
    "the current service agreement", "the list of approved vendors", "two independent reviews",
    "the previous calendar month", "the settings of the workspace", "a written confirmation",
    "the regional data centre", "the oldest open request", "a window of thirty days",
    "the owner of the account", "the rules for public holidays", "an agreed recovery point",
    "the monthly usage statement", "a second factor", "the shared change calendar",
    "the limits of the chosen plan",
)  # fmt: skip
_TAILS = (
    "unless a manager decides otherwise", "when more than one region is affected",
    "so that nothing is counted twice", "even if the customer has already paid",
    "until the next maintenance window", "because the ledger is closed at midnight",
    "as section four explains in detail", "which usually takes two working days",
)  # fmt: skip

WORDS = (
    "coverage", "deadline", "eligibility", "procedure", "exception", "quota", "renewal", "scope",
    "evidence", "threshold", "retention", "approval", "region", "invoice", "migration", "baseline",
)  # fmt: skip


def digest(*parts: str) -> bytes:
    """Hash the parts to 16 bytes; where one part ends matters."""
    return hashlib.blake2b("\x1f".join(parts).encode("utf-8", "replace"), digest_size=16).digest()


def number(seed: bytes, salt: str, below: int) -> int:
    """Pick a whole number from 0 to below `below`."""
    picked = hashlib.blake2b(seed, digest_size=8, salt=salt.encode()[:16]).digest()
    return int.from_bytes(picked, "big") % below


def words(seed: bytes, count: int) -> str:
    """Pick `count` single words."""
    return " ".join(WORDS[byte % len(WORDS)] for byte in _stream(seed, count))


def sentence(seed: bytes) -> str:
    return _SENTENCES[seed[0]]


def passage(seed: bytes, chars: int) -> str:
    """Write exactly `chars` characters, cut where they end, as retrieval cuts its documents."""
    picks = _stream(seed, chars // _SHORTEST + 1)
    return " ".join([_SENTENCES[byte] for byte in picks])[:chars]


def essay(seed: bytes, most_words: int) -> str:
    """Write whole sentences of `most_words` words at most."""
    picks = _stream(seed, most_words // _FEWEST_WORDS + 1)
    totals = accumulate(_WORD_COUNTS[byte] for byte in picks)
    return " ".join(
        _SENTENCES[byte] for byte, total in zip(picks, totals, strict=True) if total <= most_words
    )


def _stream(seed: bytes, length: int) -> bytes:
    return hashlib.shake_128(seed).digest(length)


def _compose(row: int) -> str:
    pick = _stream(row.to_bytes(2, "big"), 4)
    subject, verb, thing, tail = (
        choices[byte % len(choices)]
        for choices, byte in zip((_SUBJECTS, _VERBS, _OBJECTS, _TAILS), pick, strict=True)
    )
    return f"{subject[0].upper()}{subject[1:]} {verb} {thing} {tail}."


_SENTENCES = tuple(map(_compose, range(256)))
_SHORTEST = min(map(len, _SENTENCES))
_WORD_COUNTS = tuple(len(text.split()) for text in _SENTENCES)
_FEWEST_WORDS = min(_WORD_COUNTS)
