"""What a verification gave back within a flat tail may hide a growth of as much: the floor says so.

Collections of a settled pass do not see what is frozen; a verification unfreezes it, and the curve
falls by what of it had become garbage. A fall of f bytes over the c calls of a tail hides a growth
of up to f/c bytes a call.
"""

import msgspec

from memcurve.judge.growth import Reading
from memcurve.model.recording import PassRecord


def hidden_per_call(reading: Reading, record: PassRecord) -> float:
    """Return the bytes a call that falls within the tail hide; nothing where it begins later."""
    trend = reading.trend
    if trend is None or trend.to_call <= trend.from_call:
        return 0.0
    fallen = (
        max(proof.released_bytes - proof.waited_bytes, 0)
        for proof in record.verifications
        if trend.from_call < proof.call <= trend.to_call
    )
    return sum(fallen) / (trend.to_call - trend.from_call)


def with_honest_floor(reading: Reading, record: PassRecord) -> Reading:
    """Return a flat reading with a floor that is true of what was given back, too."""
    hidden = hidden_per_call(reading, record)
    if reading.shape != "flat" or hidden <= reading.floor:
        return reading
    return msgspec.structs.replace(reading, floor=hidden)
