"""A run against its baselines: what is crossed, what is only noted, and what is said about it."""

from __future__ import annotations

import msgspec
import pytest

from memcurve.compare.against_baseline import accept, compare
from memcurve.compare.revisions import differences
from memcurve.compare.usage import used
from memcurve.model.baseline import Baseline
from memcurve.model.debt import Heavy, Stood
from memcurve.model.outcome import Comparison, Outcome
from memcurve.model.scenario import Lead, Scenario, scenario
from memcurve.model.thresholds import Thresholds
from memcurve.report.crossings import crossing_message
from memcurve.run.scenarios import judged
from tests.memcurve.making import (
    CurveMaker,
    culprit,
    curve,
    cycle,
    environment,
    explanation,
    natural,
    recording,
    settled,
)

KIB, MIB = 1024, 1 << 20
LONG = 1600
SCENARIO = scenario("rag_client", {"naive": "m:f", "pooled": "m:g"}, may_grow=("naive",))


def outcome(memory: CurveMaker, design: str = "pooled", **counters: CurveMaker) -> Outcome:
    return judged(recording(settled(memory, **counters), design=design), Thresholds())


def still() -> CurveMaker:
    return curve(calls=LONG).flat()


def baseline(*outcomes: Outcome, design: str = "pooled", **packages: str) -> Baseline:
    return Baseline(
        scenario="rag_client",
        environment=environment(**packages),
        reason="made up",
        accepted_at="",
        repeats=len(outcomes),
        designs={design: accept(outcomes)},
    )


def held(one: Outcome, accepted: Baseline | None, of: Scenario = SCENARIO) -> Comparison:
    found = compare(of, [one], accepted)[0].comparison
    assert found is not None
    return found


def test_what_was_accepted_crosses_nothing() -> None:
    one = outcome(still())
    found = held(one, baseline(one))
    assert found.crossings == ()
    assert all(change.inside for change in found.changes)


def test_a_curve_above_its_band_names_design_counter_call_bytes_and_remedy() -> None:
    worse = outcome(curve(calls=LONG).flat(30).jumps(40 * KIB).flat())
    crossing = held(worse, baseline(outcome(still()))).crossings[0]
    assert (crossing.kind, crossing.counter, crossing.call) == ("band", "live_bytes", 35)
    assert crossing.over == 24 * KIB
    assert "rag_client/pooled: live bytes left its accepted band at call 35" in crossing_message(
        crossing
    )
    assert "24.0 KiB over" in crossing_message(crossing)
    assert "memcurve accept -k rag_client/pooled --reason" in crossing_message(crossing)


def test_the_first_culprit_stands_in_the_message() -> None:
    worse = outcome(curve(calls=LONG).grows(per_call=1000))
    worse = Outcome(
        recording=worse.recording, judgement=worse.judgement, culprits=(culprit("ssl.SSLContext"),)
    )
    messages = [crossing_message(c) for c in held(worse, None).crossings]
    assert any("first culprit: ssl.SSLContext at bench/designs/naive.py:42" in m for m in messages)


def test_the_cycle_that_keeps_most_waiting_stands_in_the_message_about_garbage() -> None:
    before = outcome(still(), deferred_bytes=still())
    worse = outcome(still(), deferred_bytes=curve(calls=LONG).flat().above(90 * KIB))
    found = explanation(cycles=(cycle("httpx.Response"), cycle("dict")))
    worse = Outcome(recording=worse.recording, judgement=worse.judgement, explanation=found)
    (message,) = (crossing_message(c) for c in held(worse, baseline(before)).crossings)
    assert "deferred bytes" in message
    assert f"first cycle: {found.cycles[0].words}" in message


def test_growth_is_crossed_without_any_baseline_and_with_one_that_grows() -> None:
    leak = outcome(curve(calls=LONG).grows(per_call=1000))
    for accepted in (None, baseline(leak)):
        assert [c.kind for c in held(leak, accepted).crossings] == ["verdict"]


def test_a_design_that_may_grow_is_held_to_its_band_alone() -> None:
    leak = outcome(curve(calls=LONG).grows(per_call=1000), design="naive")
    steeper = outcome(curve(calls=LONG).grows(per_call=3000), design="naive")
    assert held(leak, None).crossings == ()
    accepted = baseline(leak, design="naive")
    assert held(leak, accepted).crossings == ()
    assert [c.kind for c in held(steeper, accepted).crossings] == ["band"]


def standing(stood: int, design: str = "pooled") -> Outcome:
    """Make an outcome of which so much garbage stood at once."""
    one = outcome(still(), design)
    assert one.judgement is not None
    heavy = Heavy(
        bytes_per_call=float(MIB),
        objects_per_call=3.0,
        limit=64.0 * MIB,
        stood=Stood(bytes=stood, at=90, calls=100),
    )
    return msgspec.structs.replace(
        one, judgement=msgspec.structs.replace(one.judgement, debt=heavy)
    )


def test_garbage_that_stands_is_crossed_without_a_baseline_unless_it_may() -> None:
    (crossed,) = held(standing(90 * MIB), None).crossings
    assert (crossed.kind, crossed.value, crossed.limit) == ("garbage", 90 * MIB, 64 * MIB)
    assert "90.0 MiB of garbage stood at once after 90 calls" in crossing_message(crossed)
    assert held(standing(90 * MIB, design="naive"), None).crossings == ()


def test_what_was_accepted_may_stand_and_a_quarter_more() -> None:
    accepted = baseline(standing(80 * MIB))
    assert accepted.designs["pooled"].garbage_bytes == 80 * MIB
    assert held(standing(100 * MIB), accepted).crossings == ()
    assert [one.limit for one in held(standing(101 * MIB), accepted).crossings] == [100 * MIB]


@pytest.mark.parametrize("counter", ["fds", "threads", "tasks"])
def test_resources_that_grow_are_crossed_without_a_baseline(counter: str) -> None:
    leak = outcome(still(), **{counter: curve(calls=LONG).grows(per_call=1)})
    assert [(c.kind, c.counter) for c in held(leak, None).crossings] == [("resources", counter)]


def test_no_baseline_and_other_versions_are_noted() -> None:
    one = outcome(still())
    assert [c.kind for c in held(one, None).caveats] == ["no_baseline"]
    noted = held(one, baseline(one, httpx="0.1"))
    assert [c.kind for c in noted.caveats] == ["other_versions"]
    assert "httpx 0.1 → " in noted.caveats[0].text


def test_a_baseline_of_another_environment_is_noted() -> None:
    one = outcome(still())
    accepted = baseline(one)
    foreign = Baseline(
        **{
            name: getattr(accepted, name)
            for name in ("scenario", "reason", "accepted_at", "repeats", "designs")
        },
        environment=environment(python="3.13.1"),
    )
    assert [c.kind for c in held(one, foreign).caveats] == ["other_environment"]


LEADING = scenario(
    "rag_client",
    {"naive": "m:f", "pooled": "m:g"},
    may_grow=("naive",),
    leads=(Lead(design="pooled", over="naive", at_most={"connections_opened": 0.1}),),
)


def led(pooled_opens: float, *, naive_fails: float = 0.0, pooled_fails: float = 0.0) -> Comparison:
    def design(name: str, opens: float, fails: float) -> Outcome:
        opened = curve(calls=LONG).grows(per_call=opens)
        failures = curve(calls=LONG).grows(per_call=fails)
        return outcome(still(), name, connections_opened=opened, failures=failures)

    naive = design("naive", 1, naive_fails)
    pooled = design("pooled", pooled_opens, pooled_fails)
    found = compare(LEADING, [naive, pooled], None)[1].comparison
    assert found is not None
    return found


def test_a_lead_that_is_kept_crosses_nothing_and_one_that_is_lost_does() -> None:
    assert led(0.05).crossings == ()
    crossing = led(0.5).crossings[0]
    assert (crossing.kind, crossing.value, crossing.limit) == ("lead", 50, 10)
    assert "50% of what naive uses (100); at most 10% is agreed" in crossing_message(crossing)


def test_no_lead_is_held_over_a_design_that_fails_more() -> None:
    found = led(0.5, naive_fails=0.7)
    assert found.crossings == ()
    notes = [one.text for one in found.caveats if one.kind == "failed_calls"]
    assert any(
        "naive failed in 70 more pieces of work in 100 calls, so no lead" in note for note in notes
    )
    assert [one.kind for one in led(0.5, naive_fails=0.7, pooled_fails=0.7).crossings] == ["lead"]


def test_cpu_is_read_off_the_natural_pass_and_deferred_bytes_are_a_sum() -> None:
    made = recording(
        settled(deferred_bytes=curve(calls=100).flat().above(10)),
        natural(cpu_ns=curve(calls=100).grows(per_call=5)),
    )
    assert used(made, "cpu_ns") == 500
    assert used(made, "deferred_bytes") == 1000
    assert used(made, "connections_opened") is None


def test_two_revisions_that_do_the_same_differ_in_nothing() -> None:
    before = outcome(still())
    after = outcome(still().noise(seed=3, by=8))
    assert differences(before, after) == []


def test_two_hundred_bytes_a_call_differ_between_revisions_in_their_rate() -> None:
    leak = outcome(curve(calls=LONG).grows(per_call=200))
    found = differences(outcome(still()), leak)
    assert next((one.counter, round(one.after), one.per_call, one.worse) for one in found) == (
        "live_bytes",
        200,
        True,
        True,
    )
    assert not differences(leak, outcome(still()))[0].worse


def test_work_that_failed_is_counted_and_noted() -> None:
    failing = outcome(still(), failures=curve(calls=LONG).grows(per_call=2))
    noted = held(failing, None).caveats[0]
    assert noted.kind == "failed_calls"
    assert "200 pieces of work failed in 100 calls" in noted.text
    assert [c.kind for c in held(outcome(still()), None).caveats] == ["no_baseline"]
