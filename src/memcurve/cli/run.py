"""`memcurve run` and `memcurve report`: measure scenarios, gate them, write the reports.

Exit code 0: nothing was crossed · 1: a threshold was · 2: a design that must not fail did.
"""

import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from memcurve.cli.net import FAILED, code_of, complain, words_of
from memcurve.cli.scenarios import (
    Command,
    baselines_option,
    json_option,
    out_option,
    samples_option,
    scenario_options,
)
from memcurve.model.errors import MemcurveError
from memcurve.model.outcome import Run
from memcurve.model.scenario import Scenario
from memcurve.model.text import printable
from memcurve.run.options import Options, RunOptions, thresholds_of

if TYPE_CHECKING:
    from memcurve.model.baseline import Baseline
    from memcurve.report.picture import Format
    from memcurve.report.write import Written
    from memcurve.run.keeping import Keeping


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports are written of a run, and where."""

    out: Path
    baselines: Path
    svg: bool = False
    as_json: bool = False
    junit: Path | None = None


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
@click.option(
    "--max-garbage",
    metavar="SIZE",
    help="The most that may wait for the collector at once [default: 64 MiB].",
)
@click.option(
    "--resume", is_flag=True, help="Measure only what the last run, which was ended, left out."
)
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
    max_garbage: str | None,
    resume: bool,
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
      memcurve run --resume

    Each design is stored as soon as it is measured. Ended by Ctrl-C or a signal, the reports tell
    what there is.
    """
    from memcurve.run.discovery import discover, select
    from memcurve.run.keeping import Keeping
    from memcurve.store.files import ready

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
        each=Options(samples=samples, thresholds=thresholds_of(max_garbage=max_garbage)),
    )
    for folder in (out, *([junit.parent] if junit is not None else [])):
        ready(folder)
    _readable(scenarios, baselines)
    asked = (
        f"calls={calls or 'default'} quick={quick} full={full} samples={samples} "
        f"max-garbage={max_garbage or 'default'}"
    )
    keeping = Keeping(out, scenarios, asked)
    if resume:
        keeping.resume()
    keeping.begin()
    ended = _measured(keeping, options, quiet, found)
    reports = Reports(out=out, baselines=baselines, svg=svg, as_json=as_json, junit=junit)
    _conclude(scenarios, keeping, ended, began, reports)


def _readable(scenarios: Sequence[Scenario], baselines: Path) -> None:
    """Read thresholds before anything is measured for them; raises what tells of a damaged one."""
    from memcurve.explain.known import load_known
    from memcurve.run.fork import environment_here
    from memcurve.store.files import load_baseline

    load_known()
    here = environment_here().key
    for one in scenarios:
        load_baseline(baselines, here, one.name)


def _measured(
    keeping: "Keeping", options: RunOptions, quiet: bool, found: Sequence[Scenario]
) -> KeyboardInterrupt | MemcurveError | None:
    """Measure what is missing; return what ended that early, None where nothing did."""
    from memcurve.cli.progress import shown
    from memcurve.run import scenarios as bench

    try:
        with shown(quiet) as progress:
            bench.run_scenarios(keeping.missing, options, progress, found, keeping)
    except (KeyboardInterrupt, MemcurveError) as error:
        return error
    return None


def _conclude(
    scenarios: Sequence[Scenario],
    keeping: "Keeping",
    ended: KeyboardInterrupt | MemcurveError | None,
    began: float,
    reports: "Reports",
) -> None:
    """Write the reports of what there is, say what is missing, and end with what the run is."""
    from memcurve.compare.leads import unread
    from memcurve.run import scenarios as bench
    from memcurve.run.gate import gated

    outcomes = keeping.outcomes
    code = 0
    if outcomes:
        held = gated(scenarios, outcomes, reports.baselines)
        value = bench.run_of(scenarios, held, _command(), began)
        value = msgspec.structs.replace(value, missing=tuple(keeping.missing_names))
        code = finish(value, reports, keeping.complaint and f"{keeping.complaint}: {_again()}")
    unknown = [text for one in scenarios for text in unread(one, outcomes)]
    for text in unknown:
        complain(text)
    if keeping.complaint or unknown:
        code = code or FAILED
    if ended is not None:
        code = _say_what_is_left(ended, keeping)
    keeping.complete()
    sys.exit(code)


def _say_what_is_left(ended: KeyboardInterrupt | MemcurveError, keeping: "Keeping") -> int:
    """Name what is stored and what is not, and how to go on; return the exit code."""
    from memcurve.run.keeping import some_of

    if isinstance(ended, KeyboardInterrupt):
        words, code = words_of(ended), code_of(ended)
    else:
        words, code = str(ended), FAILED
    done, missing = len(keeping.outcomes), keeping.missing_names
    complain(
        f"{words}; stored {done} of {done + len(missing)} "
        f"designs" + (f", missing {some_of(missing)}; go on with: {_again()}" if missing else "")
    )
    return code


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
    from memcurve.cli.stored import missing_of, stored_outcomes
    from memcurve.run import scenarios as bench
    from memcurve.run.gate import gated

    began = time.monotonic()
    scenarios, outcomes = stored_outcomes(out, paths)
    outcomes = gated(scenarios, outcomes, baselines)
    value = bench.run_of(scenarios, outcomes, _command(), began)
    measured_at = max(outcome.recording.recorded_at for outcome in outcomes)
    value = msgspec.structs.replace(
        value, recorded_at=measured_at, elapsed_s=0.0, missing=missing_of(out)
    )
    reports = Reports(out=out, baselines=baselines, svg=svg, as_json=as_json, junit=junit)
    sys.exit(finish(value, reports))


def finish(value: Run, reports: Reports, told: str = "") -> int:
    """Write the reports and print the table; return the exit code that the gates give.

    Reports that cannot be written cost a line and not the table. `told` is said in place of that.
    """
    from memcurve.report.json.summary import summary_json
    from memcurve.report.table import print_table
    from memcurve.report.view import view_of
    from memcurve.store.files import load_baselines

    accepted = load_baselines(reports.baselines, [one.recording for one in value.outcomes])
    written, lost = _written(value, reports, accepted)
    view = view_of(value, accepted)
    if reports.as_json:
        click.echo(summary_json(view).decode(), nl=False)
    else:
        print_table(view)
        if written is not None:
            click.echo(f"reports: {written.first}")
    complaint = told or lost or (written.complaint if written is not None else "")
    if complaint:
        complain(complaint)
    return exit_code(value) or (FAILED if lost else 0)


def _written(
    value: Run, reports: Reports, accepted: "dict[str, Baseline]"
) -> "tuple[Written | None, str]":
    """Write all reports; return them, and why some could not be written."""
    from memcurve.report.ci import action_benchmark_json, junit_xml
    from memcurve.report.write import write_all
    from memcurve.store.files import replace_file

    formats: tuple[Format, ...] = ("png", "svg") if reports.svg else ("png",)
    written = None
    try:
        written = write_all(value, reports.out, baselines=accepted, formats=formats)
        replace_file(reports.out / "benchmark.json", action_benchmark_json(value))
        if reports.junit is not None:
            replace_file(reports.junit, junit_xml(value))
    except OSError as error:
        where = error.filename or reports.out
        return None, f"{where}: {error.strerror}; make room, then: memcurve report"
    return written, ""


def exit_code(value: Run) -> int:
    """Return 1 for a crossed threshold, 2 for a design that was not measured, else 0."""
    if value.crossings:
        return 1
    return 2 if value.failures or value.missing else 0


def _again() -> str:
    """Return the command that measures what is missing."""
    return _command() if "--resume" in sys.argv else f"{_command()} --resume"


def _command() -> str:
    return printable(shlex.join(["memcurve", *sys.argv[1:]]))
