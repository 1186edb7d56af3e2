"""What is built installs alone, in a clean environment, and works there.

Slow: it builds both archives and asks the package index for click, msgspec and rich. Leave it out
with ``-m "not slow"``.
"""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the source archive, and the wheel that was built from it."""
    place = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--outdir", str(place), str(ROOT))
    return place


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of a new environment that the wheel alone was installed into."""
    place = tmp_path_factory.mktemp("clean")
    venv.create(place, with_pip=True)
    (wheel,) = built.glob("*.whl")
    constraints = str(ROOT / "constraints.txt")
    run(str(place / "bin" / "pip"), "install", "--quiet", "-c", constraints, str(wheel))
    return place / "bin"


def run(*command: str, exit_code: int = 0, folder: Path | None = None) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_"))}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=clean, timeout=300
    )
    assert done.returncode == exit_code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_holds_worker_templates_and_types_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = {
        str(path.relative_to(ROOT / "src"))
        for package in ("memcurve", "ragpool")
        for path in (ROOT / "src" / package).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".actual")
    }
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert {"memcurve/py.typed", "ragpool/py.typed"} <= names
    assert "memcurve/report/templates/index.html" in names
    assert "memcurve/measure/worker/main.py" in names


def test_the_source_archive_leaves_out_what_is_generated(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = [name.partition("/")[2] for name in opened.getnames()]
    assert {"src/memcurve/cli.py", "Makefile", "constraints.txt", "docs/design.md"} <= set(names)
    kept = ("reports/baselines/", "reports/gallery/", "reports/README.md")
    strange = (".venv", ".git/", ".mypy", "__pycache__", ".benchmarks", "reports/")
    assert [n for n in names if any(s in n for s in strange) and not n.startswith(kept)] == []


def test_the_wheel_alone_needs_few_packages_that_agree(installed: Path) -> None:
    run(str(installed / "pip"), "check")
    names = {line.split("==")[0].lower() for line in run(str(installed / "pip"), "freeze").split()}
    names -= {"@", "file", "setuptools"}
    found = {name for name in names if "/" not in name}
    assert found <= {"memcurve", "click", "msgspec", "rich", "markdown-it-py", "mdurl", "pygments"}


def test_the_installed_command_finds_a_leak_and_acquits_a_clean_function(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "jobs.py").write_text(
        "kept = []\ndef leak():\n    kept.append(bytes(1000))\ndef clean():\n    bytes(1000)\n"
    )
    memcurve = str(installed / "memcurve")
    command = (memcurve, "check", "jobs.py:leak", "--budget", "120")
    text = run(*command, exit_code=1, folder=tmp_path)
    assert text.startswith("growing: live bytes grow by 1.0")
    assert "jobs.kept" in text
    module = (str(installed / "python"), "-m", "memcurve", "check", "jobs.py:clean")
    assert run(*module, folder=tmp_path).startswith("flat:")


def test_both_packages_import_without_their_extras(installed: Path, tmp_path: Path) -> None:
    script = "import memcurve, ragpool; print(*dir(memcurve), *dir(ragpool))"
    names = run(str(installed / "python"), "-c", script, folder=tmp_path).split()
    assert {"check", "watch", "LLMPool", "create_app"} <= set(names)


def test_scenarios_run_without_the_extra_and_what_is_missing_is_said(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "jobs.py").write_text("def clean():\n    pass\n")
    (tmp_path / "scenarios.py").write_text(
        "from memcurve import scenario\none = scenario('one', {'it': 'jobs.py:clean'}, calls=20)\n"
    )
    command = ("run", "scenarios.py", "-q", "--quick")
    assert "reports: reports/summary.json" in run(
        str(installed / "memcurve"), *command, folder=tmp_path
    )
    assert "is flat: ≤ 1 B a call proved" in (tmp_path / "reports" / "summary.md").read_text()


def test_the_command_completes_for_a_shell(installed: Path) -> None:
    completing = {"_MEMCURVE_COMPLETE": "bash_source"}
    done = subprocess.run(
        [str(installed / "memcurve")], capture_output=True, text=True, env=os.environ | completing
    )
    assert "complete" in done.stdout
    assert "memcurve" in done.stdout
