"""Garbage that stands is proved by running it, and what helps against it is measured."""

import json
import math
import re
from pathlib import Path

import msgspec
import pytest

import memcurve
from memcurve.model.debt import Act, Calm, Heavy
from memcurve.model.scenario import Target
from memcurve.model.steps import Calls, Finish, Survey
from memcurve.report.debt import act_text, debt_lines
from memcurve.report.text import check_text
from memcurve.run.options import Options, thresholds_of
from memcurve.run.passes import Subject
from memcurve.run.standing import _steps, with_standing
from tests.memcurve.command_line import run_command

SOURCE = """
class Node:
    def __init__(self):
        self.me = self
        self.held = bytearray(50_000)

def in_a_cycle():
    Node()

def freed_at_once():
    bytearray(50_000)

def collected():
    import gc
    Node()
    gc.collect()
"""


DESIGNS = {"naive": "in_a_cycle", "careless": "in_a_cycle", "clean": "freed_at_once"}


@pytest.fixture
def leaves(tmp_path: Path) -> str:
    file = tmp_path / "leaves.py"
    file.write_text(SOURCE)
    return str(file)


def test_an_act_is_done_before_the_calls_and_a_collection_after_every_so_many() -> None:
    doing = Survey(stage="act", options={"kind": "collect", "number": 40})
    assert list(_steps(Act(kind="collect", number=40), 100)) == [
        doing,
        Calls(to=40),
        doing,
        Calls(to=80),
        doing,
        Calls(to=100),
        Finish(),
    ]
    freezing = Survey(stage="act", options={"kind": "freeze", "number": 0})
    assert list(_steps(Act(kind="freeze"), 100)) == [freezing, Calls(to=100), Finish()]


def test_what_stands_is_heavy_and_a_collection_helps(leaves: str) -> None:
    found = memcurve.check(f"{leaves}:in_a_cycle", max_garbage="4 MiB")
    debt = found.judgement.debt
    assert isinstance(found.verdict, memcurve.Flat)
    assert isinstance(debt, Heavy)
    assert debt.stood is not None
    assert debt.stood.bytes > 4 << 20
    helped = {one.act.kind: one for one in debt.reliefs}
    assert helped["collect"].stood < debt.limit / 4 < helped["collect"].without
    assert helped["threshold"].stood < debt.limit
    assert helped["freeze"].stood > debt.limit  # what calls leave is not what was frozen
    text = check_text(found)
    assert re.match(
        r"heavy: 49\.\d KiB in 1 object a call wait for the collector; 4\.\d+ MiB", text
    )
    assert "\n  memory       flat: " in text
    assert f"\n  helps        {act_text(helped['collect'].act)}: " in text
    assert "gc.freeze" not in text
    assert "leaves.Node.me → leaves.Node" in text


def test_by_default_the_same_is_calm_and_its_forecast_is_told(leaves: str) -> None:
    found = memcurve.check(f"{leaves}:in_a_cycle", explain=False)
    debt = found.judgement.debt
    assert isinstance(debt, Calm)
    assert found.recording.tried == ()
    ((what, told),) = debt_lines(debt)
    assert what == "garbage"
    assert re.fullmatch(r"about (69\d|700) calls of it, 33\.\d MiB, stand at once", told)


def test_where_no_call_was_left_for_it_nobody_knows_what_stands(leaves: str) -> None:
    found = memcurve.check(f"{leaves}:in_a_cycle", calls=100, explain=False)
    assert isinstance(found.judgement.debt, Calm)
    assert "how much of it stands at once is not known" in check_text(found)


def standing_asked_for(
    leaves: str, name: str, *, call_s: float = 0.03, seconds: float = math.inf, once: bool = False
) -> int:
    """Return how many calls are asked for to see what stands, after few calls were counted."""
    options = Options(thresholds=thresholds_of(None, "4 MiB"))
    recording = memcurve.check(f"{leaves}:{name}", calls=30, explain=False).recording
    (counted,) = recording.passes
    counted = msgspec.structs.replace(counted, cpu_s=30 * call_s, wall_s=30 * call_s)
    slow = msgspec.structs.replace(recording, passes=(counted,))
    subject = Subject(target=Target(call=f"{leaves}:{name}"))
    request = next(with_standing(slow, subject, options, seconds, once=once), None)
    if request is None:
        return 0
    assert (request.plan.kind, request.label) == ("natural", "garbage")
    asked = [request.decide(counted) for _ in range(3)]
    assert asked[0] == Survey(stage="act", options={"kind": "nothing", "number": 0})
    assert isinstance(asked[1], Calls)
    return asked[1].to


def test_slow_calls_that_leave_much_are_run_for_as_many_as_are_too_much(leaves: str) -> None:
    assert 95 <= standing_asked_for(leaves, "in_a_cycle") <= 105  # 1.2 times 4 MiB, 50 KB each
    assert standing_asked_for(leaves, "in_a_cycle", call_s=0.07) > 0


def test_slow_calls_are_not_run_where_that_takes_too_long_or_leaves_little(leaves: str) -> None:
    assert standing_asked_for(leaves, "in_a_cycle", call_s=0.1) == 0  # ten seconds of work
    assert standing_asked_for(leaves, "in_a_cycle", seconds=2.0) == 0  # of a budget
    assert standing_asked_for(leaves, "in_a_cycle", once=True) == 0
    assert standing_asked_for(leaves, "freed_at_once") == 0


@pytest.mark.parametrize("name", ["freed_at_once", "collected"])
def test_what_does_not_wait_is_calm_however_small_the_limit(leaves: str, name: str) -> None:
    found = memcurve.check(f"{leaves}:{name}", max_garbage="1 MiB", explain=False)
    assert isinstance(found.judgement.debt, Calm)
    assert found.recording.tried == ()
    assert "garbage  " not in check_text(found)


def test_more_is_forecast_than_is_allowed_and_does_not_stand(leaves: str) -> None:
    found = memcurve.check(f"{leaves}:in_a_cycle", max_garbage="30 MiB", explain=False)
    debt = found.judgement.debt
    assert debt is not None
    assert debt.stood is not None
    assert len(found.recording.tried) >= 1  # 33 MiB are forecast: it is run, and stands
    assert isinstance(debt, Heavy) == (debt.stood.bytes > debt.limit)


def test_a_run_gates_what_stands_but_for_designs_that_may_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: str
) -> None:
    monkeypatch.chdir(tmp_path)
    designs = {name: f"leaves.py:{call}" for name, call in DESIGNS.items()}
    (tmp_path / "s.py").write_text(
        "from memcurve import scenario\n"
        f"uploads = scenario('uploads', {designs}, calls=60, may_grow=('naive',))\n"
    )
    arguments = ["run", "s.py", "--quiet", "--json", "--baselines", "none"]
    found = run_command(*arguments, "--max-garbage", "2 MiB")
    (crossed,) = json.loads(found.stdout)["crossings"]
    assert (found.exit_code, crossed["kind"], crossed["design"]) == (1, "garbage", "careless")
    assert crossed["limit"] == 2 << 20 < crossed["value"]
    debts = {
        one["name"]: one["debt"]["verdict"]
        for one in json.loads(found.stdout)["scenarios"][0]["designs"]
    }
    assert debts == {"naive": "heavy", "careless": "heavy", "clean": "calm"}
    assert run_command(*arguments, "--max-garbage", "1 GiB").exit_code == 0


def test_what_stood_when_it_was_accepted_may_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.py").write_text(
        "from memcurve import scenario\n"
        "uploads = scenario('uploads', {'careless': 'leaves.py:in_a_cycle'}, calls=60)\n"
    )
    kept = ["s.py", "--quiet", "--baselines", "kept"]
    strict = ["run", *kept, "--max-garbage", "2 MiB"]
    assert run_command(*strict).exit_code == 1
    assert run_command("accept", *kept, "--reason", "known").exit_code == 0
    (file,) = (tmp_path / "kept").glob("*/uploads.json")
    accepted = json.loads(file.read_text())["designs"]["careless"]["garbage_bytes"]
    assert accepted > 2 << 20
    assert run_command(*strict).exit_code == 0

    file.write_text("{")
    done = run_command("accept", *kept, "--reason", "anew")
    assert done.exit_code == 0
    (line, *_) = done.stdout.splitlines()
    assert line.startswith("uploads: in place of one that could not be read: ")
    assert "new" not in done.stdout
