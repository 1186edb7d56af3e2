"""The options that commands on scenarios share."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from memcurve.model.errors import MemcurveError
from memcurve.store.files import DEFAULT_BASELINES, DEFAULT_OUT

Command = Callable[..., Any]


def scenario_options(command: Command) -> Command:
    """Add PATH…, -k, --calls, --jobs, -q and --baselines, which `--help` lists in this order."""
    for add in (
        baselines_option,
        quiet_option,
        click.option(
            "--jobs",
            type=click.IntRange(1),
            default=(os.cpu_count() or 1) + 1,
            show_default="processors + 1",
            help="Exact passes side by side; those that measure CPU time, at most one a processor.",
        ),
        click.option("--calls", type=click.IntRange(1), help="Calls of every design."),
        name_option,
        click.argument("paths", nargs=-1, type=click.Path(path_type=Path)),
    ):
        command = add(command)
    return command


def name_option(command: Command) -> Command:
    """Add -k."""
    return click.option(
        "-k",
        "expression",
        metavar="EXPR",
        help='Only designs whose "scenario/design" matches, such as "rag and not naive".',
        shell_complete=complete_names,
    )(command)


def quiet_option(command: Command) -> Command:
    """Add -q."""
    return click.option("-q", "--quiet", is_flag=True, help="No progress.")(command)


def json_option(text: str) -> Callable[[Command], Command]:
    """Return what adds --json; `text` says what is printed."""
    return click.option("--json", "as_json", is_flag=True, help=text)


def samples_option(command: Command) -> Command:
    """Add --no-samples."""
    return click.option(
        "--no-samples",
        "samples",
        is_flag=True,
        flag_value=False,
        default=True,
        help="Leave out the beginning of text and bytes that stay.",
    )(command)


def baselines_option(command: Command) -> Command:
    """Add --baselines."""
    return click.option(
        "--baselines",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_BASELINES,
        show_default=True,
        help="Where accepted curves are kept.",
    )(command)


def out_option(command: Command) -> Command:
    """Add --out."""
    return click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_OUT,
        show_default=True,
        help="Where recordings and reports go.",
    )(command)


def complete_names(
    context: click.Context, parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the ``scenario/design`` names that begin so, for the shell."""
    from memcurve.run.discovery import discover

    try:
        scenarios = discover()
    except MemcurveError:
        return []  # a shell that completes has no place for an error
    names = (f"{one.name}/{design}" for one in scenarios for design in one.designs)
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]
