"""Put together what the reports show of a run, what needs action first."""

from collections.abc import Mapping, Sequence

from memcurve.compare.hosts import on_one_host, without_time
from memcurve.compare.metrics import Metrics, metrics_of
from memcurve.compare.ranking import (
    best_design,
    design_states,
    main_designs,
    standings,
    winner,
)
from memcurve.model.baseline import Baseline
from memcurve.model.outcome import STATES, Outcome, Run
from memcurve.report.marked_tests import test_name, with_test_names
from memcurve.report.palette import Ink, inks
from memcurve.report.panels import panels_of
from memcurve.report.sentences import (
    beside,
    design_sentences,
    headline,
    outcome_detail,
    outcome_sentence,
    rate_cell,
    tests_headline,
    verdict_label,
)
from memcurve.report.standings import advantage
from memcurve.report.view import DesignView, RunView, ScenarioView, hero_of

MOST_IN_HEADLINE = 2
"""Advantages that are told there: a headline with three is not read to its end."""


def view_of(run: Run, baselines: Mapping[str, Baseline] | None = None) -> RunView:
    """Build what the reports show of a run; `baselines` by scenario name add who accepted what."""
    run = with_test_names(run)
    names = dict.fromkeys(outcome.recording.scenario for outcome in run.outcomes)
    own = [one for one in run.outcomes if one.recording.scenario not in run.tests]
    # a test stands alone: each has the first colour, which says nothing
    ink = inks(list(dict.fromkeys(outcome.recording.design for outcome in own)))
    ink |= {
        test_name(test): inks([test_name(test)])[test_name(test)] for test in run.tests.values()
    }
    views = [_scenario(name, run, ink, (baselines or {}).get(name)) for name in names]
    environments = (outcome.recording.environment for outcome in run.outcomes)
    ordered = _by_weight(views, run.outcomes)
    if run.tests:
        ordered = [one for _, group in _by_file(ordered) for one in group]
    said = (
        headline(run, _best_saves(hero_of(ordered), run.outcomes)) if own else tests_headline(run)
    )
    return RunView(
        headline=said,
        sentences=design_sentences(run.outcomes),
        scenarios=tuple(ordered),
        crossings=run.crossings,
        failures=len(run.failures),
        missing=len(run.missing),
        environments=tuple({e.key: e for e in environments if e is not None}.values()),
        command=run.command,
        recorded_at=run.recorded_at,
        elapsed_s=run.elapsed_s,
    )


def _by_file(scenarios: Sequence[ScenarioView]) -> list[tuple[str, list[ScenarioView]]]:
    """Put tests together by their file; the file with the first of them comes first."""
    found: dict[str, list[ScenarioView]] = {}
    for one in scenarios:
        found.setdefault(one.file, []).append(one)
    return list(found.items())


def _scenario(
    name: str, run: Run, ink: Mapping[str, Ink], baseline: Baseline | None
) -> ScenarioView:
    outcomes = [outcome for outcome in run.outcomes if outcome.recording.scenario == name]
    metrics = {outcome.recording.design: metrics_of(outcome) for outcome in outcomes}
    compared = metrics
    if not on_one_host(outcomes):
        compared = {name: without_time(found) for name, found in metrics.items()}
    return ScenarioView(
        name=name,
        test=run.tests.get(name, ""),
        description=run.descriptions.get(name, ""),
        designs=tuple(_design(o, ink, metrics[o.recording.design]) for o in outcomes),
        panels=panels_of(outcomes),
        standings=standings(compared),
        winner=winner(compared, {o.recording.design: o.state for o in outcomes}),
        baseline=baseline,
    )


def _design(outcome: Outcome, ink: Mapping[str, Ink], metrics: Metrics) -> DesignView:
    name = outcome.recording.design
    return DesignView(
        name=name,
        ink=ink[name],
        label=verdict_label(outcome),
        sentence=outcome_sentence(outcome),
        detail=outcome_detail(outcome),
        beside=beside(outcome),
        retained=rate_cell(outcome.judgement),
        metrics=metrics,
        outcome=outcome,
    )


def _by_weight(
    scenarios: Sequence[ScenarioView], outcomes: Sequence[Outcome]
) -> list[ScenarioView]:
    """Return what needs action first: crossings, then the scenarios of the run's own designs.

    Among equals the worst verdict comes first, then the widest gap between designs.
    """
    own = set(main_designs(outcomes))

    def weight(one: ScenarioView) -> tuple[object, ...]:
        of_its_own = not own & {design.name for design in one.designs}
        retained, live = one.gap
        return not one.crossings, of_its_own, STATES.index(one.state), -retained, -live

    return sorted(scenarios, key=weight)


def _best_saves(hero: ScenarioView | None, outcomes: Sequence[Outcome]) -> str:
    """Return what the best design saves in the first picture's scenario."""
    states = design_states(outcomes)
    states = {name: states[name] for name in main_designs(outcomes)}
    if hero is None or not states:
        return ""
    told = advantage(hero.standing(best_design(states)), MOST_IN_HEADLINE)
    return f"in {hero.name}, {told}" if told else ""
