"""`memcurve init` from outside: what it writes works as it stands, and nothing is overwritten."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.memcurve.outside import memcurve, one_line
from tests.thorough import thorough

CLEAN = "def handle(number):\n    return [number]\n"
LEAKS = "KEPT = []\n\n\ndef handle(number):\n    KEPT.append(bytes(1000))\n"
JOB = Path(".github/workflows/memory.yml")


def commands(folder: Path, job: Path = JOB) -> list[str]:
    """Return what the written job runs, in order, without installing."""
    found = re.findall(r"(?:run:| {4}-) (python .*)", (folder / job).read_text())
    assert "pip install" in found[0]
    return found[1:]


def ended_with(folder: Path, command: str) -> int:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        timeout=300,
        check=False,
    ).returncode


def in_package(folder: Path, text: str) -> str:
    """Write a module that imports as parts of packages do, below src; return its target."""
    package = folder / "src" / "shop"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").touch()
    (package / "work.py").write_text(text)
    (package / "jobs.py").write_text(
        "from .work import handle as _work\n\n\ndef handle(number):\n    return _work(number)\n"
    )
    return "src/shop/jobs.py:handle"


@thorough
def test_the_commands_of_the_written_job_pass_and_fail_once_the_code_leaks(tmp_path: Path) -> None:
    done = memcurve(tmp_path, "init", in_package(tmp_path, CLEAN))
    assert (done.returncode, done.stderr) == (0, "")
    assert len(commands(tmp_path)) == 2
    assert [ended_with(tmp_path, one) for one in commands(tmp_path)] == [0, 0]
    assert (tmp_path / "reports" / "summary.md").exists()
    in_package(tmp_path, LEAKS)
    assert [ended_with(tmp_path, one) for one in commands(tmp_path)] == [1, 1]


def test_without_a_target_an_example_is_written_that_passes(tmp_path: Path) -> None:
    done = memcurve(tmp_path, "init")
    assert done.returncode == 0
    assert "make one call of your program in bench/scenarios/_calls.py" in done.stdout
    assert ended_with(tmp_path, commands(tmp_path)[0]) == 0


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("def handle():\n    return 1\n", id="no-argument"),
        pytest.param("async def handle(number):\n    return number\n", id="coroutine"),
    ],
)
def test_the_written_test_makes_the_call_as_the_function_takes_it(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "jobs.py").write_text(text)
    assert memcurve(tmp_path, "init", "jobs.py:handle").returncode == 0
    assert ended_with(tmp_path, "python -m pytest tests") == 0


def test_a_project_on_gitlab_gets_its_job_and_the_line_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(CLEAN)
    (tmp_path / ".gitlab-ci.yml").write_text("stages: [test]\n")
    done = memcurve(tmp_path, "init", "jobs:handle")
    assert "include: {local: .gitlab/memory.yml}" in done.stdout
    assert (tmp_path / ".gitlab-ci.yml").read_text() == "stages: [test]\n"
    assert not (tmp_path / JOB).exists()
    assert len(commands(tmp_path, Path(".gitlab/memory.yml"))) == 2


@pytest.mark.parametrize(
    ("file", "text", "installs"),
    [
        ("pyproject.toml", '[project]\nname = "shop"\n', "install -e . "),
        ("pyproject.toml", "[tool.ruff]\n", 'install "memcurve'),
        ("requirements.txt", "click\n", "install -r requirements.txt "),
    ],
)
def test_the_job_installs_the_project_as_it_can_be_installed(
    tmp_path: Path, file: str, text: str, installs: str
) -> None:
    (tmp_path / file).write_text(text)
    memcurve(tmp_path, "init")
    assert installs in (tmp_path / JOB).read_text()


def test_what_is_there_stays_to_the_byte(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(CLEAN)
    written = memcurve(tmp_path, "init", "jobs.py:handle").stdout
    paths = [tmp_path / line.split()[1] for line in written.splitlines() if "wrote" in line]
    assert len(paths) == 3
    for path in paths:
        path.write_text("mine")
    again = memcurve(tmp_path, "init", "jobs.py:handle")
    assert (again.returncode, again.stdout.count("(it was there)")) == (0, 3)
    assert [path.read_text() for path in paths] == ["mine"] * 3


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("jobs.py", "next: memcurve check jobs.py:handle"),
        ("jobs.py:nope", "no function 'nope'; there are: handle, wide"),
        ("jobs.py:wide", "wrap it into a function of the project"),
        ("gone.py:handle", "no such file: 'gone.py'"),
        ("gone_of_shop:handle", "no module 'gone_of_shop'"),
        ("/gone/jobs.py:handle", "no such file"),
    ],
)
def test_what_cannot_be_one_call_is_refused_and_nothing_is_written(
    tmp_path: Path, target: str, said: str
) -> None:
    (tmp_path / "jobs.py").write_text(CLEAN + "\n\ndef wide(one, two):\n    pass\n")
    done = memcurve(tmp_path, "init", target)
    assert done.returncode == 2
    one_line(done.stderr)
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == [tmp_path / "jobs.py"]


def test_a_file_in_the_place_of_a_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bench").write_text("")
    done = memcurve(tmp_path, "init")
    assert done.returncode == 2
    one_line(done.stderr)
