"""What a look at the heap must not ask of an interpreter that has a known bug there."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memcurve.measure.worker import interpreter_bugs
from memcurve.measure.worker.interpreter_bugs import BUGS, CAPSULES, Version, has, referents_for
from tests.memcurve.test_worker_pythons import interpreter

WORKER = Path(interpreter_bugs.__file__).parent
TABLE = Path(__file__).parents[2] / "docs" / "interpreters.md"
FINAL = interpreter_bugs.FINAL

TASK = """
import asyncio

KEPT = []


async def call(number):
    await asyncio.create_task(asyncio.sleep(0))
    KEPT.append({"number": number, "values": [number] * 8})
"""


def capsule() -> object:
    import datetime

    return datetime.datetime_CAPI


@pytest.mark.parametrize(
    ("version", "asyncio_asked", "capsule_asked"),
    [
        ((3, 8, 18, FINAL), True, True),
        ((3, 11, 9, FINAL), True, True),
        ((3, 12, 0, FINAL), False, True),
        ((3, 12, 5, FINAL), False, True),
        ((3, 12, 6, FINAL), True, True),
        ((3, 13, 0, 0xC1), False, False),
        ((3, 13, 0, 0xC2), True, False),
        ((3, 13, 0, 0xC3), True, True),
        ((3, 13, 0, FINAL), True, True),
    ],
)
def test_only_what_a_version_breaks_on_is_left_out(
    version: Version, asyncio_asked: bool, capsule_asked: bool
) -> None:
    import _asyncio

    class Asked(list[object]):
        pass

    one = Asked(["mine"])
    referents = referents_for(version)
    assert "mine" in referents(one)
    assert bool(referents(_asyncio)) is asyncio_asked
    assert "mine" in referents(_asyncio, one, capsule())
    assert has(version, CAPSULES) is not capsule_asked


def test_every_look_of_the_worker_asks_through_the_table() -> None:
    direct = [
        path.name for path in WORKER.glob("*.py") if "gc.get_referents" in path.read_text("utf-8")
    ]
    assert direct == ["interpreter_bugs.py"]


@pytest.mark.parametrize("version", ["3.8", "3.11", "3.12", "3.13"])
def test_tasks_of_the_loop_are_explained_in_every_version(tmp_path: Path, version: str) -> None:
    (tmp_path / "task.py").write_text(TASK)
    command = [sys.executable, "-m", "memcurve", "check", "task.py:call", "--json"]
    done = subprocess.run(
        [*command, "--python", interpreter(version), "--budget", "60"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert not [note for note in found["notes"] if "ended early" in note]
    assert "task.KEPT" in json.dumps(found["culprits"][0])


def test_the_docs_name_every_bug() -> None:
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    numbers = sorted(number for row in rows for number in re.findall(r"issues/(\d+)", row))
    assert numbers == sorted(n for bug in BUGS for n in re.findall(r"issues/(\d+)", bug.issue))
    assert len(rows) == 1 + len(BUGS)
    for bug in BUGS:
        assert any(bug.effect in row and bug.instead in row for row in rows)
