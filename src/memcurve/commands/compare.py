"""`memcurve compare`: hold the last run against its baselines, or against another run.

Exit code 0: inside every band · 1: a threshold is crossed · 2: nothing to compare with, or it
cannot be read.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from memcurve.commands.scenarios import baselines_option, out_option
from memcurve.judge.comparison import Outcome
from memcurve.units import COUNTERS, format_value


@click.command()
@out_option
@baselines_option
@click.option("-k", "expression", metavar="EXPR", help="Only designs whose name matches.")
@click.option(
    "--with",
    "other",
    type=click.Path(file_okay=False, path_type=Path),
    help="Another run's folder, instead of the baselines.",
)
@click.option("--against", "revision", metavar="REV", help="Measure another revision now.")
@click.option("--calls", type=click.IntRange(1), help="Calls of every design, with --against.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def compare(
    out: Path,
    baselines: Path,
    expression: str | None,
    other: Path | None,
    revision: str | None,
    calls: int | None,
    quiet: bool,
    paths: tuple[Path, ...],
) -> None:
    """Compare the last run with the accepted curves; "~" means no difference."""
    if other is not None and revision is not None:
        raise click.UsageError("--with and --against exclude each other; choose one")
    if revision is not None:
        from memcurve.commands.against import compare_revisions

        sys.exit(compare_revisions(revision, paths, expression, calls, quiet))
    from memcurve import bench
    from memcurve.commands.stored import stored_outcomes
    from memcurve.discovery import select

    scenarios, outcomes = stored_outcomes(out, paths)
    scenarios = select(scenarios, expression)
    names = {f"{one.name}/{design}" for one in scenarios for design in one.designs}
    outcomes = [o for o in outcomes if f"{o.recording.scenario}/{o.recording.design}" in names]
    if other is not None:
        from memcurve.accepting import baselines_of_run

        accepted = baselines_of_run(*stored_outcomes(other, paths))
        compared = bench.gated_by(scenarios, outcomes, accepted)
    else:
        compared = bench.gated(scenarios, outcomes, baselines)
    show(compared)
    sys.exit(verdict_of(compared))


def show(compared: Sequence[Outcome]) -> None:
    """Print one line a design and one a crossed threshold or caveat."""
    for outcome in compared:
        held = outcome.comparison
        if held is None:
            continue
        cells = [
            f"{COUNTERS[change.counter].title} "
            + (
                "~"
                if change.inside
                else f"{format_value(COUNTERS[change.counter], change.accepted)} → "
                f"{format_value(COUNTERS[change.counter], change.measured)}"
            )
            for change in held.changes
        ]
        click.echo(f"{held.scenario}/{held.design}: {', '.join(cells) or 'not compared'}")
        for caveat in held.caveats:
            click.echo(f"  note: {caveat.text}", err=True)
        for crossing in held.crossings:
            click.echo(f"  crossed: {crossing.message}")


def verdict_of(compared: Sequence[Outcome]) -> int:
    """Return the exit code; a run of which no design has a baseline is no pass."""
    held = [outcome.comparison for outcome in compared if outcome.comparison is not None]
    if any(one.crossings for one in held):
        return 1
    if not any(one.baseline is not None for one in held):
        click.echo(
            "memcurve: nothing to compare with; accept a baseline here with "
            "memcurve accept --reason '…', or compare revisions with --against REV",
            err=True,
        )
        return 2
    return 0
