"""The jobs of the documentation run as they stand, in a fresh clone of a small project."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documentation.blocks import read_blocks
from tests.thorough import thorough

ROOT = Path(__file__).resolve().parents[1]
JOBS = (".github/workflows/memory.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml")
CLEAN = "def handle(number):\n    return [number]\n"
LEAKS = "KEPT = []\n\n\ndef handle(number):\n    KEPT.append(bytes(1000))\n"
TEST = """
import pytest

import jobs


@pytest.mark.memcurve
def test_handle():
    jobs.handle(1)
"""
SCENARIO = """
from memcurve import scenario

jobs = scenario("jobs", {"now": "../../jobs.py:handle"}, calls=40)
"""


def examples() -> dict[str, Any]:
    """Return the files of the page by their names."""
    blocks = read_blocks(ROOT / "docs" / "ci.md", "docs/ci.md")
    return {block.title: yaml.safe_load(block.body) for block in blocks if block.title}


def commands(name: str) -> Iterator[str]:
    """Yield what a job runs, in order, without what installs."""
    example = examples()[name]
    if name == JOBS[0]:
        lines = [step["run"] for step in example["jobs"]["memory"]["steps"] if "run" in step]
    elif name == JOBS[1]:
        lines = example["memory"]["script"]
    else:
        lines = [hook["entry"] for hook in example["repos"][0]["hooks"]]
    yield from (line for line in lines if not line.startswith("pip install"))


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a whole clone of a project, as `fetch-depth: 0` does."""
    origin = tmp_path / "origin"
    (origin / "bench" / "scenarios").mkdir(parents=True)
    (origin / "jobs.py").write_text(CLEAN)
    (origin / "test_jobs.py").write_text(TEST)
    (origin / "bench" / "scenarios" / "jobs.py").write_text(SCENARIO)
    git(origin, "init", "-q", "-b", "main")
    git(origin, "add", ".")
    git(origin, "commit", "-qm", "first")
    git(tmp_path, "clone", "-q", str(origin), "clone")
    return tmp_path / "clone"


def ended_with(folder: Path, command: str) -> int:
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    known = {"GITHUB_BASE_REF": "main", "CI_DEFAULT_BRANCH": "main", "PATH": programs}
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env=own | known | {"GITHUB_STEP_SUMMARY": str(folder / "step.md")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    sys.stdout.write(f"$ {command}\n{done.stdout}{done.stderr}\n")
    return done.returncode


def test_the_page_has_the_three_jobs_and_each_runs_something() -> None:
    assert tuple(examples()) == JOBS
    for name in JOBS:
        assert any("--memcurve" in line for line in commands(name)), name


def test_jobs_that_compare_revisions_have_them() -> None:
    github, gitlab = (examples()[name] for name in JOBS[:2])
    assert github["jobs"]["memory"]["steps"][0]["with"]["fetch-depth"] == 0
    assert gitlab["memory"]["variables"]["GIT_DEPTH"] == "0"


@thorough
@pytest.mark.parametrize("name", JOBS)
def test_a_job_passes_and_fails_once_the_code_leaks(clone: Path, name: str) -> None:
    assert [ended_with(clone, line) for line in commands(name)] == [0] * len([*commands(name)])
    if name != JOBS[2]:
        assert (clone / "reports" / "summary.md").exists()
        assert (clone / "reports" / "tests" / "index.html").exists()
    (clone / "jobs.py").write_text(LEAKS)
    measured = [line for line in commands(name) if line.startswith("python")]
    assert [ended_with(clone, line) for line in measured] == [1] * len(measured)
