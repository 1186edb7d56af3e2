"""`memcurve run`: measure scenarios, gate them, write the reports.

Exit code 0: nothing was crossed · 1: a threshold was · 2: a design that must not fail did.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from memcurve.cli.net import FAILED, code_of, complain, words_of
from memcurve.cli.reports import Reports, command_line, finish, leads_unread, report_options
from memcurve.cli.scenarios import samples_option, scenario_options
from memcurve.model.errors import MemcurveError
from memcurve.model.scenario import Scenario
from memcurve.run.options import Options, RunOptions, thresholds_of
from memcurve.store.shares import MOST_SHARDS

if TYPE_CHECKING:
    from memcurve.run.elsewhere import Place
    from memcurve.run.keeping import Keeping
    from memcurve.run.lanes import Progress
    from memcurve.run.shards import Shard


class ShardType(click.ParamType["Shard"]):
    """Reads ``I/N``."""

    name = "I/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Shard":
        """Return the number of a shard and how many there are."""
        if isinstance(value, tuple):
            return value
        number, _, of = str(value).partition("/")
        if not (
            number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of) <= MOST_SHARDS
        ):
            self.fail(f"{value!r} is no shard; write its number and how many there are, as 1/3")
        return int(number), int(of)


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
@click.option(
    "--shard",
    type=ShardType(),
    help="Only share I of N of the scenarios; memcurve merge puts all together.",
)
@click.option(
    "--executor",
    metavar="URL",
    help="Measure there, a design a job: processes://4, dask://HOST:PORT.",
)
@report_options
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
    shard: "Shard | None",
    executor: str | None,
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
      memcurve run --shard 1/3 --out shard-1
      memcurve run --executor dask://scheduler:8786

    Each design is stored as soon as it is measured. Ended by Ctrl-C or a signal, the reports tell
    what there is.
    """
    from memcurve.run.discovery import discover, select
    from memcurve.run.executors import place_at
    from memcurve.run.keeping import Keeping
    from memcurve.run.shards import dealt, share_of
    from memcurve.store.files import ready
    from memcurve.store.shares import save_share

    if quick and full:
        raise click.UsageError("--quick and --full exclude each other; choose one")
    place = place_at(executor) if executor else None
    began = time.monotonic()
    found = discover(paths)
    whole = select(found, expression)
    scenarios = whole if shard is None else dealt(whole, shard)
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
    ) + (f" executor={executor}" if executor else "")
    share = share_of(scenarios, whole, shard, asked)
    of_whole = "" if shard is None else f" shard={shard[0]}/{shard[1]}"
    keeping = Keeping(out, scenarios, asked + of_whole)
    if resume:
        keeping.resume()
    save_share(out, share)
    keeping.begin()
    measure = _here(options, found) if place is None else _there(options, paths, place)
    ended = _measured(keeping, measure, quiet)
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


Measure = Callable[[Sequence[Scenario], "Progress | None", "Keeping"], object]
"""Measures the designs that are missing, and hands on each as it is done."""


def _here(options: RunOptions, found: Sequence[Scenario]) -> Measure:
    """Return what measures on this machine."""
    from memcurve.run.scenarios import run_scenarios

    return lambda missing, progress, keep: run_scenarios(missing, options, progress, found, keep)


def _there(options: RunOptions, paths: Sequence[Path], place: "Place") -> Measure:
    """Return what measures on an executor."""
    from memcurve.run.discovery import DEFAULT_FOLDER
    from memcurve.run.elsewhere import run_elsewhere

    where = paths or (DEFAULT_FOLDER,)
    return lambda missing, progress, keep: run_elsewhere(
        missing, where, options, place, progress, keep
    )


def _measured(
    keeping: "Keeping", measure: Measure, quiet: bool
) -> KeyboardInterrupt | MemcurveError | None:
    """Measure what is missing; return what ended that early, None where nothing did."""
    from memcurve.cli.progress import shown

    try:
        with shown(quiet) as progress:
            measure(keeping.missing, progress, keeping)
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
    from memcurve.run import scenarios as bench
    from memcurve.run.gate import gated

    outcomes = keeping.outcomes
    code = 0
    if outcomes:
        held = gated(scenarios, outcomes, reports.baselines)
        value = bench.run_of(scenarios, held, command_line(), began)
        value = msgspec.structs.replace(value, missing=tuple(keeping.missing_names))
        code = finish(value, reports, keeping.complaint and f"{keeping.complaint}: {_again()}")
    if leads_unread(scenarios, outcomes) or keeping.complaint:
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


def _again() -> str:
    """Return the command that measures what is missing."""
    return command_line() if "--resume" in sys.argv else f"{command_line()} --resume"
