"""Find scenarios in files and folders, and choose among them by name.

A scenario file is an ordinary Python file with `memcurve.scenario(…)` values at its top level. It
is imported in the parent, so it should name its targets, not import them.
"""

import ast
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import msgspec

from memcurve.model.errors import ScenarioError
from memcurve.model.scenario import Scenario, Target
from memcurve.model.text import printable

DEFAULT_FOLDER = Path("bench/scenarios")


def discover(paths: Sequence[Path] = ()) -> list[Scenario]:
    """Return the scenarios of all files, in order; folders are searched for ``*.py``.

    Without paths it looks in `DEFAULT_FOLDER`. Raises ScenarioError for a path that is not there,
    a file that cannot be imported, two scenarios of one name, or none at all.
    """
    places = list(paths) or [DEFAULT_FOLDER]
    found: dict[str, Scenario] = {}
    for file in [file for place in places for file in _files(place)]:
        for one in _scenarios(file):
            if one.name in found:
                raise ScenarioError(f"scenario {one.name!r} is there twice; rename that in {file}")
            found[one.name] = one
    if not found:
        names = ", ".join(map(str, places))
        raise ScenarioError(f"no scenarios in {names}; assign memcurve.scenario(…) to a name there")
    return list(found.values())


def _files(place: Path) -> Iterable[Path]:
    if place.is_dir():
        return sorted(file for file in place.glob("*.py") if not file.name.startswith("_"))
    if not place.is_file():
        raise ScenarioError(f"no such file or folder: {str(place)!r}; name a scenario file")
    return [place]


def _scenarios(file: Path) -> list[Scenario]:
    root = project_root(file)
    module = _import(file.resolve(), root)
    values = [value for value in vars(module).values() if isinstance(value, Scenario)]
    return [_placed(one, file.resolve().parent, root) for one in values]


def project_root(file: Path) -> Path:
    """Return the folder above the outermost package that holds `file`, or its own folder."""
    folder = file.resolve().parent
    while (folder / "__init__.py").exists():
        folder = folder.parent
    return folder


def _import(file: Path, root: Path) -> ModuleType:
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    dotted = ".".join(file.relative_to(root).with_suffix("").parts)
    try:
        if "." in dotted:
            return importlib.import_module(dotted)
        spec = importlib.util.spec_from_file_location(f"_memcurve_scenarios_{dotted}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (ScenarioError, KeyboardInterrupt):
        raise
    except (SystemExit, GeneratorExit) as error:
        raise ScenarioError(
            f"{file.name} ended the process ({_said(error)}); put what it runs as a script "
            'below `if __name__ == "__main__":`'
        ) from error
    except Exception as error:
        reason = _said(error)
        raise ScenarioError(f"{file.name} cannot be imported: {reason}; correct it") from error
    return module


def _said(error: BaseException) -> str:
    """Return an exception in one printable line, whatever its own words do."""
    try:
        words = printable(str(error))
    except Exception:
        words = "its message cannot be read"
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _placed(one: Scenario, folder: Path, root: Path) -> Scenario:
    """Make targets independent of the current folder."""

    def absolute(text: str | None) -> str | None:
        place, _, attribute = (text or "").rpartition(":")
        return f"{os.path.normpath(folder / place)}:{attribute}" if place.endswith(".py") else text

    def place(target: Target) -> Target:
        return msgspec.structs.replace(
            target,
            call=absolute(target.call) or "",
            setup=absolute(target.setup),
            teardown=absolute(target.teardown),
            inputs=str(folder / target.inputs) if target.inputs else None,
            paths=(*target.paths, str(root)),
        )

    designs = {name: place(target) for name, target in one.designs.items()}
    return msgspec.structs.replace(one, designs=designs)


def select(scenarios: Sequence[Scenario], expression: str | None) -> list[Scenario]:
    """Keep the designs whose ``scenario/design`` matches, and the scenarios that still have any.

    An expression joins parts of names by ``and``, ``or``, ``not`` and parentheses, as in pytest.
    Raises ScenarioError for one that cannot be read or matches nothing.
    """
    if not expression:
        return list(scenarios)
    wanted = _parse(expression)
    kept = []
    for one in scenarios:
        names = [name for name in one.designs if _holds(wanted, f"{one.name}/{name}".lower())]
        if names:
            kept.append(only(one, names))
    if not kept:
        known = ", ".join(one.name for one in scenarios)
        raise ScenarioError(f"-k {expression!r} matches nothing; there are {known}")
    return kept


def only(one: Scenario, designs: Sequence[str]) -> Scenario:
    """Return a scenario with some of its designs, and the leads that are still between them."""
    return msgspec.structs.replace(
        one,
        designs={name: target for name, target in one.designs.items() if name in designs},
        leads=tuple(lead for lead in one.leads if {lead.design, lead.over} <= set(designs)),
    )


def _parse(expression: str) -> ast.expr:
    # names may hold characters that Python's may not: each word becomes a string
    words = re.sub(
        r"[^\s()]+",
        lambda m: m[0] if m[0].lower() in ("and", "or", "not") else repr(m[0].lower()),
        expression,
    )
    try:
        return ast.parse(words, mode="eval").body
    except SyntaxError as error:
        raise ScenarioError(
            f"-k {expression!r} cannot be read; join parts of names by and, or, not"
        ) from error


def _holds(node: ast.expr, name: str) -> bool:
    match node:
        case ast.Constant(value=str(part)):
            return part in name
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _holds(operand, name)
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_holds(value, name) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_holds(value, name) for value in values)
    raise ScenarioError("-k takes parts of names, and, or, not and parentheses")
