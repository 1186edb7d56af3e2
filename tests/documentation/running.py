"""Run the blocks of a page as a reader would: files are written, commands run in their folder."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.documentation.blocks import Block, Command, commands_of

HOME = "/home/you/shop"
"""What pages call the folder that they run in."""

QUIET = {
    "NO_COLOR": "1",
    "COLUMNS": "100",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONWARNINGS": "ignore::DeprecationWarning",  # of plugins that the reader may not have
}

_DRIVER = """
import json, sys
namespace = {"__name__": "__main__"}
for place, source in json.load(open(sys.argv[1])):
    exec(compile(source, place, "exec"), namespace)
"""
_LIBRARIES = re.compile(r"/\S*/(?:site|dist)-packages/")
_QUANTITY = re.compile(r"-?\d[\d,.]*(?: (?:B|[KMG]iB|µs|ms|s|min)\b|s\b)?")
_MARK = re.compile(r"\b[0-9a-f]{12}\b")
_RULE = re.compile(r"[=_-]{3,}")
_PROGRESS = re.compile(r"^[a-z]+: call [\d,]+, .*\n", re.MULTILINE)
"""What is said every five seconds: of a command of four seconds, on a busy machine alone."""
_GAP = re.compile(r"(?<=\S) {3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where one page runs, and with which addresses in the place of those that it names."""

    path: Path
    addresses: dict[str, str]
    environment: dict[str, str]
    timeout_s: float = 300.0

    def run(self, arguments: list[str], *, shell: bool = False) -> tuple[int, str]:
        """Return the exit code of a command and all that it printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", *arguments] if shell else arguments,
            cwd=self.path,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=self.timeout_s,
        )
        return done.returncode, done.stdout

    def _environment(self) -> dict[str, str]:
        hidden = ("PYTEST_", "COV_")
        own = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
        path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
        return own | {"PATH": path} | QUIET | self.environment

    def write(self, block: Block) -> None:
        place = self.path / block.title
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(self.placed(block.body))

    def placed(self, text: str) -> str:
        for named, real in self.addresses.items():
            text = text.replace(named, real)
        return text


def run_commands(folder: Folder, block: Block) -> None:
    """Run the commands of a block; the last must end as the page says, the others well."""
    commands = commands_of(block)
    for number, command in enumerate(commands, 1):
        code, output = folder.run([folder.placed(command.text)], shell=True)
        wanted = block.exit_code if number == len(commands) else 0
        assert code == wanted, f"{block.place}: exit {code} of: {command.text}\n{output}"
        printed = _PROGRESS.sub("", output).replace(str(folder.path), HOME)
        missing = first_difference(command, printed)
        assert missing is None, f"{block.place}: {missing}\nprinted:\n{output}"


def run_python(folder: Folder, blocks: list[Block]) -> None:
    """Run the Python blocks of a page one after another, with names that they share."""
    sources = [(block.place, folder.placed(block.body)) for block in blocks]
    script, data = folder.path / "_blocks.py", folder.path / "_blocks.json"
    script.write_text(_DRIVER)
    data.write_text(json.dumps(sources))
    code, output = folder.run([sys.executable, str(script), str(data)])
    assert code == 0, output


def first_difference(command: Command, output: str) -> str | None:
    """Return what a command was said to print and did not.

    A line ``...`` stands for any lines, `…` within a line for any text. Quantities may differ,
    words may not: a page shows a run of another day.
    """
    actual = iter(plain(output))
    gap = False
    for line in command.printed:
        if line.strip() == "...":
            gap = True
            continue
        if (seen := _next(actual, plain_line(line), gap)) is not None:
            return f"{command.text!r} should print {line!r}, not {seen!r}"
        gap = False
    rest = next((line for line in actual if line), None)
    return None if gap or rest is None else f"{command.text!r} also prints {rest!r}"


def _next(actual: Iterator[str], wanted: str, gap: bool) -> str | None:
    seen = "nothing more"
    pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
    for seen in actual:
        if pattern.fullmatch(seen):
            return None
        if not gap:
            return seen
    return seen


def plain(text: str) -> list[str]:
    return [plain_line(line) for line in text.rstrip().splitlines()]


def plain_line(line: str) -> str:
    """Return a line without what differs from run to run and from machine to machine."""
    line = _LIBRARIES.sub("", line.rstrip())
    line = _MARK.sub("MARK", line)
    return _GAP.sub("  ", _RULE.sub("---", _QUANTITY.sub("#", line)))
