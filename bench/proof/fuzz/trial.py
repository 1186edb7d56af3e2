"""Put one spoiled file in the place of a sound one, and look at what the commands make of it."""

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from click.testing import CliRunner

from memcurve.cli.app import main

MOST_S = 20.0
"""Seconds of CPU. A command of these takes a tenth of one; a hundred times that is a hang."""
COMMANDS = (("compare",), ("compare", "--json"), ("compare", "--with", "other"), ("report",))
MERGE = ("merge", "shard", "--scenarios", "scenarios.py", "--out", "merged")
CODES = (0, 1, 2, 3)

SCENARIOS = """
import memcurve
suite = memcurve.scenario(
    "suite", {"clean": "jobs.py:clean", "leaks": "jobs.py:leaks"}, calls=30, may_grow=("leaks",),
)
"""
JOBS = """
KEPT = []
def clean(number): pass
def leaks(number): KEPT.append([number] * 9)
"""
KNOWN = """
[[leak]]
fingerprint = "0123456789abcdef"
reason = "the cache is new"
link = "https://example.org/1"
expires = 2099-01-01
"""


class WrongEndError(AssertionError):
    """A command did not end as it may."""


class Place:
    """A folder with a run, its accepted curves, and its acknowledged leaks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "scenarios.py").write_text(SCENARIOS)
        (folder / "jobs.py").write_text(JOBS)
        (folder / "known-leaks.toml").write_text(KNOWN)
        with self._inside():
            for arguments in (
                ("run", "scenarios.py", "-q", "--full", "--out", "other"),
                ("run", "scenarios.py", "-q", "--full"),
                ("run", "scenarios.py", "-q", "--quick", "--shard", "1/1", "--out", "shard"),
                ("accept", "scenarios.py", "-q", "--reason", "the first ones"),
            ):
                done = CliRunner().invoke(main, list(arguments))
                if done.exit_code != 0:
                    raise WrongEndError(f"{arguments}: {done.output}")
        kinds = ("recordings", "findings", "baselines")
        found = [path for kind in kinds for path in folder.glob(f"reports/{kind}/**/*.json")]
        found += [*folder.glob("*.toml"), *folder.glob("shard/share.json")]
        self.files = {str(path.relative_to(folder)): path.read_bytes() for path in sorted(found)}

    def try_one(self, name: str, data: bytes, commands: Sequence[Sequence[str]]) -> None:
        """Run commands with a spoiled file; WrongEndError: a wrong end."""
        path = self.folder / name
        path.write_bytes(data)
        try:
            with self._inside():
                for command in commands:
                    _look(command, path.name)
        finally:
            path.write_bytes(self.files[name])

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            yield
        finally:
            os.chdir(before)


def _look(command: Sequence[str], name: str) -> None:
    began = time.process_time()  # a busy machine is no hang
    done = CliRunner().invoke(main, list(command))
    took_s = time.process_time() - began
    said = [line for line in done.stderr.splitlines() if line.startswith("memcurve: ")]
    if "a fault of memcurve itself" in done.stderr or "Traceback" in done.output:
        raise WrongEndError(f"{command}: {done.output}")
    if done.exit_code not in CODES:
        raise WrongEndError(f"{command} ended with {done.exit_code}: {done.output}")
    if done.exit_code == 2 and not (said and len(said[-1]) < 2000):
        raise WrongEndError(f"{command} ended with 2 and no line: {done.output[:500]}")
    if took_s > MOST_S:
        raise WrongEndError(f"{command} took {took_s:.0f} s")
