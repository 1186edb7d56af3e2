"""A run that is ended keeps what it measured, says what is missing, and is taken up again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.memcurve.outside import COMMAND, memcurve, one_line, written
from tests.waiting import settled

LONG = """
import contextlib, memcurve, tempfile
@contextlib.contextmanager
def beside():
    with tempfile.TemporaryDirectory(): yield memcurve.Backend()
quick = memcurve.scenario("quick", {"a": "jobs.py:clean", "b": "jobs.py:clean_too"}, calls=50)
held = {"c": "jobs.py:held", "d": "jobs.py:held"}
slow = memcurve.scenario("slow", held, calls=50, backend=beside)
"""
HELD = """
import pathlib, time
def held(number):
    pathlib.Path("held").touch()
    while not pathlib.Path("go").exists(): time.sleep(0.01)
"""


def _hears_ctrl_c() -> None:
    """Undo what a shell does to a command that it runs in the background: let it ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """A run that hangs in its third design once the first two are stored."""

    def __init__(self, folder: Path) -> None:
        self.folder = written(folder, long=LONG)
        (folder / "jobs.py").write_text((folder / "jobs.py").read_text() + HELD)
        temporary = folder / "temporary"
        temporary.mkdir()
        self.environment = os.environ | {"TMPDIR": str(temporary), "MEMCURVE_TEST_RUN": str(folder)}
        self.process = subprocess.Popen(
            [*COMMAND, "run", "long.py", "-q", "--quick", "--jobs", "2"],
            cwd=folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_hears_ctrl_c,
        )

    def stored(self) -> set[str]:
        folder = self.folder / "reports" / "recordings"
        return {path.parent.name + "/" + path.stem for path in folder.glob("*/*.json")}

    def hangs(self) -> bool:
        return (self.folder / "held").exists() and len(self.done()) == 2

    def done(self) -> list[str]:
        path = self.folder / "reports" / "unfinished.json"
        return json.loads(path.read_text())["done"] if path.exists() else []

    def processes(self) -> list[str]:
        """Return the processes of this run that are left."""
        mark = f"MEMCURVE_TEST_RUN={self.folder}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes().split(b"\0"):
                    found.append(path.parent.name)
            except OSError:
                continue
        return found


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    run = Run(tmp_path)
    try:
        assert settled(run.hangs, True)
        yield run
    finally:
        run.process.kill()
        run.process.communicate()
        (tmp_path / "go").touch()


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "ended by SIGTERM"),
        (signal.SIGHUP, 129, "ended by SIGHUP"),
    ],
    ids=["ctrl-c", "sigterm", "sighup"],
)
def test_an_ended_run_keeps_what_it_measured_and_is_taken_up_again(
    run: Run, number: int, code: int, words: str
) -> None:
    run.process.send_signal(number)
    printed, said = run.process.communicate(timeout=60)
    assert run.process.returncode == code
    line = one_line(said)
    assert line.startswith(f"{words}; stored 2 of 4 designs, missing slow/c, slow/d; go on with: ")
    assert line.endswith("run long.py -q --quick --jobs 2 --resume")
    early = "ended early: 2 not measured yet"
    assert early in printed
    assert early in (run.folder / "reports/summary.md").read_text()
    assert run.stored() == {"quick/a", "quick/b"}
    assert settled(run.processes, []) == []
    assert list((run.folder / "temporary").iterdir()) == []

    for command, said in (("report", early), ("compare", "nothing to compare with")):
        done = memcurve(run.folder, command, "long.py")
        assert done.returncode == 2
        assert said in done.stdout + done.stderr

    before = {
        path: path.stat().st_mtime_ns for path in run.folder.glob("reports/recordings/quick/*")
    }
    (run.folder / "go").touch()
    done = memcurve(run.folder, "run", "long.py", "-q", "--quick", "--jobs", "2", "--resume")
    assert (done.returncode, done.stderr) == (0, "")
    assert run.stored() == {"quick/a", "quick/b", "slow/c", "slow/d"}
    assert {path: path.stat().st_mtime_ns for path in before} == before, "measured again"
    assert "slow" in done.stdout
    assert "quick" in done.stdout
    again = memcurve(run.folder, "run", "long.py", "-q", "--quick", "--resume")
    assert again.returncode == 2
    assert "nothing to resume" in one_line(again.stderr)


def test_what_kill_9_left_is_removed_by_the_next_run_and_taken_up(run: Run) -> None:
    run.process.kill()
    run.process.wait()
    assert settled(run.processes, []) == []
    assert list((run.folder / "temporary").iterdir()) != [], "this test proves nothing any more"
    (run.folder / "go").touch()
    temporary = {"TMPDIR": str(run.folder / "temporary")}
    refused = memcurve(run.folder, "run", "long.py", "-q", "--resume", **temporary)
    assert refused.returncode == 2
    assert "resume it as it was begun" in one_line(refused.stderr)
    done = memcurve(run.folder, "run", "long.py", "-q", "--quick", "--resume", **temporary)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(run.stored()) == 4
    assert list((run.folder / "temporary").iterdir()) == []
