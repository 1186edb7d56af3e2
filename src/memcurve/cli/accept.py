"""`memcurve accept`: make the curves of now the thresholds, with a reason."""

import time
from pathlib import Path

import click
import msgspec

from memcurve.cli.scenarios import json_option, scenario_options
from memcurve.model.baseline import Baseline
from memcurve.model.outcome import Outcome
from memcurve.run.options import RunOptions

FEWEST_REPEATS = 5


@click.command(short_help="Make the curves of now the thresholds, with a reason.")
@scenario_options
@click.option("--reason", required=True, help="Why these curves are right; kept with them.")
@click.option(
    "--repeats",
    type=click.IntRange(FEWEST_REPEATS),
    default=FEWEST_REPEATS,
    show_default=True,
    help="Runs that give the tolerance band.",
)
@json_option("Print one JSON object: what changed in each scenario, and where it is kept.")
def accept(
    paths: tuple[Path, ...],
    expression: str | None,
    calls: int | None,
    jobs: int,
    quiet: bool,
    baselines: Path,
    reason: str,
    repeats: int,
    as_json: bool,
) -> None:
    """Run the scenarios several times and keep their curves as the thresholds.

    Designs that -k leaves out keep what was accepted of them before.

    \b
    Examples:
      memcurve accept --reason "the first accepted curves"
      memcurve accept -k rag_client/pooled --reason "the cache holds 20 entries now"
    """
    from memcurve.cli.progress import shown
    from memcurve.compare.accept import accepted, changes
    from memcurve.report.accepted import change_lines
    from memcurve.report.json.accepted import Accepted, AcceptedScenario
    from memcurve.report.json.shape import json_text
    from memcurve.run import scenarios as bench
    from memcurve.run.discovery import discover, select
    from memcurve.store.files import ready, save_baseline

    if not reason.strip():
        raise click.UsageError("--reason is empty; say why these curves are right")
    found = discover(paths)
    scenarios = select(found, expression)
    options = RunOptions(calls=calls, jobs=jobs, natural=False, explain="never", judge_all=False)
    ready(baselines)
    began = time.monotonic()
    rounds: list[list[Outcome]] = []
    for number in range(1, repeats + 1):
        if not quiet:
            click.echo(f"repeat {number} of {repeats}", err=True)
        # what garbage stands shows where calls run as production does: once, after the curves
        each = msgspec.structs.replace(options, natural=number == repeats)
        with shown(quiet) as progress:
            rounds.append(bench.run_scenarios(scenarios, each, progress, found))
    kept: list[AcceptedScenario] = []
    for one in scenarios:
        before, unreadable = _before(rounds, baselines, one.name)
        after = accepted(one, rounds, reason.strip(), before)
        path = save_baseline(baselines, after)
        lines = tuple(change_lines(after.scenario, changes(before, after)))
        if unreadable:  # then nobody knows what is new
            lines = (f"{one.name}: in place of one that could not be read: {unreadable}",)
        kept.append(AcceptedScenario(scenario=one.name, path=str(path), changes=lines))
        if not as_json:
            click.echo("\n".join(lines))
    if as_json:
        value = Accepted(reason=reason.strip(), accepted=tuple(kept))
        click.echo(json_text(value))
    else:
        click.echo(f"accepted {len(scenarios)} scenarios in {time.monotonic() - began:.0f} s")


def _before(
    rounds: list[list[Outcome]], folder: Path, scenario: str
) -> tuple[Baseline | None, str]:
    """Return what was accepted before, and why it cannot be read where it is there and cannot."""
    from memcurve.model.errors import RecordingError
    from memcurve.store.files import load_baseline

    keys = {o.recording.environment.key for o in rounds[-1] if o.recording.environment}
    for key in keys:
        try:
            return load_baseline(folder, key, scenario), ""
        except RecordingError as error:
            return None, str(error)
    return None, ""
