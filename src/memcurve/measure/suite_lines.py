"""Find the lines that add to a container with a name, by reading the program's own source.

Nothing is traced and nothing runs again: a survey sees a test once. So it is told what the source
says: which lines add to that name. Where several do, all of them are named, in the order of the
files; which one it was, a measurement tells.
"""

import ast
import functools
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path

from memcurve.measure.worker import labels
from memcurve.measure.worker.chain import Root

ADDING = frozenset(
    (
        "__setitem__",
        "add",
        "append",
        "appendleft",
        "extend",
        "extendleft",
        "insert",
        "setdefault",
        "update",
    )
)
MOST_LINES = 3
"""Lines that are told of one container: from the fourth on they no longer say where."""


def adding_lines(root: Root) -> tuple[str, ...]:
    """Return the ``file:line`` that add to the container below a module global or a class.

    Empty where the name is not known, or its source cannot be read. Costs the reading and parsing
    of the program's modules in which the name occurs, each once a process.
    """
    if root.kind not in ("module global", "class attribute") or not root.steps:
        return ()
    module, name = _owner_of(root.steps[0][0])
    if module is None:
        return ()
    attributes = [label for label, _ in root.steps[1:] if label.startswith(".")]
    found: list[str] = []
    for other in _modules(module):
        lines = _lines(other, module, name, attributes[-1][1:] if attributes else "")
        found.extend(f"{_relative(str(other.__file__))}:{line}" for line in sorted(set(lines)))
    return tuple(found[:MOST_LINES])


def _owner_of(path: str) -> tuple[types.ModuleType | None, str]:
    """Return the module of ``package.module.Class.name``, and the last name."""
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        module = sys.modules.get(".".join(parts[:end]))
        if isinstance(module, types.ModuleType):
            return module, parts[-1]
    return None, ""


def _modules(first: types.ModuleType) -> Iterator[types.ModuleType]:
    """Yield the module itself, and those of the program that may know it by a name."""
    yield first
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None) if type(module) is types.ModuleType else None
        if module is not first and type(file) is str and _is_program(file):
            yield module


def _is_program(file: str) -> bool:
    installed = f"{os.sep}site-packages{os.sep}" in file or f"{os.sep}dist-packages{os.sep}" in file
    return file.endswith(".py") and not installed and not labels.is_stdlib(file)


def _lines(
    module: types.ModuleType, owner: types.ModuleType, name: str, attribute: str
) -> Iterator[int]:
    file = getattr(module, "__file__", None)
    wanted = attribute or name
    if type(file) is not str or wanted not in _source(file):
        return
    if attribute:
        names: set[str] = set()
    elif module is owner:
        names = {name}
    else:
        thing = vars(owner).get(name)
        names = {key for key, value in list(vars(module).items()) if value is thing is not None}
    for node, target in _additions(file):
        if isinstance(target, ast.Attribute):
            if target.attr == wanted and (attribute or _leads_to(target.value, module, owner)):
                yield node
        elif isinstance(target, ast.Name) and target.id in names:
            yield node


def _leads_to(value: ast.expr, module: types.ModuleType, owner: types.ModuleType) -> bool:
    """Say whether ``value.NAME`` may be the owner's: by the module, its class, or an instance."""
    last = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    if module is owner:
        return True
    known = vars(module).get(last)
    return known is owner or getattr(known, "__module__", None) == owner.__name__


@functools.lru_cache(256)
def _source(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


@functools.lru_cache(64)
def _additions(file: str) -> tuple[tuple[int, ast.expr], ...]:
    """Return (line, what is added to) of each place of a file that adds to a container."""
    try:
        tree = ast.parse(_source(file))
    except (SyntaxError, ValueError, RecursionError):
        return ()
    return tuple(_added(tree))


def _added(tree: ast.AST) -> Iterator[tuple[int, ast.expr]]:
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=target, ctx=ast.Store()):
                yield node.lineno, target
            case ast.Call(func=ast.Attribute(value=target, attr=method)) if method in ADDING:
                yield node.lineno, target
            case ast.AugAssign(target=(ast.Name() | ast.Attribute()) as target):
                yield node.lineno, target


def _relative(file: str) -> str:
    here = os.getcwd() + os.sep  # noqa: PTH109 - a text is compared, no path is built
    return file.removeprefix(here)
