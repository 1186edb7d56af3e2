"""The house: what loads what, and what the worker may rest on."""

import ast
import re
import subprocess
import sys
import tomllib
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
PAGE = (SOURCE.parent / "docs" / "architecture.md").read_text()
PLACE = re.compile(r"\b((?:cli|run|report|measure|judge|explain|model)/\w+)\.(\w+)")


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
    assert "click" in loaded_by("import memcurve.cli.app")


def test_the_command_line_starts_without_what_only_reports_need() -> None:
    loaded = loaded_by("import memcurve.cli.app")
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


def test_the_picture_of_the_house_is_the_listing_of_the_folder() -> None:
    picture = PAGE.partition("```text\n")[2].partition("```")[0]
    drawn = [word for line in picture.splitlines() for word in line[:50].split()]
    table = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    folders = [path.name for path in (SOURCE / "memcurve").iterdir() if path.is_dir()]
    listing = sorted(set(folders) - {"__pycache__"})
    assert sorted(drawn) == listing
    assert sorted(table) == listing


def test_the_floors_of_the_picture_are_those_that_imports_are_held_to() -> None:
    picture = PAGE.partition("```text\n")[2].partition("```")[0]
    floors = [set(line[:50].split()) for line in picture.splitlines()]
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one.get("containers") == ["memcurve"])
    assert floors == [set(layer.split(" | ")) for layer in layers if layer != "__main__"]


def test_every_place_on_the_way_of_a_check_exists() -> None:
    named = PLACE.findall(PAGE)
    assert len(named) > 10
    for place, name in named:
        tree = ast.parse((SOURCE / "memcurve" / f"{place}.py").read_text())
        known = {node.name for node in ast.walk(tree) if hasattr(node, "name")}
        assert name in known | {"py"}, f"{place}.{name}"
