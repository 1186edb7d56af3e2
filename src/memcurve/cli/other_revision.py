"""Another revision of the measured project: its tree, its interpreter, its targets."""

import contextlib
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from memcurve.measure.scratch import scratch
from memcurve.model.errors import MeasureError
from memcurve.model.scenario import Scenario, Target

PINS, PROJECT = "constraints.txt", "pyproject.toml"


@contextlib.contextmanager
def checked_out(root: Path, revision: str) -> Iterator[Path]:
    """Check the revision out beside this one; yield the folder that is `root` there.

    Removed afterwards. Raises MeasureError where there is no repository or no such revision.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    with tempfile.TemporaryDirectory(prefix="against-", dir=scratch()) as folder:
        place = Path(folder).resolve() / "tree"
        _git(root, "worktree", "add", "--detach", "--force", str(place), revision)
        try:
            yield place / root.resolve().relative_to(top.resolve())
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["git failed"]
        raise MeasureError(f"git {arguments[0]} {arguments[-1]}: {reason[0]}; name a revision")
    return done.stdout.strip()


@contextlib.contextmanager
def interpreter(root: Path, other: Path) -> Iterator[str]:
    """Give the interpreter for the other revision: this one where it requires the same.

    Else a virtual environment is made for it, which takes the network and minutes. Raises
    MeasureError where that fails.
    """
    if requirements(root) == requirements(other):
        yield sys.executable
        return
    click.echo("memcurve: it requires other versions; installing those …", err=True)
    with tempfile.TemporaryDirectory(prefix="against-", dir=scratch()) as folder:
        python = str(Path(folder) / "venv" / "bin" / "python")
        pins = ["-c", PINS] if (other / PINS).exists() else []
        steps = [
            [sys.executable, "-m", "venv", str(Path(folder) / "venv")],
            [python, "-m", "pip", "install", "-q", *pins, "-e", _with_extras(other)],
        ]
        for step in steps:
            done = subprocess.run(step, cwd=other, capture_output=True, text=True)
            if done.returncode != 0:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise MeasureError(f"the other revision cannot be installed: {last}")
        yield python


def requirements(root: Path) -> tuple[bytes, Any, Any]:
    """Return what a tree asks to have installed: its pins and its project's dependencies."""
    pins, project = root / PINS, root / PROJECT
    table = tomllib.loads(project.read_text()).get("project", {}) if project.exists() else {}
    asked, extras = table.get("dependencies"), table.get("optional-dependencies")
    return pins.read_bytes() if pins.exists() else b"", asked, extras


def _with_extras(root: Path) -> str:
    extras = requirements(root)[2] or {}
    return f".[{','.join(extras)}]" if extras else "."


def moved(one: Scenario, root: Path, other: Path) -> Scenario:
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
