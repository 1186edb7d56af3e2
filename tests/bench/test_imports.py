"""What the benchmark takes from the two packages exists, also where a function imports it."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
OURS = ("memcurve", "ragpool")


def taken(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name) of each import from one of the two packages."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] in OURS:
            yield from ((str(node.module), alias.name) for alias in node.names)


def missing(tree: ast.AST) -> list[str]:
    return [f"{module}.{name}" for module, name in taken(tree) if not _is_there(module, name)]


def _is_there(module: str, name: str) -> bool:
    if hasattr(import_module(module), name):
        return True
    try:
        import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return False
    return True


@pytest.mark.parametrize("path", sorted(BENCH.rglob("*.py")), ids=lambda path: path.stem)
def test_what_a_file_of_the_benchmark_imports_exists(path: Path) -> None:
    assert missing(ast.parse(path.read_text())) == []


def test_a_name_that_moved_would_be_seen_inside_a_function_too() -> None:
    tree = ast.parse("def f():\n    from memcurve.compare.usage import spent, used\n")
    assert missing(tree) == ["memcurve.compare.usage.spent"]
