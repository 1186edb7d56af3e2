"""What says that a rise is no garbage that waits for the collector: growth needs it."""

import msgspec

from memcurve.model.recording import PassRecord


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """Everything was given back to the collector, collected, and the rise was still there."""


class CollectedInEachHalf(msgspec.Struct, frozen=True, kw_only=True):
    """Full collections of the program itself ran in each half, and it rose all the same."""


class Unproved(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing says it yet, and why not."""

    why: str


Proof = Verified | CollectedInEachHalf | Unproved

NOT_GIVEN_BACK = Unproved(
    why="it rises, but what was frozen was not given back to the collector yet"
)


def proof_of_settled(record: PassRecord) -> Proof:
    """Return what the verifications of a settled pass prove: the last call must have one.

    A pass that failed ended between two calls: then any verification will do.
    """
    calls = [verification.call for verification in record.verifications]
    verified = record.calls in calls or (record.failure is not None and bool(calls))
    return Verified() if verified else NOT_GIVEN_BACK
