"""The options that commands on scenarios share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from memcurve.store import DEFAULT_BASELINES, DEFAULT_OUT

Command = Callable[..., Any]


def scenario_options(command: Command) -> Command:
    """Add PATH…, -k, --calls, --jobs, --python, -q and --baselines."""
    for add in (
        click.argument("paths", nargs=-1, type=click.Path(path_type=Path)),
        click.option("-k", "expression", metavar="EXPR", help="Only designs whose name matches."),
        click.option("--calls", type=click.IntRange(1), help="Calls of every design."),
        click.option(
            "--jobs",
            type=click.IntRange(1),
            default=2,
            show_default=True,
            help="Exact passes side by side.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="No progress."),
        baselines_option,
    ):
        command = add(command)
    return command


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
