"""The command line: wires the stages, prints, and turns verdicts into exit codes.

0: nothing grows · 1: something grows, or a threshold is crossed · 2: could not measure ·
3: inconclusive.
"""

import json
import sys

import click

from memcurve import __version__
from memcurve.commands.accept import accept
from memcurve.commands.compare import compare
from memcurve.commands.doctor import doctor
from memcurve.commands.explain import explain
from memcurve.commands.run import report, run
from memcurve.errors import MemcurveError

EXIT = {"flat": 0, "plateaued": 0, "growing": 1, "inconclusive": 3}


class _Group(click.Group):
    """A group whose commands turn our errors into one line and exit code 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MemcurveError as error:
            click.echo(f"memcurve: {error}", err=True)
            ctx.exit(2)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Count a workload's live memory to the byte after every call, and say whether it leaks."""


for scenario_command in (run, compare, accept, report, explain, doctor):
    main.add_command(scenario_command)


@main.command()
@click.argument("target")
@click.option("--setup", metavar="TARGET", help="Called once before the calls; may yield.")
@click.option("--teardown", metavar="TARGET", help="Called once after the calls.")
@click.option("--inputs", type=click.Path(dir_okay=False), help="JSON Lines: one line a call.")
@click.option("--calls", type=click.IntRange(1), default=100, show_default=True)
@click.option(
    "--budget",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Time for deciding [default: 10, or what 300 calls take].",
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
@click.option("--python", metavar="PATH", help="The interpreter that runs the target.")
@click.option("--full", is_flag=True, help="Explain even if nothing grows.")
@click.option("--no-explain", is_flag=True, help="Do not explain what grows.")
@click.option(
    "--known-leaks",
    type=click.Path(dir_okay=False),
    help="Acknowledged leaks [default: known-leaks.toml, if there is one].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
def check(
    target: str,
    setup: str | None,
    teardown: str | None,
    inputs: str | None,
    calls: int,
    budget: float | None,
    timeout: float,
    grace: float,
    max_bytes: str | None,
    python: str | None,
    full: bool,
    no_explain: bool,
    known_leaks: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Run TARGET (pkg.mod:attr or path/file.py:attr) again and again; does anything grow?

    \b
    Examples:
      memcurve check app/jobs.py:run_once
      memcurve check app.jobs:handle --setup app.jobs:start --inputs cases.jsonl
      memcurve check pkg.mod:fn --python .venv39/bin/python --json
    """
    from memcurve import api
    from memcurve.judge.verdict import name_of

    try:
        verdict = api.check(
            target,
            setup=setup,
            teardown=teardown,
            inputs=inputs,
            calls=calls,
            budget=budget,
            timeout=timeout,
            grace=grace,
            max_bytes=max_bytes,
            python=python,
            explain=False if no_explain else full or None,
            known_leaks=known_leaks,
        )
    except api.CheckFailedError as error:
        _could_not_measure(error, as_json, quiet)
        sys.exit(2)
    if as_json:
        from memcurve.report.check_json import check_object

        click.echo(json.dumps(check_object(verdict)))
    elif not quiet:
        from memcurve.report.text import check_text

        click.echo(check_text(verdict))
    sys.exit(0 if verdict.details and verdict.details.acknowledged else EXIT[name_of(verdict)])


def _could_not_measure(error: "object", as_json: bool, quiet: bool) -> None:
    from memcurve import api

    assert isinstance(error, api.CheckFailedError)
    failure = error.failure
    click.echo(f"memcurve: could not measure: {error}", err=True)
    if not quiet and failure.traceback:
        click.echo(failure.traceback.rstrip(), err=True)
    if not quiet and failure.output:
        click.echo(f"its last output:\n{failure.output}", err=True)


if __name__ == "__main__":
    main()
