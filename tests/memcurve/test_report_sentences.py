"""What a report says in words is what was proved, and the worst comes first."""

import msgspec

from memcurve.model.outcome import Run
from memcurve.model.verdict import Plateaued, Verdict
from memcurve.report.arrange import view_of
from memcurve.report.crossings import crossing_line, crossing_message
from memcurve.report.sentences import (
    beside,
    design_sentence,
    headline,
    rate_cell,
    verdict_label,
)
from tests.memcurve.making import (
    crossing,
    evidence,
    flat,
    growing,
    inconclusive,
    judgement,
    outcome,
    plateaued,
    recording,
    run,
)
from tests.memcurve.sample_run import crossed_run, failed, sample_run

KIB = 1024


def names_of(of: Run) -> list[str]:
    return [one.name for one in view_of(of).scenarios]


def test_a_design_that_is_flat_everywhere_says_which_growth_is_excluded() -> None:
    flat_twice = [outcome(recording(), judged=judgement(calls=1500)) for _ in range(2)]
    assert design_sentence("pooled", flat_twice) == (
        "pooled is flat in both scenarios: ≤ 1 B a call proved over 1,500 calls"
    )


def test_a_growing_design_says_where_how_much_and_in_which_heap() -> None:
    judged = judgement(growing(876 * KIB), python_per_call=19 * KIB, native_per_call=857 * KIB)
    one = [outcome(recording(design="naive"), judged=judged)]
    said = design_sentence("naive", one)
    assert said == "naive grows 876 KiB a call, 98 % of it outside Python's heap"


def test_growth_of_descriptors_is_told_in_descriptors() -> None:
    judged = judgement(fds=growing(1.0, "fds"))
    one = outcome(recording(design="naive"), judged=judged)
    assert design_sentence("naive", [one]) == "naive grows descriptors by 1 a call"
    assert verdict_label(one) == "growing: descriptors"


def test_a_plateau_of_threads_is_not_taken_for_one_of_memory() -> None:
    verdict = Plateaued(evidence=evidence("threads"), at=30, size=12)
    one = outcome(recording(), judged=judgement(threads=verdict))
    assert verdict_label(one) == "plateaued: threads +12"


def test_memory_beside_growing_descriptors_is_not_lost() -> None:
    judged = judgement(plateaued(at=30, size=9000), fds=growing(1.0, "fds"))
    assert [line.partition(":")[0] for line in beside(outcome(recording(), judged=judged))] == [
        "plateaued"
    ]


def test_what_fell_is_not_told_beside_a_verdict() -> None:
    for size, told in ((9000, 1), (-9000, 0)):
        judged = judgement(plateaued(at=30, size=size), fds=growing(1.0, "fds"))
        assert len(beside(outcome(recording(), judged=judged))) == told


def test_open_questions_beside_a_verdict_are_one_line() -> None:
    fds, tasks = (
        msgspec.structs.replace(inconclusive(), evidence=evidence(name))
        for name in ("fds", "tasks")
    )
    judged = judgement(growing(96.0), fds=fds, tasks=tasks)
    assert beside(outcome(recording(), judged=judged)) == ("inconclusive: descriptors, tasks",)


def test_a_design_with_the_name_of_a_word_is_quoted() -> None:
    grows = outcome(recording(design="none"), judged=judgement(growing(96.0)))
    assert design_sentence("none", [grows]) == "'none' grows 96 B a call"


def test_an_inconclusive_design_is_not_called_flat() -> None:
    open_question = [outcome(recording(), judged=judgement(inconclusive()))]
    assert design_sentence("pooled", open_question) == (
        "pooled is not proved flat: ≤ 8 B a call over 300 calls"
    )


def test_what_is_proved_of_most_scenarios_is_said_before_what_is_open() -> None:
    still = [outcome(recording(scenario=name), judged=judgement(flat())) for name in ("one", "two")]
    open_question = outcome(recording(scenario="three"), judged=judgement(inconclusive()))
    assert design_sentence("pooled", [*still, open_question]) == (
        "pooled is flat in 2 of 3 scenarios, and not proved so in three: "
        "≤ 8 B a call over 300 calls"
    )


def test_an_open_question_about_descriptors_gives_no_bound_in_bytes() -> None:
    fds = msgspec.structs.replace(inconclusive(), evidence=evidence("fds"))
    one = [outcome(recording(), judged=judgement(fds=fds))]
    assert design_sentence("pooled", one) == "pooled is not proved flat"


def test_where_nothing_grows_the_headline_says_what_the_best_design_saves() -> None:
    still = [one for one in sample_run().outcomes if one.recording.scenario == "rag_client"]
    said = view_of(run(*still)).headline
    assert said.startswith("pooled is flat: ≤ 1 B a call proved over 1,500 calls; in rag_client, ")
    assert "against naive: connections 100x less" in said


def test_the_headline_joins_the_best_and_the_worst_design() -> None:
    assert headline(sample_run()) == (
        "pooled is flat in all 3 scenarios: ≤ 1 B a call proved over 1,500 calls; "
        "naive grows in 1 of 3 scenarios (executions, 876 KiB a call, 98 % of it outside "
        "Python's heap)"
    )


def test_a_design_of_one_scenario_does_not_speak_for_the_run() -> None:
    sample = sample_run()
    alone = recording(scenario="executions", design="evicting")
    outcomes = (*sample.outcomes, outcome(alone, judged=judgement(flat())))
    assert headline(msgspec.structs.replace(sample, outcomes=outcomes)) == headline(sample)


def test_a_crossed_threshold_is_the_headline_and_the_status() -> None:
    page = view_of(crossed_run())
    assert page.headline.startswith("rag_client/pooled: live bytes left its accepted band at call")
    assert page.status == "1 threshold crossed, 1 could not be measured"
    assert not page.passed


def test_a_crossing_in_a_headline_leaves_the_command_to_the_list() -> None:
    assert "memcurve accept" in crossing_message(crossing())
    assert "memcurve accept" not in crossing_line(crossing())


def test_a_failed_design_says_at_which_call_and_why() -> None:
    broken = failed("rag_client")
    assert broken.state == "failed"
    assert headline(run(broken)) == (
        "rag_client/published could not be measured: call 37 raised "
        "RuntimeError: Event loop is closed"
    )


def test_a_run_without_outcomes_says_so() -> None:
    assert headline(run()) == "nothing was measured"
    assert view_of(run()).hero is None


def test_a_cell_shows_a_rate_only_where_one_is_proved() -> None:
    filling = Plateaued(evidence=evidence(per_call=481.0), at=2000, size=96_000, projected=True)
    cells = [
        rate_cell(judgement(verdict))
        for verdict in (flat(), growing(96.0), inconclusive(), filling)
    ]
    assert cells == ["< 1 B", "96 B", "? 3 B", "481 B ↘"]
    assert rate_cell(None) == "-"


def test_the_first_look_goes_to_a_crossed_threshold_else_to_the_widest_gap() -> None:
    hero = view_of(sample_run()).hero
    assert hero is not None
    assert hero.name == "executions"
    both = run(*sample_run().outcomes, *crossed_run().outcomes[-1:])
    crossed = view_of(both).hero
    assert crossed is not None
    assert crossed.name == "rag_client"


def test_a_design_that_gates_nothing_may_fail_and_is_shown_all_the_same() -> None:
    still = outcome(recording(scenario="s", design="pooled"), judged=judgement())
    both = run(failed("s", design="published"), still)
    tolerated = msgspec.structs.replace(both, may_grow={"s": ("published",)})
    page = view_of(tolerated)
    assert page.passed
    assert [design.state for design in page.scenarios[0].designs] == ["failed", "flat"]
    assert not view_of(both).passed


def test_scenarios_stand_by_weight_and_a_study_of_parts_after_what_it_explains() -> None:
    main = sample_run().outcomes
    study = tuple(
        outcome(recording(scenario="ablation", design=name), judged=judgement(growing(9000.0)))
        for name in ("none", "all")
    )
    assert names_of(run(*study, *main)) == ["executions", "rag_client", "vectordb_node", "ablation"]
    assert names_of(run(*main, *crossed_run().outcomes[-1:]))[0] == "rag_client"


def test_only_a_scenario_in_which_nothing_grows_or_differs_is_folded_away() -> None:
    def same(*verdicts: Verdict) -> bool:
        outcomes = (
            outcome(recording(scenario="s", design=f"d{number}"), judged=judgement(verdict))
            for number, verdict in enumerate(verdicts)
        )
        return view_of(run(*outcomes)).scenarios[0].level

    assert same(flat(), flat())
    assert not same(flat(), inconclusive())
    assert not same(growing(96.0), growing(96.0))
    assert not same(flat())
    assert not any(one.level for one in view_of(sample_run()).scenarios)
