"""What `accept`, `explain` and `doctor` print as JSON."""

import msgspec

from memcurve.diagnosis import CounterSource, Diagnosis, Headroom, Tool
from memcurve.findings import Explanation, Ledger
from memcurve.recording import Environment

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


class Diagnosed(msgspec.Struct, frozen=True, kw_only=True):
    """What `memcurve doctor` says of an interpreter; `exact`: bytes can be counted exactly."""

    schema_version: int = PRINTED_VERSION
    exact: bool
    environment: Environment
    key: str
    counters: tuple[CounterSource, ...]
    isolation: tuple[str, ...]
    thread_cache_off: bool
    row_s: float
    tools: tuple[Tool, ...]
    headroom: Headroom | None
    notes: tuple[str, ...]

    @staticmethod
    def of(found: Diagnosis) -> "Diagnosed":
        """Return a diagnosis as it is printed."""
        return Diagnosed(exact=found.exact, **msgspec.structs.asdict(found))
