"""What `memcurve explain --json` prints."""

import msgspec

from memcurve.model.findings import Explanation, Ledger

EXPLAINED_VERSION = 1


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What `memcurve explain` found of one design; without a ledger where it could not be made."""

    schema_version: int = EXPLAINED_VERSION
    scenario: str
    design: str
    explanation: Explanation
    ledger: Ledger | None
