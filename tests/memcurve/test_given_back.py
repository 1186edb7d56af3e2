"""What was given back within a flat tail is in its floor."""

import msgspec

from memcurve.judge.given_back import hidden_per_call, with_honest_floor
from memcurve.judge.parts import read_memory
from memcurve.judge.schedule import rerun_mode
from memcurve.model.recording import InFlight, PassRecord, Verification
from memcurve.model.thresholds import Thresholds
from tests.memcurve.making import curve, settled


def flat(*proofs: Verification) -> PassRecord:
    return msgspec.structs.replace(settled(curve(calls=300).flat()), verifications=proofs)


def proof(call: int, released: int, waited: int = 0) -> Verification:
    return Verification(
        call=call,
        released_bytes=released,
        waited_bytes=waited,
        unfrozen_objects=9,
        in_flight=InFlight(),
    )


def test_a_fall_within_the_tail_is_the_floor() -> None:
    record = flat(proof(250, 1000), proof(300, 400))
    part = read_memory(record.samples, Thresholds())
    reading = part.reading
    assert reading.trend is not None
    calls = reading.trend.to_call - reading.trend.from_call
    assert hidden_per_call(reading, record) == 1400 / calls
    assert with_honest_floor(part, record).floor == 1400 / calls > reading.floor


def test_what_waited_in_flight_or_went_before_the_tail_hides_nothing() -> None:
    record = flat(proof(2, 10_000), proof(250, 10_000, waited=10_000))
    part = read_memory(record.samples, Thresholds())
    assert with_honest_floor(part, record) == part.reading


def test_a_tail_after_the_fall_is_the_proof_where_it_is_flat() -> None:
    maker = curve(calls=700).flat()
    record = msgspec.structs.replace(settled(maker), verifications=(proof(250, 74_000),))
    part = read_memory(record.samples, Thresholds())
    assert hidden_per_call(part.reading, record) > 100
    after = with_honest_floor(part, record)
    assert (after.shape, after.floor) == ("flat", 1.0)
    assert after.trend is not None
    assert after.trend.from_call >= 250
    assert rerun_mode(record, Thresholds()) is None
