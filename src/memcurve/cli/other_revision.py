"""Another revision of the measured project: its tree, its interpreter, its targets."""

import contextlib
import os
import shutil
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
LISTS = ("requirements.txt",)
"""What pip installs beside the project."""
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml")
"""What pip does not install from: that they differ is told."""
_NOT_MEASURED = shutil.ignore_patterns("__pycache__", ".venv", ".git", "reports")


class Trees(msgspec.Struct, frozen=True, kw_only=True):
    """This tree and the other revision's: where the scenarios stand, and their project.

    `top` is the repository's folder here, `tree` the one there.
    """

    top: Path
    tree: Path
    root: Path
    other: Path
    project: Path
    other_project: Path


@contextlib.contextmanager
def checked_out(root: Path, revision: str) -> Iterator[Trees]:
    """Check the revision out beside this one; yield where everything is there.

    Where it has no scenarios yet, those of this tree are put beside its code, and that is said.
    Removed afterwards. Raises MeasureError where there is no repository or no such revision.
    """
    root = root.resolve()
    top = Path(_git(root, "rev-parse", "--show-toplevel")).resolve()
    project = _project_of(root, top)
    with tempfile.TemporaryDirectory(prefix="against-", dir=scratch()) as folder:
        place = Path(folder).resolve() / "tree"
        _add_worktree(root, place, revision)
        trees = Trees(
            top=top,
            tree=place,
            root=root,
            other=place / root.relative_to(top),
            project=project,
            other_project=place / project.relative_to(top),
        )
        try:
            _bring_scenarios(trees, revision, str(root.relative_to(top)))
            yield trees
        finally:
            _git(root, "worktree", "remove", "--force", str(place))


def _project_of(root: Path, top: Path) -> Path:
    """Return the nearest folder, up to the repository's, that says what it requires."""
    for folder in (root, *root.parents):
        if folder == top or any((folder / name).exists() for name in (PROJECT, PINS, "setup.py")):
            return folder
    return top


def _bring_scenarios(trees: Trees, revision: str, name: str) -> None:
    if trees.other.exists():
        return
    if trees.other_project.exists():
        shutil.copytree(trees.root, trees.other, ignore=_NOT_MEASURED)
        said = f"{revision} has no {name}: its code is measured by the {name} of this tree"
    else:
        trees.other.mkdir(parents=True)
        said = f"{revision} has no {name}: all that is in it is new"
    click.echo(f"memcurve: {said}", err=True)


def _add_worktree(root: Path, place: Path, revision: str) -> None:
    known = _asks(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if known is None:
        advice = "name a revision"
        if _asks(root, "rev-parse", "--verify", "--quiet", f"origin/{revision}^{{commit}}"):
            advice = f"name origin/{revision}, which is there"
        elif _asks(root, "rev-parse", "--is-shallow-repository") == "true":
            advice = (
                "this clone is shallow: git fetch --unshallow origin, or fetch-depth: 0 in "
                "actions/checkout, GIT_DEPTH: 0 in GitLab"
            )
        raise MeasureError(f"there is no revision {revision!r} here; {advice}")
    _git(root, "worktree", "add", "--detach", "--force", str(place), revision)


def _asks(root: Path, *arguments: str) -> str | None:
    """Return git's answer; None where it has none."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        reason = done.stderr.strip().splitlines()[-1:] or ["git failed"]
        raise MeasureError(f"git {arguments[0]} {arguments[-1]}: {reason[0]}; name a revision")
    return done.stdout.strip()


@contextlib.contextmanager
def interpreter(trees: Trees) -> Iterator[str]:
    """Give the interpreter for the other revision: this one where it requires the same.

    Else a virtual environment is made for it, which takes the network and minutes. Raises
    MeasureError where that fails.
    """
    here, there = trees.project, trees.other_project
    locks = [name for name in LOCKS if _bytes(here / name) != _bytes(there / name)]
    if requirements(here) == requirements(there):
        if locks:
            click.echo(
                f"memcurve: {', '.join(locks)} differs, which pip does not install from: both "
                "revisions run with the packages that are installed here",
                err=True,
            )
        yield sys.executable
        return
    names = ", ".join(differing(here, there))
    click.echo(f"memcurve: it requires other versions ({names}); installing those …", err=True)
    with tempfile.TemporaryDirectory(prefix="against-", dir=scratch()) as folder:
        python = str(Path(folder) / "venv" / "bin" / "python")
        pip = [python, "-m", "pip", "install", "-q"]
        pip += ["-c", PINS] if (there / PINS).exists() else []
        steps = [[sys.executable, "-m", "venv", str(Path(folder) / "venv")]]
        steps += [[*pip, "-r", name] for name in LISTS if (there / name).exists()]
        if any((there / name).exists() for name in (PROJECT, "setup.py")):
            steps.append([*pip, "-e", _with_extras(there)])
        for step in steps:
            done = subprocess.run(step, cwd=there, capture_output=True, text=True)
            if done.returncode != 0:
                last = (done.stderr.strip().splitlines() or ["no message"])[-1]
                raise MeasureError(f"the other revision cannot be installed: {last}")
        yield python


def requirements(root: Path) -> tuple[bytes, Any, Any]:
    """Return what a tree asks to have installed: its pins and its project's dependencies."""
    project = root / PROJECT
    table = tomllib.loads(project.read_text()).get("project", {}) if project.exists() else {}
    asked, extras = table.get("dependencies"), table.get("optional-dependencies")
    return b"".join(_bytes(root / name) for name in (PINS, *LISTS)), asked, extras


def differing(here: Path, there: Path) -> list[str]:
    """Return the files in which two trees require something else."""
    pins = [name for name in (PINS, *LISTS) if _bytes(here / name) != _bytes(there / name)]
    same = requirements(here)[1:] == requirements(there)[1:]
    return pins if same else [*pins, PROJECT]


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _with_extras(root: Path) -> str:
    extras = requirements(root)[2] or {}
    return f".[{','.join(extras)}]" if extras else "."


def moved(one: Scenario, trees: Trees) -> Scenario:
    """Return the scenario with targets that are imported from the other revision."""

    project = trees.other_project
    own = tuple(dict.fromkeys(map(str, (trees.other, project, project / "src"))))

    def place(target: Target) -> Target:
        def text(given: str | None) -> str | None:
            if given is None or given == str(trees.top):
                return given and str(trees.tree)
            return given.replace(f"{trees.top}{os.sep}", f"{trees.tree}{os.sep}")

        kept = tuple(path for path in map(text, target.paths) if path and path not in own)
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
