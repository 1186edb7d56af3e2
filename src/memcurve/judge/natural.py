"""Judge a curve of a program that ran anyway: the collector as it is, nothing frozen, no replay.

The rule is that of `growth`, on the natural curve, with one condition more. Garbage that waits for
the cyclic collector rises exactly like a leak until a full collection runs. So a rise is called
growing only if a full collection ran in each half of the calls and the curve rose all the same, or
if one that was run on purpose at the end took back no more than a tenth of the rise. Without
either it is inconclusive.
"""

import msgspec

from memcurve.judge.judgement import judge
from memcurve.model.caveat import Caveat
from memcurve.model.recording import InFlight, PassRecord, Recording, Verification
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Inconclusive, Judgement, Verdict

FULL_COLLECTIONS = "full_collections"
_UNWITNESSED = (
    "it rises, but full collections were too few to tell a leak from garbage that waits for one"
)
_TAKEN_BACK = "it rises, but a full collection took back more than a tenth of that"
_COLLECT_FIRST = "gc.collect() before the watch, so that no older garbage is in it, and once more"
_COLLECT = "verdict(collect=True), which runs one now, or watch(collect=True)"
_CAVEAT = Caveat(
    kind="natural_curve",
    text="judged on the natural curve: garbage that waits for the collector is in it",
)


def judge_natural(recording: Recording, thresholds: Thresholds | None = None) -> Judgement:
    """Judge the natural pass of a recording; it holds the curve of full collections.

    Costs about a millisecond. Raises ValueError for a recording without a natural pass.
    """
    record = recording.of("natural")
    if record is None:
        raise ValueError(f"{recording.scenario}/{recording.design} has no natural pass to judge")
    chosen = thresholds or Thresholds()
    why = _unproved(record, chosen)
    judged = msgspec.structs.replace(recording, passes=(_as_settled(record, not why),))
    judgement = judge(judged, chosen)
    verdicts = {name: _told(v, why) for name, v in judgement.verdicts.items()}
    caveats = (*judgement.caveats, _CAVEAT)
    return msgspec.structs.replace(judgement, verdicts=verdicts, caveats=caveats)


def _as_settled(record: PassRecord, witnessed: bool) -> PassRecord:
    """Return the pass as the judge expects it; full collections stand in for a verification."""
    proof = Verification(
        call=record.calls,
        released_bytes=0,
        waited_bytes=0,
        unfrozen_objects=0,
        in_flight=InFlight(),
    )
    verifications = (proof,) if witnessed else ()
    return msgspec.structs.replace(record, kind="settled", verifications=verifications)


def _unproved(record: PassRecord, thresholds: Thresholds) -> str:
    """Return why a rise may still be garbage that waits, nothing if that is excluded."""
    if record.verifications:
        released = record.verifications[-1].released_bytes
        taken_back = released > thresholds.released * max(record.grown_bytes, 0)
        return _TAKEN_BACK if taken_back else ""
    return "" if _collected_in_each_half(record) else _UNWITNESSED


def _collected_in_each_half(record: PassRecord) -> bool:
    curve = record.samples.curve(FULL_COLLECTIONS)
    if len(curve) < 3:
        return False
    middle = curve.at((curve.calls[0] + curve.last_call) // 2)
    return curve.values[0] < middle < curve.values[-1]


def _told(verdict: Verdict, why: str) -> Verdict:
    """Say what would settle it in the words of a watch, which has no command line."""
    if not isinstance(verdict, Inconclusive):
        return verdict
    rises = verdict.evidence.low > verdict.thresholds.tolerance
    if rises and why:
        settle_by = _COLLECT_FIRST if why == _TAKEN_BACK else _COLLECT
        return msgspec.structs.replace(verdict, why=why, settle_by=settle_by)
    more = max(2 * verdict.evidence.to_call, verdict.thresholds.enough)
    return msgspec.structs.replace(verdict, settle_by=f"more marks: {more} or more")
