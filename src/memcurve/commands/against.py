"""`memcurve compare --against REV`: measure another revision and this one, interleaved.

The other revision lives in a git worktree of its own. Where its pinned requirements differ, it gets
a virtual environment of its own, else it runs in the one that runs this. Both sides are measured
design by design, in turn, so that whatever else the machine does meets both.

Exit code 0: no difference that is one · 1: worse somewhere · 2: could not be measured.
"""

import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from memcurve import bench
from memcurve.commands.progress import shown
from memcurve.discovery import DEFAULT_FOLDER, discover, project_root, select
from memcurve.errors import MeasureError
from memcurve.judge.comparison import Outcome
from memcurve.judge.revisions import Difference, differences
from memcurve.report.comparison_json import revisions_of
from memcurve.scenario import Scenario, Target
from memcurve.units import COUNTERS, format_value

PINS = ("constraints.txt", "pyproject.toml")


def compare_revisions(
    revision: str,
    paths: Sequence[Path],
    expression: str | None,
    calls: int | None,
    quiet: bool,
    as_json: bool = False,
) -> int:
    """Measure both revisions, print what differs, and return the exit code."""
    places = list(paths) or [DEFAULT_FOLDER]
    scenarios = select(discover(places), expression)
    root = project_root(places[0])
    with _worktree(root, revision) as other, tempfile.TemporaryDirectory() as spare:
        python = _python(root, other, Path(spare))
        here, there = _measure(scenarios, root, other, python, calls, quiet)
    found = [
        (mine.recording, differences(theirs, mine), _failure(mine, theirs))
        for mine, theirs in zip(here, there, strict=True)
    ]
    if as_json:
        value = revisions_of(revision, found)
        click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())
    for recording, changed, failure in found:
        name = f"{recording.scenario}/{recording.design}"
        if not as_json:
            click.echo(f"{name}: {_cells(changed)}")
        if failure is not None:
            click.echo(f"memcurve: {name} {failure}", err=True)
    if any(failure is not None for _, _, failure in found):
        return 2
    return 1 if any(one.worse for _, changed, _ in found for one in changed) else 0


def _cells(changed: Sequence[Difference]) -> str:
    if not changed:
        return "~"
    return ", ".join(
        f"{COUNTERS[one.counter].title} {format_value(COUNTERS[one.counter], one.before)}"
        f" → {format_value(COUNTERS[one.counter], one.after)}{' a call' if one.per_call else ''}"
        for one in changed
    )


def _failure(here: Outcome, there: Outcome) -> str | None:
    """Return on which side a design could not be measured, and why; None where both were."""
    for side, outcome in (("here", here), ("there", there)):
        failure = outcome.recording.failure
        if failure is not None:
            return f"{side}: {failure.message}"
    return None


def _measure(
    scenarios: Sequence[Scenario],
    root: Path,
    other: Path,
    python: str,
    calls: int | None,
    quiet: bool,
) -> tuple[list[Outcome], list[Outcome]]:
    here: list[Outcome] = []
    there: list[Outcome] = []
    with shown(quiet) as progress:
        for one in scenarios:
            moved = _moved(one, root, other)
            options = bench.RunOptions(calls=calls, jobs=1, explain="never", judge_all=False)
            abroad = msgspec.structs.replace(options, python=python, cwd=str(other))
            there.extend(bench.run_scenarios([moved], abroad, progress))
            here.extend(bench.run_scenarios([one], options, progress))
    return here, there


def _moved(one: Scenario, root: Path, other: Path) -> Scenario:
    """Return the scenario with targets that are imported from the other revision."""

    def place(target: Target) -> Target:
        def text(given: str | None) -> str | None:
            return given.replace(str(root), str(other)) if given is not None else None

        own = (str(other), str(other / "src"))
        kept = tuple(path for path in target.paths if path != str(root))
        return msgspec.structs.replace(
            target,
            call=text(target.call) or "",
            setup=text(target.setup),
            teardown=text(target.teardown),
            inputs=text(target.inputs),
            paths=(*own, *kept),
        )

    return msgspec.structs.replace(
        one, designs={name: place(target) for name, target in one.designs.items()}
    )


@contextlib.contextmanager
def _worktree(root: Path, revision: str) -> Iterator[Path]:
    """Check the revision out beside this one, and remove it afterwards."""
    with tempfile.TemporaryDirectory(prefix="memcurve-against-") as folder:
        place = Path(folder) / "tree"
        _git(root, "worktree", "add", "--detach", "--force", str(place), revision)
        try:
            yield place
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _git(root: Path, *arguments: str) -> None:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["git failed"]
        raise MeasureError(f"git {arguments[0]} {arguments[-1]}: {reason[0]}; name a revision")


def _python(root: Path, other: Path, spare: Path) -> str:
    """Return the interpreter for the other revision: this one where its pins are the same."""
    if all(_same(root / name, other / name) for name in PINS):
        return sys.executable
    click.echo("memcurve: the pins differ; installing those of the other revision …", err=True)
    folder = spare / "venv"
    python = folder / "bin" / "python"
    steps = [
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", "-c", "constraints.txt", "-e", ".[all]"],
    ]
    for step in steps:
        done = subprocess.run(step, cwd=other, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise MeasureError(f"the other revision cannot be installed: {last}")
    return str(python)


def _same(one: Path, other: Path) -> bool:
    if not one.exists() or not other.exists():
        return one.exists() == other.exists()
    return one.read_bytes() == other.read_bytes()
