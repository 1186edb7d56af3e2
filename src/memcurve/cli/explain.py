"""`memcurve explain SCENARIO/DESIGN`: what survives, who holds it, where it is made."""

import datetime
from pathlib import Path

import click
import msgspec

from memcurve.cli.progress import one_line
from memcurve.cli.scenarios import complete_names, json_option, quiet_option, samples_option
from memcurve.model.errors import ScenarioError
from memcurve.model.findings import Explanation
from memcurve.model.outcome import Outcome
from memcurve.model.scenario import Scenario

DRAWN = 3
"""Culprits whose holders are drawn."""


@click.command(short_help="Say what survives one design, and who holds it.")
@click.argument("name", metavar="SCENARIO/DESIGN", shell_complete=complete_names)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--calls", type=click.IntRange(1), help="Calls of the natural pass.")
@click.option("--native", is_flag=True, help="Name native frames too (memray; expensive).")
@click.option("--flame-graph", type=click.Path(dir_okay=False), help="Write memray's HTML here.")
@click.option("--keep-trace", type=click.Path(dir_okay=False), help="Keep memray's file here.")
@click.option(
    "--drawings", type=click.Path(file_okay=False), help="Draw cycles and holders as SVG in here."
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page of one culprit here: path, bytes, calls, code, what to do.",
)
@click.option(
    "--culprit",
    "number",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Which culprit the page is of.",
)
@samples_option
@click.option("--known-leaks", type=click.Path(dir_okay=False), help="Acknowledged leaks.")
@json_option("Print one JSON object.")
@quiet_option
def explain(
    name: str,
    paths: tuple[Path, ...],
    calls: int | None,
    native: bool,
    flame_graph: str | None,
    keep_trace: str | None,
    drawings: str | None,
    html: Path | None,
    number: int,
    samples: bool,
    known_leaks: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Explain one design of a scenario in PATH… (bench/scenarios), whatever its verdict.

    \b
    Examples:
      memcurve explain vectordb_node/naive
      memcurve explain vectordb_node/naive --html culprit.html
      memcurve explain executions/naive --flame-graph flame.html --drawings drawings
    """
    from memcurve.explain.known import load_known, mark_known
    from memcurve.report.json.explained import Explained
    from memcurve.report.json.shape import json_text
    from memcurve.report.text import outcome_text
    from memcurve.run.discovery import discover
    from memcurve.run.explain import ExplainOptions
    from memcurve.run.scenarios import explain_design

    scenario, design = _named(discover(paths), name)
    options = ExplainOptions(
        thorough=True,
        native=native,
        flame_graph=flame_graph,
        keep=keep_trace,
        drawings=DRAWN if drawings else 0,
    )
    with one_line(quiet) as progress:
        outcome = explain_design(
            scenario, design, calls or scenario.calls, options, progress, samples=samples
        )
    today = datetime.datetime.now(datetime.UTC).date()
    known = load_known(known_leaks)
    culprits = mark_known(outcome.culprits, known, today)
    found = outcome.explanation
    assert found is not None
    found = msgspec.structs.replace(found, culprits=culprits)
    if drawings:
        _draw(found, Path(drawings))
    if html is not None:
        _write_page(html, outcome, found, number)
    if as_json:
        value = Explained(
            scenario=scenario.name, design=design, explanation=found, ledger=outcome.ledger
        )
        click.echo(json_text(value, indent=2))
    else:
        click.echo(outcome_text(outcome, found))


def _write_page(path: Path, outcome: Outcome, found: Explanation, number: int) -> None:
    from memcurve.report.write import write_culprit

    if number > len(found.culprits):
        told = f"there are {len(found.culprits)}" if found.culprits else "nothing grows"
        raise ScenarioError(f"no culprit {number} to write a page of; {told}")
    try:
        write_culprit(outcome, found.culprits[number - 1], path)
    except ModuleNotFoundError as error:
        raise ScenarioError(
            f"--html: {error.name} is missing; pip install 'memcurve[report]'"
        ) from error


def _named(scenarios: list[Scenario], name: str) -> tuple[Scenario, str]:
    wanted, _, design = name.partition("/")
    for scenario in scenarios:
        if scenario.name == wanted and design in scenario.designs:
            return scenario, design
    known = ", ".join(f"{one.name}/{design}" for one in scenarios for design in one.designs)
    raise ScenarioError(f"no design {name!r}; there are {known}")


def _draw(found: Explanation, folder: Path) -> None:
    from memcurve.explain.cycle_drawing import as_svg
    from memcurve.explain.holder_drawing import holding_svg

    folder.mkdir(parents=True, exist_ok=True)
    for number, cycle in enumerate(found.cycles, 1):
        (folder / f"cycle-{number}.svg").write_text(as_svg(cycle), encoding="utf-8")
    for number, culprit in enumerate(found.culprits[:DRAWN], 1):
        graph = found.references.get(culprit.fingerprint, "")
        picture = folder / f"culprit-{number}.svg"
        picture.write_text(holding_svg(culprit, graph), encoding="utf-8")
        if graph:
            picture.with_suffix(".dot").write_text(graph, encoding="utf-8")
