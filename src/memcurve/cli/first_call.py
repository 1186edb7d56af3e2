"""Find the call that the first files measure, without running any of it.

A file that lies in packages is imported by its dotted name from the folder above the outermost,
as its own imports expect; the files that are written put that folder on the path themselves, so
they work whether the project is installed or not.
"""

import ast
from pathlib import Path

import msgspec

from memcurve.cli.targets import callables, file_of, parsed, whole_target
from memcurve.model.errors import TargetError

EXAMPLE = Path("bench/scenarios/_calls.py")


class FirstCall(msgspec.Struct, frozen=True, kw_only=True):
    """A function by module and name; `root`, below the project, is what its import needs."""

    module: str
    function: str
    root: Path | None
    numbered: bool
    asynchronous: bool

    @property
    def target(self) -> str:
        """Return the function as targets are named."""
        return f"{self.module}:{self.function}"

    @property
    def name(self) -> str:
        """Return what its scenario is called: names of files that begin with _ are passed over."""
        return self.function.strip("_")


def example_call() -> FirstCall:
    """Return the call of the example, which is written where no target is given."""
    return FirstCall(
        module=EXAMPLE.stem,
        function="one_call",
        root=EXAMPLE.parent,
        numbered=True,
        asynchronous=False,
    )


def call_of(text: str) -> FirstCall:
    """Return what a target names; raises TargetError for all but a function that takes a number."""
    place, _, function = whole_target(text, is_module=False, main=False).rpartition(":")
    file = file_of(place)
    if file is None:
        raise TargetError(f"no module {place!r} with a file (looked from {Path.cwd()})")
    tree = parsed(file)
    needed = dict(callables(tree)).get(function)
    if needed is None:
        there = ", ".join(name for name, _ in callables(tree)) or "none"
        raise TargetError(f"{place} has no function {function!r}; there are: {there}")
    if needed > 1:
        raise TargetError(
            f"{text} needs more than the number of the call; wrap it into a function of the "
            f"project that makes one call, and name that: memcurve init {place}:NAME"
        )
    module, root = _imported(file, place)
    return FirstCall(
        module=module,
        function=function,
        root=root,
        numbered=needed == 1,
        asynchronous=_is_asynchronous(tree, function),
    )


def _imported(file: Path, place: str) -> tuple[str, Path | None]:
    """Return the dotted name of a file and the folder to import it from; None: it is installed."""
    from memcurve.run.discovery import project_root

    here, whole = Path.cwd().resolve(), file.resolve()
    if not whole.is_relative_to(here) or "site-packages" in whole.parts:
        if place.endswith(".py"):
            raise TargetError(f"{place} is outside this project; start from the project's folder")
        return place, None
    root = project_root(whole)
    parts = whole.relative_to(root).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__"), root.relative_to(here)


def _is_asynchronous(tree: ast.Module, function: str) -> bool:
    """Tell whether the last definition of a name, which is the one that holds, is `async`."""
    kinds = [type(node) for node in tree.body if getattr(node, "name", "") == function]
    return kinds[-1] is ast.AsyncFunctionDef
