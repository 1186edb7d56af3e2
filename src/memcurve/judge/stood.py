"""Read off the curves of a recording how much garbage stood at once.

standing   a natural pass: live bytes above the settled level at the same call, no less than 0
           and no more than half as much again as all calls so far left to the collector
stood      the most of it
"""

from memcurve.model.curve import Curve
from memcurve.model.debt import ActKind, Stood
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.verdict import Rate

MORE_THAN_LEFT = 1.5
"""Of what all calls left to the collector: what stands beyond it in a natural pass is no garbage
but free lists and caches, which a settled pass empties."""


def standing_in(natural: PassRecord, settled: PassRecord, rate: Rate) -> Curve:
    """Return what stood after each call of a pass that left the collector alone, in bytes."""
    level = settled.samples.curve("live_bytes").grown()
    grown = natural.samples.curve("live_bytes").grown()
    if not len(level):
        return Curve(counter="deferred_bytes", calls=(), values=())
    left = MORE_THAN_LEFT * rate.bytes_per_call
    values = [
        max(min(value - level.at(call), round(left * call)), 0)
        for call, value in zip(grown.calls, grown.values, strict=True)
    ]
    return Curve(counter="deferred_bytes", calls=grown.calls, values=tuple(values))


def stood_of(natural: PassRecord, settled: PassRecord, rate: Rate) -> Stood | None:
    """Return the most that stood at once in a pass that left the collector alone."""
    standing = standing_in(natural, settled, rate)
    if not len(standing):
        return None
    at, most = max(standing, key=lambda pair: pair[1])
    return Stood(bytes=most, at=at, calls=natural.calls)


def most_that_stood(recording: Recording, rate: Rate) -> Stood | None:
    """Return the most that stood with nothing done about it, in the pass that showed most."""
    settled = recording.of("settled")
    found = [stood_of(one, settled, rate) for one in _left_alone(recording) if settled]
    return max((one for one in found if one), key=lambda one: one.bytes, default=None)


def standing_of(recording: Recording, rate: Rate) -> Curve | None:
    """Return the curve of the pass that showed most; None where nothing ran as production does."""
    settled = recording.of("settled")
    curves = [standing_in(one, settled, rate) for one in _left_alone(recording) if settled]
    return max((one for one in curves if len(one)), key=lambda one: max(one.values), default=None)


def tried(recording: Recording, kind: ActKind) -> list[PassRecord]:
    """Return the passes that tried something about the garbage, without those that failed."""
    passed = [one for one in recording.tried if one.failure is None]
    return [one for one in passed if one.surveys.act is not None and one.surveys.act.kind == kind]


def _left_alone(recording: Recording) -> list[PassRecord]:
    passes = [recording.of("natural"), *tried(recording, "nothing")]
    return [one for one in passes if one is not None]
