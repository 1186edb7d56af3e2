"""`memcurve compare`: compare the last run with its baselines, or with another run.

Exit code 0: inside every band · 1: a threshold is crossed · 2: nothing to compare with, it cannot
be read, or the run was ended early.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from memcurve.cli.net import FAILED, complain
from memcurve.cli.scenarios import (
    baselines_option,
    json_option,
    name_option,
    out_option,
    quiet_option,
)
from memcurve.model.outcome import Comparison, CounterChange, Outcome
from memcurve.model.units import COUNTERS, format_value


@click.command(short_help="Compare the last run with the accepted curves.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@name_option
@click.option(
    "--with",
    "other",
    type=click.Path(file_okay=False, path_type=Path),
    help="Another run's folder, instead of the baselines.",
)
@click.option("--against", "revision", metavar="REV", help="Measure another revision now.")
@click.option("--calls", type=click.IntRange(1), help="Calls of every design, with --against.")
@json_option("Print one JSON object.")
@quiet_option
@out_option
@baselines_option
def compare(
    paths: tuple[Path, ...],
    expression: str | None,
    other: Path | None,
    revision: str | None,
    calls: int | None,
    as_json: bool,
    quiet: bool,
    out: Path,
    baselines: Path,
) -> None:
    """Compare the last run with the accepted curves; "~" means no difference.

    \b
    Examples:
      memcurve compare
      memcurve compare -k rag_client --json
      memcurve compare --with ../before/reports
      memcurve compare --against main
    """
    if other is not None and revision is not None:
        raise click.UsageError("--with and --against exclude each other; choose one")
    if revision is not None:
        from memcurve.cli.against import compare_revisions

        sys.exit(compare_revisions(revision, paths, expression, calls, quiet, as_json))
    compared = _compared(paths, expression, other, out, baselines)
    if as_json:
        from memcurve.report.json.comparison import comparison_of
        from memcurve.report.json.shape import json_text

        click.echo(json_text(comparison_of(compared), indent=2))
    else:
        show(compared)
    sys.exit(verdict_of(compared) or _is_whole(out))


def _compared(
    paths: Sequence[Path], expression: str | None, other: Path | None, out: Path, baselines: Path
) -> list[Outcome]:
    from memcurve.cli.stored import stored_outcomes
    from memcurve.run.discovery import select
    from memcurve.run.gate import gated, gated_by

    scenarios, outcomes = stored_outcomes(out, paths)
    scenarios = select(scenarios, expression)
    names = {f"{one.name}/{design}" for one in scenarios for design in one.designs}
    outcomes = [o for o in outcomes if f"{o.recording.scenario}/{o.recording.design}" in names]
    if other is None:
        return gated(scenarios, outcomes, baselines)
    from memcurve.compare.accept import baselines_of_run

    return gated_by(scenarios, outcomes, baselines_of_run(*stored_outcomes(other, paths)))


def show(compared: Sequence[Outcome]) -> None:
    """Print one line a design and one a crossed threshold or caveat."""
    from memcurve.report.crossings import crossing_message

    for comparison in _comparisons(compared):
        cells = ", ".join(map(_cell, comparison.changes)) or "not compared"
        click.echo(f"{comparison.scenario}/{comparison.design}: {cells}")
        for caveat in comparison.caveats:
            click.echo(f"  note: {caveat.text}", err=True)
        for crossing in comparison.crossings:
            click.echo(f"  crossed: {crossing_message(crossing)}")


def _cell(change: CounterChange) -> str:
    counter = COUNTERS[change.counter]
    if change.inside:
        return f"{counter.title} ~"
    accepted, measured = (format_value(counter, v) for v in (change.accepted, change.measured))
    return f"{counter.title} {accepted} → {measured}"


def _comparisons(compared: Sequence[Outcome]) -> Iterator[Comparison]:
    return (outcome.comparison for outcome in compared if outcome.comparison is not None)


def _is_whole(out: Path) -> int:
    """Return 2 and say so where the run that was compared was ended early."""
    from memcurve.cli.stored import missing_of

    missing = missing_of(out)
    if missing:
        complain(
            f"the run in {out} was ended before {missing[0]}"
            + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
            + "; go on with: memcurve run --resume"
        )
    return FAILED if missing else 0


def verdict_of(compared: Sequence[Outcome]) -> int:
    """Return the exit code; a run of which no design has a baseline is no pass."""
    comparisons = list(_comparisons(compared))
    if any(one.crossings for one in comparisons):
        return 1
    if not any(one.baseline is not None for one in comparisons):
        click.echo(
            "memcurve: nothing to compare with; accept a baseline here with "
            "memcurve accept --reason '…', or compare revisions with --against REV",
            err=True,
        )
        return 2
    return 0
