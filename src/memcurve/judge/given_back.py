"""What a verification gave back within a flat tail may hide a growth of as much.

Collections of a settled pass do not see what is frozen; a verification unfreezes it, and the curve
falls by what of it had become garbage. A fall of f bytes over the c calls of a tail hides a growth
of up to f/c bytes a call. A tail that begins after the fall hides nothing of it: where such a one
is flat, it is the proof. Where none is, the floor says what the fall may hide.
"""

import msgspec

from memcurve.judge.growth import Reading, read_curve
from memcurve.judge.parts import Part
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


def with_honest_floor(part: Part, record: PassRecord) -> Reading:
    """Return the reading of a part with a floor that is true of what was given back, too."""
    reading = part.reading
    hidden = hidden_per_call(reading, record)
    if reading.shape != "flat" or hidden <= reading.floor:
        return reading
    last = max(proof.call for proof in record.verifications)
    after = read_curve(part.curve, part.limits, flat_from=last)
    if after.shape == "flat":
        return after
    return msgspec.structs.replace(reading, floor=hidden)
