"""What every report shows of a run, in one value: HTML, pictures, Markdown and tables draw this."""

from collections.abc import Mapping, Sequence

import msgspec

from memcurve.compare.hosts import on_one_host, without_time
from memcurve.compare.metrics import Metrics, metrics_of
from memcurve.compare.ranking import (
    Standing,
    best_design,
    design_states,
    main_designs,
    standings,
    winner,
    worst_state,
)
from memcurve.judge.ledger import ledger_of
from memcurve.model.baseline import Baseline
from memcurve.model.caveat import Caveat
from memcurve.model.findings import Culprit, Ledger
from memcurve.model.outcome import STATES, CounterChange, Crossing, Outcome, Run, State
from memcurve.model.recording import Environment, Failure
from memcurve.model.surveys import LostReference
from memcurve.report.causes import SMALL_RSS
from memcurve.report.garbage_table import GarbageTable, garbage_table
from memcurve.report.palette import Ink, inks
from memcurve.report.panels import Panel, panels_of
from memcurve.report.sentences import (
    DesignSentence,
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

MOST_PROVED = 4
MOST_IN_HEADLINE = 2


class DesignView(msgspec.Struct, frozen=True, kw_only=True):
    """One design of one scenario as it is shown."""

    name: str
    ink: Ink
    label: str
    sentence: str
    detail: str
    beside: tuple[str, ...]
    retained: str
    metrics: Metrics
    outcome: Outcome

    @property
    def state(self) -> State:
        """Its verdict as one word."""
        return self.outcome.state

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """The thresholds that this design crossed."""
        return self.outcome.crossings

    @property
    def ledger(self) -> Ledger | None:
        """Where the growth of resident memory went, if it was recorded."""
        return self.outcome.ledger or ledger_of(self.outcome.recording)

    @property
    def shown_ledger(self) -> Ledger | None:
        """The ledger where resident memory grew by enough to ask where it went."""
        ledger = self.ledger
        return ledger if ledger is not None and abs(ledger.rss) >= SMALL_RSS else None

    @property
    def culprits(self) -> tuple[Culprit, ...]:
        """What grows and who holds it, the largest first."""
        found = self.outcome.explanation
        return self.outcome.culprits or (found.culprits if found else ())

    @property
    def lost_references(self) -> tuple[LostReference, ...] | None:
        """The long-lived objects that lose a reference at each call; None: nobody counted."""
        found = self.outcome.explanation
        return found.lost_references if found is not None else None

    @property
    def changes(self) -> tuple[CounterChange, ...]:
        """How the counters stand to their baseline."""
        return self.outcome.comparison.changes if self.outcome.comparison else ()

    @property
    def failure(self) -> Failure | None:
        """Why a pass ended early, if one did; a verdict may stand all the same."""
        return self.outcome.recording.failure

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """What limits the figures of this design, each once."""
        judged = self.outcome.judgement.caveats if self.outcome.judgement else ()
        compared = self.outcome.comparison.caveats if self.outcome.comparison else ()
        return tuple(dict.fromkeys((*judged, *compared)))


class ScenarioView(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario with all its designs as it is shown, or one test of pytest.

    `test` is the node of a test, "" of a scenario; a test has one design, which bears its name.
    """

    name: str
    test: str
    description: str
    designs: tuple[DesignView, ...]
    panels: tuple[Panel, ...]
    standings: tuple[Standing, ...]
    winner: str | None
    baseline: Baseline | None

    @property
    def title(self) -> str:
        """What a person calls it: the node of a test, or the scenario's name."""
        return self.test or self.name

    @property
    def file(self) -> str:
        """The file of a test."""
        return file_of(self.test)

    @property
    def state(self) -> State:
        """The worst state of its designs."""
        return worst_state([design.state for design in self.designs])

    @property
    def crossings(self) -> tuple[Crossing, ...]:
        """The thresholds that its designs crossed."""
        return tuple(c for design in self.designs for c in design.crossings)

    @property
    def verdict(self) -> str:
        """All designs' verdicts in one line."""
        return " · ".join(f"{design.name} {design.label}" for design in self.designs)

    @property
    def garbage(self) -> GarbageTable | None:
        """What its designs leave to the collector, where that is worth a word."""
        return garbage_table([design.outcome for design in self.designs])

    @property
    def longer(self) -> bool:
        """Whether some curve goes on after the calls that the pictures show."""
        return any(panel.last_call > panel.calls for panel in self.panels)

    @property
    def level(self) -> bool:
        """Whether there is nothing to see: nothing grows, and no design differs from another."""
        settled = all(design.state in ("flat", "plateaued") for design in self.designs)
        differ = any(one.having("better") or one.having("worse") for one in self.standings)
        return len(self.designs) > 1 and settled and not self.crossings and not differ

    def standing(self, design: str) -> Standing | None:
        """Return how a design stands to the one that the others are compared with."""
        return next((one for one in self.standings if one.design == design), None)

    def panel(self, key: str) -> Panel | None:
        """Return the panel of that key."""
        return next((panel for panel in self.panels if panel.key == key), None)


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """A design of the first picture: what is proved of it, and what it saves there."""

    design: DesignView
    sentence: DesignSentence
    saved: str


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run as it is shown."""

    headline: str
    sentences: tuple[DesignSentence, ...]
    scenarios: tuple[ScenarioView, ...]
    crossings: tuple[Crossing, ...]
    failures: int
    missing: int
    environments: tuple[Environment, ...]
    command: str
    recorded_at: str
    elapsed_s: float

    @property
    def passed(self) -> bool:
        """Whether everything was measured and no threshold crossed."""
        return not self.crossings and not self.failures and not self.missing

    @property
    def status(self) -> str:
        """The gate's answer in a few words."""
        parts = []
        if self.crossings:
            count = len(self.crossings)
            parts.append(f"{count} threshold{'s' if count > 1 else ''} crossed")
        if self.failures:
            parts.append(f"{self.failures} could not be measured")
        if self.missing:
            parts.append(f"ended early: {self.missing} not measured yet")
        return ", ".join(parts) or "no threshold crossed"

    @property
    def proved(self) -> tuple[Proved, ...]:
        """What is proved of the designs of the first picture over all scenarios, the last first."""
        if self.hero is None:
            return ()
        sentences = {one.design: one for one in self.sentences}
        return tuple(
            Proved(
                design=design,
                sentence=sentences[design.name],
                saved=advantage(self.hero.standing(design.name)),
            )
            for design in reversed(self.hero.designs[-MOST_PROVED:])
        )

    @property
    def of_tests(self) -> bool:
        """Whether it was tests of pytest that were measured, and no designs."""
        return bool(self.scenarios) and all(one.test for one in self.scenarios)

    @property
    def groups(self) -> tuple[tuple[str, tuple[ScenarioView, ...]], ...]:
        """The scenarios as they stand together: tests by their file, others each alone."""
        found: dict[str, list[ScenarioView]] = {}
        for one in self.scenarios:
            found.setdefault(one.file or one.name, []).append(one)
        return tuple((name, tuple(own)) for name, own in found.items())

    @property
    def hero(self) -> ScenarioView | None:
        """The scenario to look at first: a crossed threshold, or the widest gap of designs."""
        return _hero(self.scenarios)


def view_of(run: Run, baselines: Mapping[str, Baseline] | None = None) -> RunView:
    """Build what the reports show of a run; `baselines` by scenario name add who accepted what."""
    run = _with_test_names(run)
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
    said = headline(run, _best_saves(_hero(ordered), run.outcomes)) if own else tests_headline(run)
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


def file_of(test: str) -> str:
    """Return the file of a test's node, "" where there is no test."""
    return test.partition("::")[0]


def test_name(test: str) -> str:
    """Return what stands behind the file in a test's node: the test in its class."""
    return test.partition("::")[2] or test


def _with_test_names(run: Run) -> Run:
    """Return a run in which the one design of a test bears the test's name."""
    renamed = (_renamed(one, run.tests.get(one.recording.scenario, "")) for one in run.outcomes)
    return msgspec.structs.replace(run, outcomes=tuple(renamed))


def _renamed(outcome: Outcome, test: str) -> Outcome:
    if not test:
        return outcome
    recording = msgspec.structs.replace(outcome.recording, design=test_name(test))
    outcome = msgspec.structs.replace(outcome, recording=recording)
    if outcome.comparison is None:
        return outcome
    crossings = tuple(
        msgspec.structs.replace(one, design=test_name(test), test=test)
        for one in outcome.comparison.crossings
    )
    comparison = msgspec.structs.replace(outcome.comparison, crossings=crossings)
    return msgspec.structs.replace(outcome, comparison=comparison)


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
        retained, live = _gap(one)
        return not one.crossings, of_its_own, STATES.index(one.state), -retained, -live

    return sorted(scenarios, key=weight)


def _hero(scenarios: Sequence[ScenarioView]) -> ScenarioView | None:
    if not scenarios:
        return None
    return max(scenarios, key=lambda s: (bool(s.crossings), len(s.designs) > 1, _gap(s)))


def _best_saves(hero: ScenarioView | None, outcomes: Sequence[Outcome]) -> str:
    """Return what the best design saves in the first picture's scenario."""
    states = design_states(outcomes)
    states = {name: states[name] for name in main_designs(outcomes)}
    if hero is None or not states:
        return ""
    told = advantage(hero.standing(best_design(states)), MOST_IN_HEADLINE)
    return f"in {hero.name}, {told}" if told else ""


def _gap(scenario: ScenarioView) -> tuple[float, float]:
    """Return by how much the designs differ at the last call shown: retained, then live bytes."""
    return _spread(scenario.panel("retained")), _spread(scenario.panel("live"))


def _spread(panel: Panel | None) -> float:
    if panel is None:
        return 0.0
    ends = [line.curve.head(panel.calls).values[-1] for line in panel.lines]
    return float(max(ends) - min(ends))
