"""What `accept` and `explain` print as JSON."""

import msgspec

from memcurve.model.findings import Explanation, Ledger

PRINTED_VERSION = 1


class AcceptedScenario(msgspec.Struct, frozen=True, kw_only=True):
    """Where the curves of one scenario are kept, and what changed, a line for each design."""

    scenario: str
    path: str
    changes: tuple[str, ...]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What `memcurve accept` kept."""

    schema_version: int = PRINTED_VERSION
    reason: str
    accepted: tuple[AcceptedScenario, ...]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What `memcurve explain` found of one design; without a ledger where it could not be made."""

    schema_version: int = PRINTED_VERSION
    scenario: str
    design: str
    explanation: Explanation
    ledger: Ledger | None
