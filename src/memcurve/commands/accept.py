"""`memcurve accept`: make the curves of now the thresholds, with a reason."""

import time
from pathlib import Path

import click

from memcurve.baseline import Baseline
from memcurve.commands.scenarios import scenario_options
from memcurve.judge.comparison import Outcome

FEWEST_REPEATS = 5


@click.command()
@scenario_options
@click.option("--reason", required=True, help="Why these curves are right; kept with them.")
@click.option(
    "--repeats",
    type=click.IntRange(FEWEST_REPEATS),
    default=FEWEST_REPEATS,
    show_default=True,
    help="Runs that give the tolerance band.",
)
def accept(
    paths: tuple[Path, ...],
    expression: str | None,
    calls: int | None,
    jobs: int,
    quiet: bool,
    baselines: Path,
    reason: str,
    repeats: int,
) -> None:
    """Run the scenarios several times and keep their curves as the thresholds.

    Designs that -k leaves out keep what was accepted of them before.
    """
    from memcurve import bench
    from memcurve.accepting import accepted, changes
    from memcurve.commands.progress import shown
    from memcurve.discovery import discover, select
    from memcurve.store import save_baseline

    if not reason.strip():
        raise click.UsageError("--reason is empty; say why these curves are right")
    scenarios = select(discover(paths), expression)
    options = bench.RunOptions(
        calls=calls, jobs=jobs, natural=False, explain="never", may_grow_cpu_s=0.0
    )
    began = time.monotonic()
    rounds: list[list[Outcome]] = []
    for number in range(1, repeats + 1):
        if not quiet:
            click.echo(f"repeat {number} of {repeats}", err=True)
        with shown(quiet) as progress:
            rounds.append(bench.run_scenarios(scenarios, options, progress))
    for one in scenarios:
        before = _before(rounds, baselines, one.name)
        after = accepted(one, rounds, reason.strip(), before)
        save_baseline(baselines, after)
        click.echo("\n".join(changes(before, after)))
    click.echo(f"accepted {len(scenarios)} scenarios in {time.monotonic() - began:.0f} s")


def _before(rounds: list[list[Outcome]], folder: Path, scenario: str) -> Baseline | None:
    """Return what was accepted before; what cannot be read any more counts as nothing."""
    from memcurve.errors import RecordingError
    from memcurve.store import load_baseline

    keys = {o.recording.environment.key for o in rounds[-1] if o.recording.environment}
    for key in keys:
        try:
            return load_baseline(folder, key, scenario)
        except RecordingError as error:
            click.echo(f"memcurve: replacing {error}", err=True)
    return None
