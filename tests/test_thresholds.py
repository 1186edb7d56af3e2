"""The memory curves of the benchmark are its thresholds: one test for each design and counter.

All curves come from one measurement a session, of the designs that were selected and no others.
Without a baseline for this environment the band tests are skipped, and what needs none still holds.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from memcurve.compare.marks import GATED_COUNTERS
from memcurve.report.crossings import crossing_message
from memcurve.run import scenarios as bench
from memcurve.run.discovery import discover, only
from memcurve.run.gate import gated
from memcurve.run.options import RunOptions
from memcurve.store.files import DEFAULT_BASELINES, replace_file

if TYPE_CHECKING:
    from memcurve.model.outcome import Comparison, Crossing, Outcome
    from memcurve.model.scenario import Scenario

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "reports" / "thresholds"
SCENARIOS = {one.name: one for one in discover([ROOT / "bench" / "scenarios"])}
DESIGNS = [(one.name, design) for one in SCENARIOS.values() for design in one.designs]
GATING = [(name, one) for name, one in DESIGNS if one not in SCENARIOS[name].may_grow]
STARTED_S = time.time()
LEADING = [name for name, one in SCENARIOS.items() if one.leads]

Outcomes = dict[tuple[str, str], "Outcome"]


def needed(items: list[pytest.Item]) -> list[Scenario]:
    """Return the scenarios that the selected tests ask for, with those designs alone."""
    wanted: set[tuple[str, str]] = set()
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        name = params.get("scenario")
        if name in SCENARIOS:
            asked = [params["design"]] if "design" in params else list(SCENARIOS[name].designs)
            wanted.update((name, design) for design in asked)
    return [
        only(one, [design for design in one.designs if (name, design) in wanted])
        for name, one in SCENARIOS.items()
        if any((name, design) in wanted for design in one.designs)
    ]


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    chosen = needed(request.session.items)
    # what may grow gates by its band alone: the calls that are shown suffice for it
    options = RunOptions(
        natural=False,
        judge_all=False,
        explain="crossings",
        baselines=ROOT / DEFAULT_BASELINES,
    )
    measured = bench.run_scenarios(chosen, options, among=list(SCENARIOS.values()))
    held = gated(chosen, measured, ROOT / DEFAULT_BASELINES)
    return {(one.recording.scenario, one.recording.design): one for one in held}


def comparison(outcomes: Outcomes, scenario: str, design: str) -> Comparison:
    """Return what a design was compared with; a design that could not be measured fails here."""
    outcome = outcomes[scenario, design]
    failure = outcome.recording.failure
    if failure is not None and design in SCENARIOS[scenario].may_grow:
        pytest.skip(f"{scenario}/{design} gates nothing and could not be measured: {failure.line}")
    if failure is not None:
        pytest.fail(f"{scenario}/{design} could not be measured: {failure.message}")
    assert outcome.comparison is not None
    return outcome.comparison


def fail_on(crossings: list[Crossing], outcomes: Outcomes, scenario: str) -> None:
    """Fail with the messages of the crossings, and leave a picture of the scenario."""
    if crossings:
        lines = [crossing_message(crossing) for crossing in crossings]
        pytest.fail("\n".join([*lines, f"picture: {picture(outcomes, scenario)}"]), pytrace=False)


def picture(outcomes: Outcomes, scenario: str) -> Path:
    from memcurve.report.arrange import view_of
    from memcurve.report.picture import draw

    path = PICTURES / f"{scenario}.png"
    if not path.exists() or path.stat().st_mtime < STARTED_S:
        own = [one for (name, _), one in outcomes.items() if name == scenario]
        page = view_of(bench.run_of([SCENARIOS[scenario]], own, "make test", 0.0))
        replace_file(path, draw(page, page.scenarios[0], "png"))
    return path.relative_to(ROOT)


@pytest.mark.parametrize("counter", GATED_COUNTERS)
@pytest.mark.parametrize(("scenario", "design"), DESIGNS)
def test_the_curve_stays_in_its_accepted_band(
    outcomes: Outcomes, scenario: str, design: str, counter: str
) -> None:
    held = comparison(outcomes, scenario, design)
    if held.baseline is None or counter not in held.baseline.curves:
        pytest.skip(next((c.text for c in held.caveats), f"{counter} was not accepted"))
    crossed = [one for one in held.crossings if one.kind == "band" and one.counter == counter]
    fail_on(crossed, outcomes, scenario)


@pytest.mark.parametrize(("scenario", "design"), GATING)
def test_nothing_grows_in_a_design_that_must_not_grow(
    outcomes: Outcomes, scenario: str, design: str
) -> None:
    held = comparison(outcomes, scenario, design)
    crossed = [one for one in held.crossings if one.kind in ("verdict", "resources")]
    fail_on(crossed, outcomes, scenario)


@pytest.mark.parametrize("scenario", LEADING)
def test_a_design_keeps_its_lead_over_the_one_it_replaces(
    outcomes: Outcomes, scenario: str
) -> None:
    for lead in SCENARIOS[scenario].leads:
        held = comparison(outcomes, scenario, lead.design)
        crossed = [one for one in held.crossings if one.kind == "lead"]
        fail_on(crossed, outcomes, scenario)
