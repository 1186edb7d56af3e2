"""Each distribution builds, installs alone into a clean environment, and works there.

Slow: it builds all four archives and asks the package index for what they need. Leave it out with
``-m "not slow"``.
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
FOLDERS = {"memcurve": ROOT, "ragpool": ROOT / "packages" / "ragpool"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=FOLDERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both source archives, and the wheels that were built from them."""
    place = tmp_path_factory.mktemp("dist")
    for folder in FOLDERS.values():
        run(sys.executable, "-m", "build", "--outdir", str(place), str(folder))
    return place


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the programs of a new environment that memcurve's wheel alone was installed into."""
    return alone("memcurve", built, tmp_path_factory)


def alone(name: str, built: Path, places: pytest.TempPathFactory) -> Path:
    """Install one wheel into a new environment; return where its programs are."""
    place = places.mktemp(name)
    venv.create(place, with_pip=True)
    constraints = str(ROOT / "constraints.txt")
    pip = str(place / "bin" / "pip")
    run(pip, "install", "--quiet", "-c", constraints, str(wheel_of(name, built)))
    return place / "bin"


def wheel_of(name: str, built: Path) -> Path:
    (wheel,) = built.glob(f"{name}-*.whl")
    return wheel


def sources_of(name: str) -> set[str]:
    return {
        str(path.relative_to(ROOT / "src"))
        for path in (ROOT / "src" / name).rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".actual")
    }


def run(*command: str, exit_code: int = 0, folder: Path | None = None) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_"))}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=clean, timeout=300
    )
    assert done.returncode == exit_code, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_a_wheel_holds_its_own_package_and_nothing_else(name: str, built: Path) -> None:
    names = set(zipfile.ZipFile(wheel_of(name, built)).namelist())
    assert {one for one in names if ".dist-info/" not in one} == sources_of(name)
    assert f"{name}/py.typed" in names
    assert f"{name}-0.1.0.dist-info/licenses/LICENSE" in names


def test_the_wheel_of_memcurve_holds_worker_and_templates(built: Path) -> None:
    names = zipfile.ZipFile(wheel_of("memcurve", built)).namelist()
    assert {
        "memcurve/report/templates/index.html",
        "memcurve/measure/worker/main.py",
    } <= set(names)


def test_a_source_archive_holds_its_own_package_and_what_is_read_of_it(
    name: str, built: Path
) -> None:
    (archive,) = built.glob(f"{name}-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {one.name.partition("/")[2] for one in opened.getmembers() if one.isfile()}
    under = "src/" if name == "memcurve" else ""
    own = {f"{under}{source}" for source in sources_of(name)}
    assert own <= names
    beside = {"README.md", "LICENSE", "pyproject.toml", "PKG-INFO", ".gitignore", "CHANGELOG.md"}
    assert names - own <= beside


def test_both_distributions_carry_the_same_licence() -> None:
    texts = {(folder / "LICENSE").read_text() for folder in FOLDERS.values()}
    assert len(texts) == 1


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


def test_memcurve_installs_from_git(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As the page on installing says: from a revision, without the index having it."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    place = tmp_path_factory.mktemp("git")
    venv.create(place, with_pip=True)
    pip, programs = str(place / "bin" / "pip"), place / "bin"
    constraints = str(ROOT / "constraints.txt")
    revision = run("git", "rev-parse", "HEAD", folder=ROOT).strip()
    source = f"git+{ROOT.as_uri()}@{revision}"
    run(pip, "install", "--quiet", "-c", constraints, source)
    assert run(str(programs / "memcurve"), "--version", folder=tmp_path).strip()


def test_memcurve_imports_alone(installed: Path, tmp_path: Path) -> None:
    python = str(installed / "python")
    names = run(python, "-c", "import memcurve; print(*dir(memcurve))", folder=tmp_path).split()
    assert {"check", "watch"} <= set(names)
    run(python, "-c", "import ragpool", exit_code=1, folder=tmp_path)


def test_ragpool_installs_imports_and_serves_alone(
    built: Path, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    programs = alone("ragpool", built, tmp_path_factory)
    run(str(programs / "pip"), "check")
    python = str(programs / "python")
    script = "import ragpool; print(ragpool.create_app().title, *dir(ragpool))"
    assert "LLMPool" in run(python, "-c", script, folder=tmp_path).split()
    assert "--port" in run(python, "-m", "ragpool", "--help", folder=tmp_path)
    run(python, "-c", "import memcurve", exit_code=1, folder=tmp_path)


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
