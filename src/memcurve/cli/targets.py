"""Tell what in a file or module can be checked, without running any of it."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

from memcurve.model.errors import TargetError

MOST_LISTED = 20
NEVER = 99  # arguments of a function that needs a keyword: no call's number can be that


def whole_target(text: str, *, is_module: bool, main: bool) -> str:
    """Return a target that names a function; `main` chooses the file's own function of that name.

    Raises TargetError for a file or module that names no function: it lists those that can be
    checked, with the command for the first. Runs nothing of the file.
    """
    place = None if ":" in text else file_of(text, is_module=is_module)
    if place is None:
        if main:
            raise TargetError(f"--main takes a file or a module, and {text!r} is neither")
        return text
    tree = parsed(place)
    if main:
        return f"{text}:{_main_of(tree, text)}"
    raise TargetError(_listed(text, list(callables(tree))))


def file_of(text: str, *, is_module: bool = False) -> Path | None:
    """Return the file that a path or the name of a module means, None where there is none."""
    if not is_module and (text.endswith(".py") or "/" in text):
        if not Path(text).is_file():
            raise TargetError(f"no such file: {text!r} (looked in {Path.cwd()})")
        return Path(text)
    if not all(part.isidentifier() for part in text.split(".")):
        return None
    found = _spec_of(text)
    if found is None or found.origin is None or not found.origin.endswith(".py"):
        if is_module:
            raise TargetError(f"no module {text!r} with a file (looked from {Path.cwd()})")
        return None
    return Path(found.origin)


def _spec_of(module: str) -> ModuleSpec | None:
    """Find a module from this folder, as the target will; loads the packages above it."""
    before, sys.path = sys.path, [str(Path.cwd()), *sys.path]
    try:
        return importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    finally:
        sys.path = before


def parsed(place: Path) -> ast.Module:
    try:
        return ast.parse(place.read_bytes(), str(place))
    except (SyntaxError, ValueError) as error:
        raise TargetError(f"{place} cannot be read as Python: {error}") from error


def _main_of(tree: ast.Module, text: str) -> str:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == "main":
            return "main"
    raise TargetError(
        f"{text} has no function main to call again and again; put what it runs "
        'below `if __name__ == "__main__":` into one'
    )


def callables(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield (name, arguments that a call must give) of the public functions of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node.name, _required(node)


def _required(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    spec = node.args
    if None in spec.kw_defaults:
        return NEVER
    return len(spec.posonlyargs) + len(spec.args) - len(spec.defaults)


def _listed(text: str, found: list[tuple[str, int]]) -> str:
    """Return what can be checked: functions of no argument, or of one, which is the number."""
    ready = [name for name, count in found if count <= 1]
    if not ready:
        others = ", ".join(name for name, _ in found[:MOST_LISTED])
        has = f"its functions {others} need arguments" if others else "it has no function"
        return (
            f"{text} names no function, and {has}: write one that makes one call, "
            f"and check it: memcurve check {text}:NAME"
        )
    shown = "".join(f"\n  {text}:{name}" for name in ready[:MOST_LISTED])
    more = f"\n  and {len(ready) - MOST_LISTED} more" if len(ready) > MOST_LISTED else ""
    wrap = [name for name, count in found if count > 1]
    needs = f"\nmore arguments than the call's number: {', '.join(wrap)}" if wrap else ""
    return (
        f"{text} names no function; what can be checked in it:{shown}{more}{needs}\n"
        f"next: memcurve check {text}:{ready[0]}"
    )
