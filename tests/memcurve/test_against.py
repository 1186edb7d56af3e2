"""`memcurve compare --against REV`: two revisions of a small repository, measured in turn."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from memcurve.cli.against import steadied
from memcurve.cli.app import main
from memcurve.cli.other_revision import requirements
from memcurve.model.outcome import Outcome
from memcurve.model.recording import PassRecord, Recording, Samples
from memcurve.model.scenario import scenario

if TYPE_CHECKING:
    from pathlib import Path

JOBS = """
kept = []
def work(number):
    return bytes(1000)  # the result
"""

SCENARIOS = """
from memcurve import scenario

small = scenario("small", {"work": "jobs.py:work"}, calls=20, verdict_calls=250)
"""


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a folder inside a repository whose HEAD has the scenario, as monorepos do."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / "jobs.py").write_text(JOBS)
    (folder / "scenarios.py").write_text(SCENARIOS)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return folder


def compare(place: Path, *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        main, ["compare", "--against", "HEAD", "-q", *more, str(place / "scenarios.py")]
    )
    return result.exit_code, result.output


def test_a_leak_of_200_bytes_a_call_is_told(place: Path) -> None:
    leak = JOBS.replace("    return", "    kept.append(bytes(151))\n    return")
    (place / "jobs.py").write_text(leak)
    code, text = compare(place, "--json")
    assert code == 1
    [design] = json.loads(text)["designs"]
    rates = [one for one in design["differences"] if one["per_call"]]
    assert rates[0]["counter"] == "live_bytes"
    assert 192 <= rates[0]["after"] - rates[0]["before"] <= 216


def test_an_edited_comment_is_no_difference(place: Path) -> None:
    (place / "jobs.py").write_text(JOBS.replace("# the result", "# what was made"))
    assert compare(place) == (0, "small/work: ~\n")


def test_a_design_that_is_new_has_no_before(place: Path) -> None:
    (place / "jobs.py").write_text(JOBS + "\ndef other(number): pass\n")
    (place / "scenarios.py").write_text(SCENARIOS.replace("}", ', "other": "jobs.py:other"}'))
    code, text = compare(place)
    assert (code, text.splitlines()) == (0, ["small/work: ~", "small/other: new: not there before"])


def test_a_design_that_broke_here_is_not_green(place: Path) -> None:
    (place / "jobs.py").write_text("raise RuntimeError('half an edit')\n")
    code, text = compare(place)
    assert code == 2
    assert "here: " in text
    assert "half an edit" in text


def test_a_revision_that_is_not_there_is_named(place: Path) -> None:
    arguments = ["compare", "--against", "no-such", str(place / "scenarios.py")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "no-such" in result.output


BENCH = """
from memcurve import scenario

small = scenario("small", {"work": "designs.py:work"}, calls=20, verdict_calls=250)
"""


def test_code_beside_the_folder_of_the_scenarios_is_the_other_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "bench" / "scenarios").mkdir(parents=True)
    small = SCENARIOS.replace("jobs.py", "../../jobs.py")
    (tmp_path / "bench" / "scenarios" / "small.py").write_text(small)
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    leak = JOBS.replace("    return", "    kept.append(bytes(2000))\n    return")
    (tmp_path / "jobs.py").write_text(leak)
    code, text = compare_bench(tmp_path, "HEAD", monkeypatch)
    assert code == 1, text
    assert "small/work: live bytes 0 B → " in text


@pytest.fixture
def young(tmp_path: Path) -> Path:
    """Give a repository with code alone, to which this tree adds its first scenario."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'jobs'\nversion = '1'\n")
    (tmp_path / "jobs.py").write_text(JOBS)
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    (tmp_path / "bench" / "scenarios").mkdir(parents=True)
    (tmp_path / "bench" / "scenarios" / "small.py").write_text(BENCH)
    (tmp_path / "bench" / "scenarios" / "designs.py").write_text("from jobs import work\n")
    return tmp_path


def compare_bench(folder: Path, revision: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.chdir(folder)
    place = str(folder / "bench" / "scenarios")
    result = CliRunner().invoke(main, ["compare", "--against", revision, "-q", place])
    return result.exit_code, result.output


def test_code_from_before_the_first_scenario_is_measured_by_the_scenarios_of_this_tree(
    young: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leak = JOBS.replace("    return", "    kept.append(bytes(2000))\n    return")
    (young / "jobs.py").write_text(leak)
    monkeypatch.setenv("PYTHONPATH", str(young))  # as an editable install would
    code, text = compare_bench(young, "HEAD", monkeypatch)
    assert "HEAD has no bench: its code is measured by the bench of this tree" in text
    assert code == 1, text
    assert "small/work: live bytes 0 B → " in text


def test_a_shallow_clone_is_told_how_to_become_whole(
    young: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(young, "add", ".")
    git(young, "commit", "-qm", "second")
    clone = tmp_path_factory.mktemp("clone") / "it"
    git(young, "clone", "-q", "--depth", "1", young.as_uri(), str(clone))
    code, text = compare_bench(clone, "HEAD~1", monkeypatch)
    assert code == 2
    assert (
        "there is no revision 'HEAD~1' here; this clone is shallow: git fetch --unshallow" in text
    )
    assert "fetch-depth: 0" in text


def test_a_branch_that_only_the_remote_has_is_named(
    young: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(young, "add", ".")
    git(young, "commit", "-qm", "second")
    clone = tmp_path_factory.mktemp("clone") / "it"
    git(young, "clone", "-q", str(young), str(clone))
    git(clone, "checkout", "-q", "-b", "mine")
    git(clone, "branch", "-D", "main")
    code, text = compare_bench(clone, "main", monkeypatch)
    assert (code, "name origin/main, which is there" in text) == (2, True)


def test_another_lock_that_pip_cannot_install_is_told(
    young: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (young / "uv.lock").write_text("version = 1\n")
    code, text = compare_bench(young, "HEAD", monkeypatch)
    assert code == 0, text
    assert "uv.lock differs, which pip does not install from: both revisions run" in text


def test_a_scenario_below_a_project_is_asked_what_that_project_requires(
    young: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is on the network here: what is asked for cannot be installed, and that is said."""
    (young / "requirements.txt").write_text("# one more line\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    code, text = compare_bench(young, "HEAD", monkeypatch)
    assert "it requires other versions (requirements.txt); installing those" in text
    assert code in (0, 2)  # whether a build backend is at hand without an index


def test_requirements_differ_by_what_is_installed_and_by_nothing_else(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, tools in ((one, "line-length = 100"), (other, "line-length = 80")):
        folder.mkdir()
        text = f'[project]\nname = "x"\ndependencies = ["httpx"]\n[tool.ruff]\n{tools}\n'
        (folder / "pyproject.toml").write_text(text)
        (folder / "constraints.txt").write_text("httpx==0.28.1\n")
    assert requirements(one) == requirements(other)
    (other / "constraints.txt").write_text("httpx==0.27.0\n")
    assert requirements(one) != requirements(other)


def outcome(cpu_ms: int) -> Outcome:
    samples = Samples(calls=(0, 20), counters={"cpu_ns": (0, cpu_ms * 1_000_000)})
    natural = PassRecord(kind="natural", mode="natural", samples=samples, calls=20)
    recording = Recording(
        scenario="small",
        design="work",
        target="jobs.py:work",
        calls=20,
        environment=None,
        passes=(natural,),
        recorded_at="",
    )
    return Outcome(recording=recording, judgement=None)


@pytest.mark.parametrize(
    ("rounds", "measured", "then_ms", "now_ms"),
    [
        ([(100, 400), (120, 110)], 2, 100, 110),  # the machine was busy once
        ([(100, 400), (90, 380), (100, 390)], 3, 90, 380),  # it is slower
        ([(100, 105)], 1, 100, 105),
    ],
)
def test_cpu_time_that_seems_to_differ_is_measured_again(
    rounds: list[tuple[int, int]], measured: int, then_ms: int, now_ms: int
) -> None:
    left = iter(rounds)
    asked = []

    def measure(one: object) -> tuple[list[Outcome], list[Outcome]]:
        then, now = next(left)
        asked.append(one)
        return [outcome(then)], [outcome(now)]

    [(then, now)] = steadied(scenario("small", {"work": "jobs.py:work"}), measure)
    found = [one.recording.passes[-1].samples.counters["cpu_ns"][-1] for one in (then, now)]
    assert found == [then_ms * 1_000_000, now_ms * 1_000_000]
    assert len(asked) == measured
