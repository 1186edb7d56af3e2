"""What `memcurve accept --json` prints."""

import msgspec

ACCEPTED_VERSION = 1


class AcceptedScenario(msgspec.Struct, frozen=True, kw_only=True):
    """Where the curves of one scenario are kept, and what changed, a line for each design."""

    scenario: str
    path: str
    changes: tuple[str, ...]


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """What `memcurve accept` kept."""

    schema_version: int = ACCEPTED_VERSION
    reason: str
    accepted: tuple[AcceptedScenario, ...]
