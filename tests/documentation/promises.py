"""Check what is shown but not run: commands, options, targets of make, extras and links exist."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click

from memcurve.cli.app import main
from tests.documentation.blocks import Block, commands_of

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = {"memcurve": ROOT, "ragpool": ROOT / "packages" / "ragpool"}
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")
_TARGET = re.compile(r"`make ([a-z-]+)")
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def broken_promises(block: Block) -> Iterator[str]:
    """Yield what a shell block names and this repository does not have."""
    for command in commands_of(block):
        for line in command.text.replace("\\\n", " ").splitlines():
            words = _words(line)
            if words[:1] == ["make"]:
                yield from _missing_targets(words[1:])
            elif words[:1] == ["memcurve"]:
                yield from _unknown_options(words[1:])
            elif "install" in words:
                yield from _missing_extras(words)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line, comments=True)
    except ValueError:  # a quotation that goes on in the next line
        return line.split()


def _missing_targets(words: list[str]) -> Iterator[str]:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    yield from (f"no target {word!r}" for word in words if "=" not in word and word not in targets)


def missing_targets(path: Path) -> list[str]:
    """Return the targets of make that the sentences of a page name and that do not exist."""
    return list(_missing_targets(_TARGET.findall(_FENCED.sub("", path.read_text()))))


def _unknown_options(words: list[str]) -> Iterator[str]:
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        if name not in command.commands:
            yield f"memcurve has no command {name!r}"
            return
        command = command.commands[name]
    known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)}
    known |= {"-h", "--help"}
    for word in words:
        if word.startswith("-") and word.split("=")[0] not in known:
            yield f"memcurve {command.name} has no option {word!r}"


def _missing_extras(words: list[str]) -> Iterator[str]:
    for name, named in re.findall(r"(\w+)\[([a-z,]+)\]", " ".join(words)):
        if name in PROJECTS:
            project = tomllib.loads((PROJECTS[name] / "pyproject.toml").read_text())["project"]
            missing = sorted({*named.split(",")} - {*project["optional-dependencies"]})
            yield from (f"{name} has no extra {extra!r}" for extra in missing)


def broken_links(path: Path) -> Iterator[str]:
    """Yield the relative links of a page that lead nowhere."""
    for target in _LINK.findall(_FENCED.sub("", path.read_text())):
        elsewhere = "://" in target or target.startswith("mailto:")
        if not elsewhere and not (path.parent / target).exists():
            yield target
