"""The house: what loads what, and what the worker may rest on."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
WORKER = SOURCE / "memcurve" / "measure" / "worker"
HEAVY = (
    "click",
    "fastapi",
    "jinja2",
    "matplotlib",
    "memray",
    "numpy",
    "objgraph",
    "psutil",
    "pytest",
    "rich",
)
# read inside functions, where the interpreter that is measured has them
OPTIONAL = {"memray", "objgraph", "psutil"}


def loaded_by(statement: str) -> set[str]:
    """Return the names of the modules in a fresh interpreter after one statement."""
    program = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def worker_files() -> list[Path]:
    found = sorted(WORKER.glob("*.py"))
    assert found
    return found


def imports(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Yield (top-level name, whether it is imported with the module) of absolute imports."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [str(node.module)]
        else:
            continue
        yield from ((name.partition(".")[0], id(node) not in inside) for name in names)


def test_importing_memcurve_loads_nothing_heavy() -> None:
    assert not loaded_by("import memcurve").intersection(HEAVY)


def test_the_list_of_loaded_modules_would_show_a_heavy_one() -> None:
    assert "click" in loaded_by("import memcurve.cli")


def test_the_command_line_starts_without_what_only_reports_need() -> None:
    loaded = loaded_by("import memcurve.cli")
    assert not loaded.intersection({"matplotlib", "jinja2", "memray", "numpy", "pytest"})


@pytest.mark.parametrize("path", worker_files(), ids=lambda path: path.name)
def test_the_worker_parses_as_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 8))


@pytest.mark.parametrize("path", worker_files(), ids=lambda path: path.name)
def test_the_worker_rests_on_the_standard_library(path: Path) -> None:
    for name, with_module in imports(ast.parse(path.read_text())):
        known = sys.stdlib_module_names if with_module else {*sys.stdlib_module_names, *OPTIONAL}
        assert name in known, f"{path.name} imports {name}"


def test_an_import_of_something_else_in_the_worker_would_be_seen() -> None:
    tree = ast.parse("import msgspec\ndef read():\n    import psutil\n")
    assert list(imports(tree)) == [("msgspec", True), ("psutil", False)]
