"""A report of tomorrow says what the report of today said: thresholds and causes are kept."""

from pathlib import Path

import msgspec

from memcurve.model.outcome import Comparison
from memcurve.model.recording import Recording
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import name_of
from memcurve.run.scenarios import judged
from memcurve.store.files import findings_path
from memcurve.store.findings import load_outcome, save_outcomes
from tests.memcurve.making import crossing, culprit, curve, explanation, recording, settled

LOOSE = Thresholds(tolerance=64.0, floor_limit=64.0)


def rising() -> Recording:
    made = recording(settled(curve(calls=1500).grows(per_call=20)), scenario="s", design="d")
    return msgspec.structs.replace(made, recorded_at="2026-11-22T10:00:00+00:00")


def verdict(out: Path, of: Recording) -> str:
    found = load_outcome(out, of, judged).judgement
    assert found is not None
    return name_of(found.retained)


def test_a_recording_is_judged_again_by_the_thresholds_of_its_run(tmp_path: Path) -> None:
    assert verdict(tmp_path, rising()) == "growing"
    save_outcomes(tmp_path, [judged(rising(), LOOSE)])
    assert verdict(tmp_path, rising()) == "flat"


def test_causes_and_crossed_limits_come_back(tmp_path: Path) -> None:
    causes, over = explanation(culprit()), crossing(scenario="s")
    outcome = msgspec.structs.replace(
        judged(rising(), LOOSE),
        explanation=causes,
        comparison=Comparison(scenario="s", design="d", baseline=None, crossings=(over,)),
    )
    save_outcomes(tmp_path, [outcome])
    again = load_outcome(tmp_path, rising(), judged)
    assert (again.explanation, again.culprits) == (causes, causes.culprits)
    assert again.comparison is not None
    assert again.comparison.crossings == (over,)


def test_causes_that_were_kept_before_paths_had_steps_come_back(tmp_path: Path) -> None:
    causes = explanation(culprit())
    save_outcomes(tmp_path, [msgspec.structs.replace(judged(rising(), LOOSE), explanation=causes)])
    place = findings_path(tmp_path, "s", "d")
    kept = msgspec.json.decode(place.read_bytes())
    del kept["explanation"]["culprits"][0]["steps"]
    place.write_bytes(msgspec.json.encode(kept))
    (again,) = load_outcome(tmp_path, rising(), judged).culprits
    assert again.path == causes.culprits[0].path != ()


def test_findings_of_another_recording_do_not_count(tmp_path: Path) -> None:
    save_outcomes(tmp_path, [judged(rising(), LOOSE)])
    later = msgspec.structs.replace(rising(), recorded_at="2026-11-23T10:00:00+00:00")
    assert verdict(tmp_path, later) == "growing"


def test_damaged_findings_leave_the_recording_readable(tmp_path: Path) -> None:
    save_outcomes(tmp_path, [judged(rising(), LOOSE)])
    findings_path(tmp_path, "s", "d").write_text("{")
    assert verdict(tmp_path, rising()) == "growing"
