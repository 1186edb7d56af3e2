"""`memcurve run` and `memcurve report`: measure scenarios, gate them, write the reports.

Exit code 0: nothing was crossed · 1: a threshold was · 2: a design that must not fail did.
"""

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec

from memcurve.cli.scenarios import (
    Command,
    baselines_option,
    json_option,
    out_option,
    samples_option,
    scenario_options,
)
from memcurve.model.outcome import Outcome, Run
from memcurve.model.scenario import Scenario
from memcurve.run.options import Options, RunOptions


def _report_options(command: Command) -> Command:
    """Add the options that say which reports are written, and where."""
    for add in (
        out_option,
        click.option(
            "--junit", type=click.Path(dir_okay=False, path_type=Path), help="JUnit XML, here."
        ),
        json_option("Print summary.json instead of the table."),
        click.option("--svg", is_flag=True, help="Draw the pictures as SVG too."),
    ):
        command = add(command)
    return command


@click.command(short_help="Run scenarios in all their designs, and gate their curves.")
@scenario_options
@click.option(
    "--quick", is_flag=True, help="Only what gates: no natural pass, no verdict on what may grow."
)
@click.option("--full", is_flag=True, help="Explain every design, whatever its verdict.")
@samples_option
@_report_options
def run(
    paths: tuple[Path, ...],
    expression: str | None,
    calls: int | None,
    jobs: int,
    quiet: bool,
    baselines: Path,
    quick: bool,
    full: bool,
    samples: bool,
    svg: bool,
    as_json: bool,
    junit: Path | None,
    out: Path,
) -> None:
    """Run the scenarios in PATH… (bench/scenarios) in all their designs, and gate their curves.

    \b
    Examples:
      memcurve run
      memcurve run -k "rag_client and not published" --calls 1000
      memcurve run bench/scenarios/parsing.py --quick --json
      memcurve run --svg --out build/memory
    """
    from memcurve.cli.progress import shown
    from memcurve.run import scenarios as bench
    from memcurve.run.discovery import discover, select
    from memcurve.run.gate import gated
    from memcurve.store.findings import save_outcomes

    if quick and full:
        raise click.UsageError("--quick and --full exclude each other; choose one")
    began = time.monotonic()
    found = discover(paths)
    scenarios = select(found, expression)
    options = RunOptions(
        calls=calls,
        jobs=jobs,
        natural=not quick,
        explain="never" if quick else "always" if full else "suspects",
        baselines=baselines,
        flame_graphs=out / "flamegraphs",
        judge_all=not quick,
        each=Options(samples=samples),
    )
    with shown(quiet) as progress:
        outcomes = bench.run_scenarios(scenarios, options, progress, found)
    save_outcomes(out, outcomes)
    outcomes = gated(scenarios, outcomes, baselines)
    value = bench.run_of(scenarios, outcomes, _command(), began)
    finish(value, scenarios, out, baselines, svg=svg, as_json=as_json, junit=junit)


@click.command(short_help="Write the reports of the last run again.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@_report_options
@baselines_option
def report(
    paths: tuple[Path, ...],
    svg: bool,
    as_json: bool,
    junit: Path | None,
    out: Path,
    baselines: Path,
) -> None:
    """Write the reports of the last run again, from its recordings.

    \b
    Examples:
      memcurve report
      memcurve report --svg --out build/memory
    """
    from memcurve.cli.stored import stored_outcomes
    from memcurve.run import scenarios as bench
    from memcurve.run.gate import gated

    began = time.monotonic()
    scenarios, outcomes = stored_outcomes(out, paths)
    outcomes = gated(scenarios, outcomes, baselines)
    value = bench.run_of(scenarios, outcomes, _command(), began)
    measured_at = max(outcome.recording.recorded_at for outcome in outcomes)
    value = msgspec.structs.replace(value, recorded_at=measured_at, elapsed_s=0.0)
    finish(value, scenarios, out, baselines, svg=svg, as_json=as_json, junit=junit)


def finish(
    value: Run,
    scenarios: Sequence[Scenario],
    out: Path,
    baselines: Path,
    *,
    svg: bool = False,
    as_json: bool = False,
    junit: Path | None = None,
) -> None:
    """Write the reports, print the table, and exit with what the gates say."""
    from memcurve.report.ci import action_benchmark_json, junit_xml
    from memcurve.report.table import print_table
    from memcurve.report.view import view_of
    from memcurve.report.write import write_all
    from memcurve.store.files import load_baselines, replace_file

    accepted = load_baselines(baselines, [outcome.recording for outcome in value.outcomes])
    written = write_all(value, out, baselines=accepted, formats=("png", "svg") if svg else ("png",))
    replace_file(out / "benchmark.json", action_benchmark_json(value))
    if junit is not None:
        replace_file(junit, junit_xml(value))
    if as_json:
        click.echo((out / "summary.json").read_text(encoding="utf-8"), nl=False)
    else:
        print_table(view_of(value, accepted))
        click.echo(f"reports: {written.first}")
    if written.complaint:
        click.echo(f"memcurve: {written.complaint}", err=True)
    sys.exit(exit_code(value, scenarios))


def exit_code(value: Run, scenarios: Sequence[Scenario]) -> int:
    """Return 1 for a crossed threshold, 2 for a design that could not be measured, else 0."""
    if value.crossings:
        return 1
    failing = {one.name: one.may_grow for one in scenarios}
    return 2 if any(_failed(outcome, failing) for outcome in value.outcomes) else 0


def _failed(outcome: Outcome, tolerated: Mapping[str, tuple[str, ...]]) -> bool:
    recording = outcome.recording
    may_fail = recording.design in tolerated.get(recording.scenario, ())
    return recording.failure is not None and not may_fail


def _command() -> str:
    return shlex.join(["memcurve", *sys.argv[1:]])
