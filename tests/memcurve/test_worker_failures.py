"""Whatever a target does, `memcurve check` says so, ends with 2, and leaves no process behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import settled

TARGETS = "tests/memcurve/worker_targets.py"
ROOT = Path(__file__).parents[2]


def check(target: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "memcurve", "check", target, *args],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def no_orphans() -> "Orphans":
    return Orphans()


class Orphans:
    """Processes that carry a mark of this test in their environment."""

    def __init__(self) -> None:
        self.mark = {"MEMCURVE_TEST_MARK": f"{os.getpid()}-{id(self)}"}

    def pids(self) -> list[int]:
        (wanted,) = (f"{name}={value}".encode() for name, value in self.mark.items())
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if wanted in path.read_bytes().split(b"\0"):
                    found.append(int(path.parent.name))
            except OSError:
                continue
        return found


@pytest.mark.parametrize(
    ("target", "args", "message"),
    [
        ("tests/nothing.py:run", (), "no such file: 'tests/nothing.py'"),
        ("nothing_at_all:run", (), "no such module: 'nothing_at_all'"),
        (f"{TARGETS}:cleen", (), "no attribute 'cleen'"),
        (f"{TARGETS}:NOT_CALLABLE", (), "is a int, not callable"),
        (f"{TARGETS}:needs_three", (), "takes 3 arguments"),
        (f"{TARGETS}:yields", (), "yields is a generator function: a call makes a generator"),
        (f"{TARGETS}:yields_later", (), "yields_later is a generator function"),
        (f"{TARGETS}:returns_a_generator", (), "the call only made a generator"),
        (f"{TARGETS}:returns_an_async_generator", (), "the call only made a generator"),
        (f"{TARGETS}:makes_a_manager", (), "the call only made a context manager"),
        (f"{TARGETS}:Yielding", (), "the call only made a generator"),
        ("nonsense", (), "is not of the form pkg.mod:attr"),
        (f"{TARGETS}:raises_at_once", (), "call 1 raised LookupError: nothing there"),
        (f"{TARGETS}:raises_at_57", (), "call 57 raised LookupError: gone"),
        (f"{TARGETS}:never_returns", ("--timeout", "1"), "call 1 did not return within 1 s"),
        (f"{TARGETS}:spins", ("--timeout", "1"), "call 4 did not return within 1 s"),
        (f"{TARGETS}:exits", (), "call 1"),
        (f"{TARGETS}:exits_hard", (), "the process ended itself with status 7 in call 10"),
        (f"{TARGETS}:segfaults", (), "the process was ended by SIGSEGV in call 10"),
        (f"{TARGETS}:kills_itself", (), "the process was ended by SIGKILL"),
    ],
)
def test_a_target_that_cannot_be_measured_is_an_error_in_words(
    no_orphans: Orphans, target: str, args: tuple[str, ...], message: str
) -> None:
    done = check(target, *args, **no_orphans.mark)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("memcurve: ")
    assert message in done.stderr
    assert 'Traceback (most recent call last):\n  File "/usr' not in done.stderr
    assert settled(no_orphans.pids, []) == []


def test_what_never_ends_in_a_child_of_the_target_ends_too(
    no_orphans: Orphans, tmp_path: Path
) -> None:
    place = tmp_path / "pid"
    done = check(
        f"{TARGETS}:starts_a_daemon",
        "--timeout",
        "1",
        DAEMON_FILE=str(place),
        **no_orphans.mark,
    )
    assert done.returncode == 2
    assert place.exists()
    assert settled(no_orphans.pids, []) == []


def test_waiting_for_what_a_call_left_running_is_not_charged_to_the_call() -> None:
    brief = ("--timeout", "0.5", "--grace", "1", "--budget", "1", "--no-explain")
    done = check(f"{TARGETS}:leaves_a_thread", *brief)
    assert done.returncode in (0, 1, 3), done.stderr


@pytest.mark.parametrize("name", ["forks_and_waits", "closes_stderr"])
def test_forks_and_a_closed_stderr_do_no_harm(no_orphans: Orphans, name: str) -> None:
    done = check(f"{TARGETS}:{name}", "--json", **no_orphans.mark)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"] in ("flat", "plateaued")
    assert settled(no_orphans.pids, []) == []


def test_the_copy_of_a_target_that_forks_does_not_go_on_measuring(no_orphans: Orphans) -> None:
    done = check(f"{TARGETS}:forks", "--json", **no_orphans.mark)
    assert done.returncode in (0, 1, 2, 3), done.stderr
    assert done.stdout.count('"verdict"') <= 9  # one object, not one a copy
    json.loads(done.stdout or "{}")
    assert settled(no_orphans.pids, []) == []


def test_memory_without_end_is_stopped_before_the_machine_runs_out(
    no_orphans: Orphans, tmp_path: Path
) -> None:
    (tmp_path / "limited.py").write_text(
        "from memcurve.measure import isolation\n"
        "isolation.available_bytes = lambda: 200 << 20\n"
        "from memcurve.cli.app import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            str(tmp_path / "limited.py"),
            "check",
            f"{TARGETS}:allocates_without_end",
        ],
        cwd=ROOT,
        env=os.environ | no_orphans.mark,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "killed before the machine ran out" in done.stderr
    assert settled(no_orphans.pids, []) == []


@pytest.mark.parametrize(
    ("name", "code", "counter", "low", "high"),
    [
        ("keeps_slotted", 1, "retained", 48, 62),
        ("keeps_native", 1, "retained", 80 + 100, 80 + 600),
        ("keeps_socket", 1, "fds", 1, 1),
        ("exhausts_a_generator", 1, "retained", 448, 470),
        ("exhausts_an_async_generator", 1, "retained", 448, 470),
        ("makes_garbage", 0, "deferred", 4048, 4160),
    ],
)
def test_known_growth_is_told_by_its_size(
    name: str, code: int, counter: str, low: float, high: float
) -> None:
    done = check(f"{TARGETS}:{name}", "--json", "--budget", "120")
    assert done.returncode == code, done.stdout + done.stderr
    found = json.loads(done.stdout)
    value = (
        found["resources"]["fds_per_call"] if counter == "fds" else found[counter]["bytes_per_call"]
    )
    assert low <= value <= high
