"""The command line: wires the stages, prints, and turns verdicts into exit codes.

0: nothing grows · 1: something grows, or a threshold is crossed · 2: could not measure ·
3: not decided (rising, inconclusive) · 129, 130, 143: ended by SIGHUP, Ctrl-C, SIGTERM.
"""

import sys
from typing import TYPE_CHECKING

import click

from memcurve import __version__
from memcurve.cli.accept import accept
from memcurve.cli.compare import compare
from memcurve.cli.doctor import doctor
from memcurve.cli.explain import explain
from memcurve.cli.init import init
from memcurve.cli.merge import merge
from memcurve.cli.net import Command, complain
from memcurve.cli.reports import report
from memcurve.cli.run import run
from memcurve.cli.scenarios import samples_option

if TYPE_CHECKING:
    from memcurve.run.conclude import CheckFailedError

EXIT = {"flat": 0, "plateaued": 0, "growing": 1, "rising": 3, "inconclusive": 3}


class _Group(Command):
    """The commands; a file in the place of one is checked."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take a file in the place of a command for `check` of that file."""
        if args and args[0].partition(":")[0].endswith(".py"):
            args = ["check", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Count a workload's live memory to the byte after every call, and say whether it leaks.

    \b
    Examples:
      memcurve check app/jobs.py:run_once     does this function leak?
      memcurve init app/jobs.py:run_once      a first scenario, a test, the CI job
      memcurve run                            every scenario of bench/scenarios
      memcurve doctor                         what can be measured here?

    \b
    Exit codes:
      0 nothing grows        1 something grows, or a threshold is crossed
      2 could not measure    3 not decided: rising, inconclusive
      129, 130, 143 ended by SIGHUP, Ctrl-C, SIGTERM
    """


for scenario_command in (init, run, compare, accept, report, merge, explain, doctor):
    main.add_command(scenario_command)


@main.command(short_help="Run one function again and again: does anything grow?")
@click.argument("target")
@click.option("-m", "is_module", is_flag=True, help="TARGET is a module: list its functions.")
@click.option("--main", "main_function", is_flag=True, help="Call the function main of TARGET.")
@click.option(
    "--setup",
    metavar="TARGET",
    help="Called once before the calls; may yield. TARGET then takes its value and the call's "
    "number; with one argument it gets the number.",
)
@click.option("--teardown", metavar="TARGET", help="Called once after the calls.")
@click.option("--inputs", type=click.Path(dir_okay=False), help="JSON Lines: one line a call.")
@click.option(
    "--calls",
    type=click.IntRange(1),
    help="Run so many calls and no other [default: as many as decide].",
)
@click.option(
    "--budget",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Time for deciding and explaining [default: 10, or what 12 calls take].",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="The longest that one call may take.",
)
@click.option(
    "--grace",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for what a call leaves running.",
)
@click.option("--max-bytes", metavar="SIZE", help="The most a cache may hold [default: 256 MiB].")
@click.option(
    "--max-garbage",
    metavar="SIZE",
    help="The most that may wait for the collector at once [default: 64 MiB].",
)
@click.option("--python", metavar="PATH", help="The interpreter that runs the target.")
@click.option("--full", is_flag=True, help="Explain even if nothing grows.")
@click.option("--no-explain", is_flag=True, help="Do not explain what grows.")
@samples_option
@click.option(
    "--known-leaks",
    type=click.Path(dir_okay=False),
    help="Acknowledged leaks [default: known-leaks.toml, if there is one].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
def check(
    target: str,
    is_module: bool,
    main_function: bool,
    setup: str | None,
    teardown: str | None,
    inputs: str | None,
    calls: int | None,
    budget: float | None,
    timeout: float,
    grace: float,
    max_bytes: str | None,
    max_garbage: str | None,
    python: str | None,
    full: bool,
    no_explain: bool,
    samples: bool,
    known_leaks: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run TARGET (pkg.mod:attr or path/file.py:attr) again and again; does anything grow?

    A TARGET with an argument gets the number of the call: 0, 1, 2 … A file or module alone lists
    what can be checked in it.

    \b
    Examples:
      memcurve check app/jobs.py:run_once
      memcurve check script.py --main
      memcurve check app.jobs:handle --setup app.jobs:start --inputs cases.jsonl
      memcurve check pkg.mod:fn --python .venv39/bin/python --json
    """
    from memcurve.cli.progress import one_line
    from memcurve.cli.targets import whole_target
    from memcurve.judge.slow_calls import expected_s
    from memcurve.model.debt import Heavy
    from memcurve.model.effort import effort_for
    from memcurve.model.thresholds import Thresholds
    from memcurve.model.verdict import name_of
    from memcurve.run import check as api
    from memcurve.run.conclude import CheckFailedError

    target = whole_target(target, is_module=is_module, main=main_function)
    thresholds = Thresholds()
    effort = effort_for(calls, budget, thresholds)
    try:
        with one_line(quiet, lambda call_s: expected_s(call_s, thresholds, effort)) as progress:
            checked = api.check(
                target,
                setup=setup,
                teardown=teardown,
                inputs=inputs,
                calls=calls,
                budget=budget,
                timeout=timeout,
                grace=grace,
                max_bytes=max_bytes,
                max_garbage=max_garbage,
                python=python,
                explain=False if no_explain else full or None,
                samples=samples,
                known_leaks=known_leaks,
                progress=progress,
            )
    except CheckFailedError as error:
        _could_not_measure(error, quiet, setup is not None)
        sys.exit(2)
    if as_json:
        from memcurve.report.json.check import check_shape
        from memcurve.report.json.shape import json_text

        click.echo(json_text(check_shape(checked)))
    elif not quiet:
        from memcurve.report.text import check_text

        click.echo(check_text(checked))
    if isinstance(checked.judgement.debt, Heavy):
        sys.exit(1)
    sys.exit(0 if checked.acknowledged else EXIT[name_of(checked.verdict)])


def _could_not_measure(error: "CheckFailedError", quiet: bool, has_setup: bool) -> None:
    failure = error.failure
    complain(f"could not measure: {error}")
    if quiet:
        return
    if failure.traceback:
        click.echo(failure.traceback.rstrip(), err=True)
    if failure.output:
        click.echo(f"its last output:\n{failure.output}", err=True)
    if has_setup and failure.call == 1 and "'int' object" in failure.message:
        click.echo(
            "note: a target with one argument gets the number of the call; to get the value of "
            "--setup it takes two, the value and the number",
            err=True,
        )


if __name__ == "__main__":
    main()
