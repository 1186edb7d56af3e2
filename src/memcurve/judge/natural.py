"""Judge a curve of a program that ran anyway: the collector as it is, nothing frozen, no replay.

The rule is that of `growth`, on the natural curve, with one condition more. Garbage that waits for
the cyclic collector rises exactly like a leak until a full collection runs. So a rise is called
growing only if a full collection ran in each half of the calls and the curve rose all the same, or
if one that was run on purpose at the end took back no more than a tenth of the rise. Without
either it is inconclusive.
"""

import msgspec

from memcurve.judge.judgement import judge_pass
from memcurve.judge.proof import CollectedInEachHalf, Proof, Unproved, Verified
from memcurve.model.caveat import Caveat
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Inconclusive, Judgement, Verdict

FULL_COLLECTIONS = "full_collections"
_UNWITNESSED = Unproved(
    why="it rises, but full collections were too few to tell a leak from garbage that waits for one"
)
_TAKEN_BACK = Unproved(why="it rises, but a full collection took back more than a tenth of that")
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
    proof = _proof(record, chosen)
    judgement = judge_pass(recording, record, proof, chosen)
    verdicts = {name: _told(v, proof) for name, v in judgement.verdicts.items()}
    caveats = (*judgement.caveats, _CAVEAT)
    return msgspec.structs.replace(judgement, verdicts=verdicts, caveats=caveats)


def _proof(record: PassRecord, thresholds: Thresholds) -> Proof:
    """Return what says that a rise is no garbage: a collection on purpose goes before any other."""
    if record.verifications:
        released = record.verifications[-1].released_bytes
        taken_back = released > thresholds.released * max(record.grown_bytes, 0)
        return _TAKEN_BACK if taken_back else Verified()
    return CollectedInEachHalf() if _collected_in_each_half(record) else _UNWITNESSED


def _collected_in_each_half(record: PassRecord) -> bool:
    curve = record.samples.curve(FULL_COLLECTIONS)
    if len(curve) < 3:
        return False
    middle = curve.at((curve.calls[0] + curve.last_call) // 2)
    return curve.values[0] < middle < curve.values[-1]


def _told(verdict: Verdict, proof: Proof) -> Verdict:
    """Say what would decide it in the words of a watch, which has no command line."""
    if not isinstance(verdict, Inconclusive):
        return verdict
    rises = verdict.evidence.low > verdict.thresholds.tolerance
    if rises and isinstance(proof, Unproved):
        settle_by = _COLLECT_FIRST if proof is _TAKEN_BACK else _COLLECT
        return msgspec.structs.replace(verdict, why=proof.why, settle_by=settle_by)
    more = max(2 * verdict.evidence.to_call, verdict.thresholds.enough)
    return msgspec.structs.replace(verdict, settle_by=f"more marks: {more} or more")
