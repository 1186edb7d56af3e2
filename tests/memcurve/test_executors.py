"""A run on an executor is the run: the same recordings, wherever a worker died meanwhile."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import msgspec
import pytest

from memcurve.compare.hosts import marked, on_one_host
from memcurve.model.errors import MeasureError, MemcurveError
from memcurve.model.outcome import Outcome
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.scenario import Lead, Scenario, Target
from memcurve.run.elsewhere import ALONE, Place, run_elsewhere, together
from memcurve.run.executors import place_at
from memcurve.run.jobs import Answer, Brought, Job, answered
from memcurve.run.options import RunOptions
from tests.memcurve import making
from tests.memcurve.outside import COMMAND, memcurve, one_line, written
from tests.memcurve.test_shards import _measured
from tests.thorough import thorough
from tests.waiting import settled


def _scenario(*designs: str, leads: tuple[Lead, ...] = ()) -> Scenario:
    return Scenario(name="s", designs={name: Target(call="m:f") for name in designs}, leads=leads)


def test_designs_that_are_compared_in_time_are_measured_together_and_no_others() -> None:
    timed = Lead(design="b", over="d", at_most={"cpu_ns": 0.5})
    exact = Lead(design="a", over="c", at_most={"live_bytes": 0.5})
    assert together(_scenario("a", "b", "c", "d", leads=(timed, exact))) == [
        ("a",),
        ("b", "d"),
        ("c",),
    ]
    chained = Lead(design="d", over="a", at_most={"fds": 1.0, "wall_ns": 0.9})
    assert together(_scenario("a", "b", "c", "d", leads=(timed, chained))) == [
        ("a", "b", "d"),
        ("c",),
    ]


@pytest.mark.parametrize(
    "text", ["dask://", "dask://host", "processes://0", "processes://9999", "4", "tcp://a:1"]
)
def test_what_is_no_executor_is_named(text: str) -> None:
    with pytest.raises(MeasureError, match=r"no executor .* write processes://4 or dask://HOST"):
        place_at(text)


class Fake(Executor):
    """Answers jobs at once; one whose design is poison breaks it, as a pool of processes breaks."""

    def __init__(self, poison: Callable[[Job], bool], alter: Callable[[Answer], Answer]) -> None:
        self.poison, self.alter = poison, alter
        self.broken = False
        self.seen: list[str] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        if self.broken:
            raise BrokenProcessPool("broken")
        job = msgspec.json.decode(args[0], type=Job)
        self.seen.extend(job.names)
        future: Future[Any] = Future()
        if self.poison(job):
            self.broken = True
            future.set_exception(BrokenProcessPool("a worker was ended"))
        else:
            future.set_result(msgspec.json.encode(self.alter(_brought(job))))
        return future


def _brought(job: Job) -> Answer:
    return Answer(brought=tuple(_one(job.scenario, design) for design in job.designs))


def _one(scenario: str, design: str) -> Brought:
    recording = Recording(
        scenario=scenario,
        design=design,
        target="m:f",
        calls=5,
        environment=None,
        passes=(PassRecord(kind="natural", mode="natural"),),
    )
    return Brought(recording=recording, explanation=None)


class Fakes:
    """Gives a new fake executor after one broke."""

    def __init__(
        self,
        poison: Callable[[Job], bool] = lambda job: False,
        alter: Callable[[Answer], Answer] = lambda answer: answer,
    ) -> None:
        self.poison, self.alter = poison, alter
        self.made: list[Fake] = []

    def opened(self) -> AbstractContextManager[Executor]:
        self.made.append(Fake(self.poison, self.alter))
        return nullcontext(self.made[-1])

    def run(self, *designs: str, width: int | None = 2) -> list[Outcome]:
        place = Place(opened=self.opened, width=width)
        return run_elsewhere([_scenario(*designs)], [Path("s.py")], RunOptions(), place)


def _words(outcomes: list[Outcome]) -> dict[str, str]:
    return {
        one.recording.design: one.recording.failure.message if one.recording.failure else "came"
        for one in outcomes
    }


def test_a_job_that_ends_its_workers_is_a_failure_and_takes_no_other_one_along() -> None:
    fakes = Fakes(lambda job: "c" in job.designs)
    found = _words(fakes.run(*"abcdefgh"))
    lost = found.pop("c")
    assert lost == f"its worker was lost {ALONE + 1} times: BrokenProcessPool: a worker was ended"
    assert found == dict.fromkeys("abdefgh", "came")
    assert sum(one.seen.count("s/c") for one in fakes.made) == ALONE + 1
    assert all(sum(f.seen.count(f"s/{name}") for f in fakes.made) == 1 for name in "abdefgh")


def test_a_job_that_was_lost_once_comes_the_next_time() -> None:
    lost = iter([True])
    fakes = Fakes(lambda job: "b" in job.designs and next(lost, False))
    assert _words(fakes.run(*"abc")) == dict.fromkeys("abc", "came")


def test_an_executor_that_takes_nothing_ends_the_run() -> None:
    fake = Fake(lambda job: False, lambda answer: answer)
    fake.broken = True
    place = Place(opened=lambda: nullcontext(fake))
    with pytest.raises(MeasureError, match="the executor takes no work: BrokenProcessPool"):
        run_elsewhere([_scenario("a")], [Path("s.py")], RunOptions(), place)


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        pytest.param(lambda a: Answer(refused="no such file: /x"), "no such file: /x", id="no"),
        pytest.param(lambda a: Answer(), r"asked for s/a, a worker brought \(\)", id="none"),
        pytest.param(lambda a: Answer(brought=(_one("s", "z"),)), "brought .'s/z'", id="other"),
        pytest.param(lambda a: Answer(brought=(_one("s", "../x"),)), "another folder", id="path"),
    ],
)
def test_what_a_worker_brings_is_checked(alter: Callable[[Answer], Answer], said: str) -> None:
    with pytest.raises(MemcurveError, match=said):
        Fakes(alter=alter).run("a")


def test_a_worker_without_the_files_or_with_others_says_so(tmp_path: Path) -> None:
    written(tmp_path, held=HELD)
    jobs: list[Job] = []

    def kept(job: Job) -> bool:
        jobs.append(job)
        return False

    Fakes(kept).run("a")
    asked = msgspec.structs.replace(jobs[0], paths=(str(tmp_path / "held.py"),))
    assert (
        "what is measured is at the same path"
        in answered(msgspec.structs.replace(asked, cwd=str(tmp_path / "gone"))).refused
    )
    here = Path.cwd()
    try:
        gone = answered(msgspec.structs.replace(asked, cwd=str(tmp_path), scenario="slow"))
    finally:
        os.chdir(here)
    assert "slow/a is in none of" in gone.refused
    assert "have the same revision on every machine" in gone.refused


def test_designs_of_one_scenario_from_two_environments_end_the_run() -> None:
    def placed(answer: Answer) -> Answer:
        (one,) = answer.brought
        python = "3.12.1" if one.recording.design == "b" else "3.11.7"
        where = making.environment(python=python)
        recording = msgspec.structs.replace(one.recording, environment=where)
        return Answer(brought=(msgspec.structs.replace(one, recording=recording),))

    with pytest.raises(MeasureError, match=r"s/b was measured in cpython3\.12.* give all workers"):
        Fakes(alter=placed).run("a", "b", width=1)
    assert len(Fakes(alter=placed).run("a", "c", width=1)) == 2


def _outcome(design: str, host: str) -> Outcome:
    found = making.outcome(making.recording(scenario="s", design=design))
    recording = msgspec.structs.replace(found.recording, host=host)
    return msgspec.structs.replace(found, recording=recording)


def test_time_is_compared_on_one_machine_alone() -> None:
    same = [_outcome("a", "h1"), _outcome("b", "h1")]
    assert on_one_host(same)
    assert marked(same) == same
    other = [_outcome("a", "h1"), _outcome("b", "h2")]
    assert not on_one_host(other)
    kinds = [one.comparison and [c.kind for c in one.comparison.caveats] for one in marked(other)]
    assert kinds == [["other_machine"], ["other_machine"]]


HELD = """
import memcurve
first = memcurve.scenario(
    "first", {"a": "jobs.py:clean", "b": "jobs.py:leaks"}, calls=30, verdict_calls=120,
    may_grow=("b",),
    leads=(memcurve.Lead(design="a", over="b", at_most={"live_bytes": 0.5}),),
)
slow = memcurve.scenario(
    "slow", {"c": "jobs.py:held", "d": "jobs.py:held", "e": "jobs.py:held"},
    calls=30, verdict_calls=120,
)
"""
JOBS = """
import pathlib, sys
print("a scenario's own words")
def held(number):
    pathlib.Path(f"held-{number}").touch()
    while not pathlib.Path("go").exists(): time.sleep(0.01)
"""
QUICK = ("run", "held.py", "-q", "--quick", "--jobs", "1")


class Workplace:
    """A folder with scenarios of which some hang until they may go on, and who works there."""

    def __init__(self, folder: Path) -> None:
        self.folder = written(folder, held=HELD)
        (folder / "jobs.py").write_text((folder / "jobs.py").read_text() + JOBS)
        self.environment = os.environ | {"MEMCURVE_TEST_RUN": str(folder)}
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)
        return process

    def go(self) -> None:
        (self.folder / "go").touch()

    def own(self) -> dict[int, int]:
        """Return the processes that were started in this test, each with its parent."""
        mark = f"MEMCURVE_TEST_RUN={self.folder}".encode()
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    status = (path / "stat").read_text().rpartition(")")[2].split()
                    found[int(path.name)] = int(status[1])
            except OSError:
                continue
        return found

    def workers(self) -> list[int]:
        """Return the processes in which a job runs: the parents of jobs."""
        jobs = [pid for pid in self.own() if b"memcurve.run.jobs" in _command(pid)]
        parents = self.own()
        return [parents[pid] for pid in jobs if pid in parents]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workplace]:
    work = Workplace(tmp_path)
    try:
        yield work
    finally:
        work.go()
        for process in work.processes:
            process.kill()
            process.communicate()


def _holds(work: Workplace) -> bool:
    return (work.folder / "held-0").exists() and len(work.workers()) > 1


def _hangs(work: Workplace) -> bool:
    """Wait until two jobs hang; a process for each starts slowly where four share two cores."""
    return any(settled(lambda: _holds(work), True) for _ in range(6))


def _same_as_here(work: Workplace, done: "subprocess.Popen[str]") -> None:
    printed, said = done.communicate(timeout=300)
    assert said == ""
    assert "a scenario's own words" not in printed
    here = memcurve(work.folder, *QUICK, "--out", "here")
    assert here.returncode == done.returncode == 0
    assert _measured(work.folder / "reports") == _measured(work.folder / "here")
    assert printed.replace("reports/index", "here/index") == here.stdout


@thorough
def test_processes_here_measure_the_same_also_when_one_is_killed(
    work: Workplace,
) -> None:
    run = work.start(*COMMAND, *QUICK, "--executor", "processes://2")
    assert _hangs(work)
    os.kill(work.workers()[0], signal.SIGKILL)
    work.go()
    _same_as_here(work, run)
    assert settled(lambda: list(work.own()), []) == []
    names = json.loads((work.folder / "reports/recordings/slow/c.json").read_text())
    assert len(names["host"]) == 12


@thorough
def test_ctrl_c_ends_the_processes_and_keeps_what_came(work: Workplace) -> None:
    run = work.start(*COMMAND, *QUICK, "--executor", "processes://2")
    kept = work.folder / "reports" / "recordings" / "first"
    assert _hangs(work)
    assert len(list(kept.glob("*.json"))) == 2
    run.send_signal(signal.SIGTERM)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == 143
    assert "stored 2 of 5 designs, missing slow/c, slow/d, slow/e" in one_line(said)
    assert settled(lambda: list(work.own()), []) == []


NEEDS_DASK = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="distributed is not installed"
)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@thorough
@NEEDS_DASK
def test_a_dask_cluster_of_four_measures_the_same_also_when_a_worker_is_killed(
    work: Workplace,
) -> None:
    port = _free_port()
    dask = (sys.executable, "-W", "ignore", "-m")
    scheduler = ("distributed.cli.dask_scheduler", "--host=127.0.0.1", f"--port={port}")
    worker = ("distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", "--nthreads=1")
    work.start(*dask, *scheduler, "--no-dashboard")
    assert settled(lambda: _listens(port), True)
    url = f"dask://127.0.0.1:{port}"
    alone = memcurve(work.folder, *QUICK, "--executor", url)
    assert alone.returncode == 2
    assert "has no worker; start one: dask worker" in one_line(alone.stderr)
    for _ in range(4):
        work.start(*dask, *worker, "--no-nanny", "--no-dashboard")
    run = work.start(*COMMAND, *QUICK, "--executor", url)
    assert _hangs(work)
    os.kill(work.workers()[0], signal.SIGKILL)
    work.go()
    _same_as_here(work, run)


@thorough
@NEEDS_DASK
def test_a_scheduler_that_is_not_there_is_one_line(work: Workplace) -> None:
    done = memcurve(work.folder, *QUICK, "--executor", f"dask://127.0.0.1:{_free_port()}")
    assert done.returncode == 2
    assert "no scheduler of dask at tcp://127.0.0.1:" in one_line(done.stderr)
