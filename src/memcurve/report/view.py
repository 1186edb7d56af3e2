"""What every report shows of a run, in one value: HTML, pictures, Markdown and tables draw this."""

from collections.abc import Sequence

import msgspec

from memcurve.compare.metrics import Metrics
from memcurve.compare.ranking import (
    Standing,
    worst_state,
)
from memcurve.judge.ledger import ledger_of
from memcurve.model.baseline import Baseline
from memcurve.model.caveat import Caveat
from memcurve.model.findings import Culprit, Ledger
from memcurve.model.outcome import CounterChange, Crossing, Outcome, State
from memcurve.model.recording import Environment, Failure
from memcurve.model.surveys import LostReference
from memcurve.report.causes import SMALL_RSS
from memcurve.report.garbage_table import GarbageTable, garbage_table
from memcurve.report.marked_tests import file_of
from memcurve.report.palette import Ink
from memcurve.report.panels import Panel
from memcurve.report.sentences import (
    DesignSentence,
)
from memcurve.report.standings import advantage

MOST_PROVED = 4
"""Designs in the row of tiles: so many stand beside each other on a laptop's screen."""


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

    @property
    def gap(self) -> tuple[float, float]:
        """By how much its designs differ at the last call shown: retained, then live bytes."""
        return _spread(self.panel("retained")), _spread(self.panel("live"))


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
        return hero_of(self.scenarios)


def hero_of(scenarios: Sequence[ScenarioView]) -> ScenarioView | None:
    """Return the scenario to look at first: a crossed threshold, or the widest gap of designs."""
    if not scenarios:
        return None
    return max(scenarios, key=lambda s: (bool(s.crossings), len(s.designs) > 1, s.gap))


def _spread(panel: Panel | None) -> float:
    if panel is None:
        return 0.0
    ends = [line.curve.head(panel.calls).values[-1] for line in panel.lines]
    return float(max(ends) - min(ends))
