"""What explaining finds: culprits and the ledger, as values that reports and JSON carry."""

import msgspec


class Culprit(msgspec.Struct, frozen=True, kw_only=True):
    """One cause of growth: what survives, who holds it, where it was made.

    `per_call` counts objects and `bytes_per_call` their bytes, a call; `share` is its part of the
    retained growth, from 0 to 1. `path` leads from a root to the object; `site` is ``file:line``;
    both are empty where they are not known.
    """

    type: str
    per_call: float
    bytes_per_call: float
    share: float = 0.0
    path: tuple[str, ...] = ()
    site: str = ""
    cycle: str = ""
    bound: str = ""
    advice: str = ""
    fingerprint: str = ""
    known: str = ""


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """Where the growth of resident memory went between two calls of the natural pass, in bytes.

    ``rss`` is the sum of the other rows; ``residual`` is what none of them explains.
    """

    from_call: int
    to_call: int
    rss: int
    retained_python: int
    retained_malloc: int
    deferred: int
    allocator_slack: int
    other_mappings: int
    residual: int
