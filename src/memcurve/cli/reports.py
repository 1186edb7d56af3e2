"""`memcurve report`, and how every command on a run ends: its files, its table, its exit code."""

import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from memcurve.cli.net import FAILED, complain
from memcurve.cli.scenarios import Command, baselines_option, json_option, out_option
from memcurve.model.outcome import Outcome, Run
from memcurve.model.scenario import Scenario
from memcurve.model.text import printable

if TYPE_CHECKING:
    from memcurve.model.baseline import Baseline
    from memcurve.report.picture import Format
    from memcurve.report.write import Written


class Reports(msgspec.Struct, frozen=True, kw_only=True):
    """Which reports are written of a run, and where."""

    out: Path
    baselines: Path
    svg: bool = False
    as_json: bool = False
    junit: Path | None = None


def report_options(command: Command) -> Command:
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


@click.command(short_help="Write the reports of the last run again.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@report_options
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
    from memcurve.cli.stored import missing_of, nodes_of, stored_outcomes
    from memcurve.run import scenarios as bench
    from memcurve.run.gate import gated

    began = time.monotonic()
    scenarios, outcomes = stored_outcomes(out, paths)
    tests = nodes_of(out, outcomes)  # a test's own limits were held when it ran
    held = gated([one for one in scenarios if one.name not in tests], outcomes, baselines)
    outcomes = [*(one for one in outcomes if one.recording.scenario in tests), *held]
    value = bench.run_of(scenarios, outcomes, command_line(), began)
    measured_at = max(outcome.recording.recorded_at for outcome in outcomes)
    value = msgspec.structs.replace(
        value, recorded_at=measured_at, elapsed_s=0.0, missing=missing_of(out), tests=tests
    )
    reports = Reports(out=out, baselines=baselines, svg=svg, as_json=as_json, junit=junit)
    sys.exit(finish(value, reports))


def finish(value: Run, reports: Reports, told: str = "") -> int:
    """Write the reports and print the table; return the exit code that the gates give.

    Reports that cannot be written cost a line and not the table. `told` is said in place of that.
    """
    from memcurve.report.arrange import view_of
    from memcurve.report.json.summary import summary_json
    from memcurve.report.table import print_table
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


def leads_unread(scenarios: Sequence[Scenario], outcomes: Sequence[Outcome]) -> bool:
    """Complain of leads in counters that nobody knows; return whether there are any."""
    from memcurve.compare.leads import unread

    unknown = [text for one in scenarios for text in unread(one, outcomes)]
    for text in unknown:
        complain(text)
    return bool(unknown)


def exit_code(value: Run) -> int:
    """Return 1 for a crossed threshold, 2 for a design that was not measured, else 0."""
    if value.crossings:
        return 1
    return 2 if value.failures or value.missing else 0


def command_line() -> str:
    return printable(shlex.join(["memcurve", *sys.argv[1:]]))
