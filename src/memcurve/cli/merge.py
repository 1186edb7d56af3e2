"""`memcurve merge`: put the shards of one run together, gate the whole, and write its reports."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from memcurve.cli.net import FAILED
from memcurve.cli.reports import Reports, command_line, finish, leads_unread, report_options
from memcurve.cli.scenarios import baselines_option
from memcurve.model.errors import RecordingError
from memcurve.model.scenario import Scenario


@click.command(short_help="Put the shards of a run together, as if one machine had run it.")
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(file_okay=False, path_type=Path)
)
@click.option(
    "--scenarios",
    "paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="The PATH… of the run, one each [default: bench/scenarios].",
)
@report_options
@baselines_option
def merge(
    folders: tuple[Path, ...],
    paths: tuple[Path, ...],
    svg: bool,
    as_json: bool,
    junit: Path | None,
    out: Path,
    baselines: Path,
) -> None:
    """Put the shards in FOLDER… together, gate them as one run, and write its reports.

    \b
    Examples:
      memcurve merge shard-1 shard-2 shard-3
      memcurve merge shard-* --scenarios bench/scenarios --out reports
    """
    from memcurve.run.discovery import discover
    from memcurve.run.gate import gated
    from memcurve.run.scenarios import run_of
    from memcurve.run.shards import merged, save_merged
    from memcurve.store.files import ready
    from memcurve.store.shares import save_share

    began = time.monotonic()
    found = merged(folders)
    scenarios = _of(discover(paths), found.whole)
    ready(out)
    outcomes = save_merged(out, folders, found, scenarios)
    save_share(out, None)
    held = gated(scenarios, outcomes, baselines)
    value = run_of(scenarios, held, command_line(), began)
    value = msgspec.structs.replace(value, missing=found.missing)
    reports = Reports(out=out, baselines=baselines, svg=svg, as_json=as_json, junit=junit)
    code = finish(value, reports)
    sys.exit(code or (FAILED if leads_unread(scenarios, outcomes) else 0))


def _of(scenarios: Sequence[Scenario], whole: Sequence[str]) -> list[Scenario]:
    """Return the scenarios of the run: what gates it stands in their files.

    Raises RecordingError for one that is not there.
    """
    from memcurve.run.discovery import only

    wanted: dict[str, list[str]] = {}
    for name in whole:
        scenario, _, design = name.partition("/")
        wanted.setdefault(scenario, []).append(design)
    known = {one.name: one for one in scenarios}
    for name, designs in wanted.items():
        gone = [each for each in designs if name not in known or each not in known[name].designs]
        if gone:
            raise RecordingError(
                f"{name}/{gone[0]} was measured and is in no scenario file here; name the files "
                "of the run with --scenarios, in the revision that was measured"
            )
    return [only(known[name], designs) for name, designs in wanted.items()]
