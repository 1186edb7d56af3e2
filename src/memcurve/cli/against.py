"""`memcurve compare --against REV`: measure another revision and this one, interleaved.

The other revision lives in a git worktree of its own. Where it requires other versions, it gets a
virtual environment of its own, else it runs in the one that runs this. Both sides are measured
scenario by scenario, in turn, so that whatever else the machine does meets both. CPU time that
seems to differ is measured again, and the least of each side counts.

Exit code 0: no difference that is one · 1: worse somewhere · 2: could not be measured.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import click
import msgspec

from memcurve.cli.other_revision import checked_out, interpreter, moved
from memcurve.cli.progress import shown
from memcurve.compare.revisions import Difference, RevisionsOfDesign, differences
from memcurve.compare.usage import used
from memcurve.model.outcome import Outcome
from memcurve.model.scenario import Scenario
from memcurve.model.units import COUNTERS, format_value
from memcurve.report.json.comparison import revisions_of
from memcurve.report.json.shape import json_text
from memcurve.run import scenarios as bench
from memcurve.run.discovery import DEFAULT_FOLDER, discover, only, project_root, select
from memcurve.run.options import Options, RunOptions

REPEATS = 2  # of what seems to differ in CPU time

Measure = Callable[[Scenario], tuple[list[Outcome], list[Outcome]]]
"""Measures the designs of a scenario there and here."""


def compare_revisions(
    revision: str,
    paths: Sequence[Path],
    expression: str | None,
    calls: int | None,
    quiet: bool,
    as_json: bool = False,
) -> int:
    """Measure both revisions, print what differs, and return the exit code."""
    places = list(paths) or [DEFAULT_FOLDER]
    scenarios = select(discover(places), expression)
    root = project_root(places[0])
    with (
        checked_out(root, revision) as trees,
        interpreter(trees) as python,
        shown(quiet) as progress,
    ):
        here = RunOptions(calls=calls, jobs=1, explain="never", judge_all=False)
        there = msgspec.structs.replace(here, each=Options(python=python, cwd=str(trees.other)))

        def measure(one: Scenario) -> tuple[list[Outcome], list[Outcome]]:
            theirs = bench.run_scenarios([moved(one, trees)], there, progress)
            return theirs, bench.run_scenarios([one], here, progress)

        pairs = [pair for one in scenarios for pair in steadied(one, measure)]
    designs = [_compared(then, now) for then, now in pairs]
    if as_json:
        click.echo(json_text(revisions_of(revision, designs), indent=2))
    for design in designs:
        _say(design, as_json=as_json)
    if any(design.failure is not None for design in designs):
        return 2
    return 1 if any(design.worse for design in designs) else 0


def _compared(then: Outcome, now: Outcome) -> RevisionsOfDesign:
    return RevisionsOfDesign(
        scenario=now.recording.scenario,
        design=now.recording.design,
        differences=tuple(differences(then, now)),
        failure=_failure(now, then),
        is_new=_is_new(then),
    )


def steadied(one: Scenario, measure: Measure) -> list[tuple[Outcome, Outcome]]:
    """Measure a scenario on both sides, and again the designs whose CPU time seems to differ."""
    pairs = list(zip(*measure(one), strict=True))
    for _ in range(REPEATS):
        names = [now.recording.design for then, now in pairs if _differs_in_cpu(then, now)]
        if not names:
            break
        again = zip(*measure(only(one, names)), strict=True)
        more = {now.recording.design: (then, now) for then, now in again}
        pairs = [
            (_faster(then, more[name][0]), _faster(now, more[name][1]))
            if (name := now.recording.design) in more
            else (then, now)
            for then, now in pairs
        ]
    return pairs


def _differs_in_cpu(then: Outcome, now: Outcome) -> bool:
    return any(one.counter == "cpu_ns" for one in differences(then, now))


def _faster(one: Outcome, other: Outcome) -> Outcome:
    """Return the outcome with the natural pass that took less CPU time of the two."""
    first, second = used(one.recording, "cpu_ns"), used(other.recording, "cpu_ns")
    if first is None or second is None or first <= second:
        return one
    kept = [record for record in one.recording.passes if record.kind != "natural"]
    natural = [record for record in other.recording.passes if record.kind == "natural"]
    recording = msgspec.structs.replace(one.recording, passes=(*kept, *natural))
    return msgspec.structs.replace(one, recording=recording)


def _say(design: RevisionsOfDesign, *, as_json: bool) -> None:
    name = f"{design.scenario}/{design.design}"
    if design.failure is not None:
        click.echo(f"memcurve: {name} {design.failure}", err=True)
    elif not as_json:
        cells = "new: not there before" if design.is_new else _cells(design.differences)
        click.echo(f"{name}: {cells}")


def _cells(changed: Sequence[Difference]) -> str:
    if not changed:
        return "~"
    return ", ".join(
        f"{COUNTERS[one.counter].title} {format_value(COUNTERS[one.counter], one.before)}"
        f" → {format_value(COUNTERS[one.counter], one.after)}{' a call' if one.per_call else ''}"
        for one in changed
    )


def _is_new(there: Outcome) -> bool:
    """Say whether the other revision has no such target: what is new has no before."""
    failure = there.recording.failure
    return failure is not None and failure.kind == "target" and failure.stage == "import"


def _failure(here: Outcome, there: Outcome) -> str | None:
    """Return on which side a design could not be measured, and why; None where both were."""
    for side, outcome in (("here", here), ("there", there)):
        failure = outcome.recording.failure
        if failure is not None and not (side == "there" and _is_new(there)):
            return f"{side}: {failure.message}"
    return None
