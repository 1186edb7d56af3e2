"""A reference that nothing holds is told by its object, and one that is held somewhere is not."""

import html
import io
import json
import threading
from pathlib import Path

import pytest

import memcurve
from memcurve.measure.worker.refcounts import references
from memcurve.model.scenario import scenario
from memcurve.report.arrange import view_of
from memcurve.report.html import render_html
from memcurve.report.json.check import check_shape
from memcurve.report.json.summary import summary_json
from memcurve.report.markdown import markdown
from memcurve.report.table import print_table
from memcurve.report.text import check_text
from memcurve.run.options import RunOptions
from memcurve.run.scenarios import run_of, run_scenarios

TARGETS = """
import ctypes
import threading

incref = ctypes.pythonapi.Py_IncRef
incref.argtypes, incref.restype = [ctypes.py_object], None

class Settings:
    pass

SETTINGS, NAMED = Settings(), [Settings() for _ in range(3)]
FINISH = threading.Event()
KEPT, PATTERNS, numbers = [], [], iter(range(10**9))

def loses():
    incref(SETTINGS)

def loses_now_and_then():
    if next(numbers) % 5 == 0:
        incref(SETTINGS)

def clean():
    return SETTINGS

def keeps():
    KEPT.append(SETTINGS)

def keeps_instances():
    KEPT.append(Settings())

def leaves_a_thread():
    threading.Thread(target=FINISH.wait, daemon=True).start()

def keeps_what_the_collector_does_not_know():
    KEPT.append((ctypes.c_int(3), bytes(40)))
"""


@pytest.fixture
def module(tmp_path: Path) -> dict[str, object]:
    space: dict[str, object] = {"__name__": "made"}
    exec(compile(TARGETS, str(tmp_path / "made.py"), "exec"), space)
    return space


def lost(module: dict[str, object], name: str) -> list[tuple[str, float]]:
    call = module[name]
    assert callable(call)

    def run(calls: int) -> None:
        for _ in range(calls):
            call()

    return [(fact["name"], fact["per_call"]) for fact in references(run, 50)]


def test_a_reference_that_is_lost_at_each_call_is_told(module: dict[str, object]) -> None:
    assert lost(module, "loses") == [("made.Settings", 1.0)]


def test_one_in_five_calls_is_told_as_such(module: dict[str, object]) -> None:
    assert lost(module, "loses_now_and_then") == [("made.Settings", 0.2)]


@pytest.mark.parametrize(
    "name", ["clean", "keeps", "keeps_instances", "keeps_what_the_collector_does_not_know"]
)
def test_what_something_holds_is_not_lost(module: dict[str, object], name: str) -> None:
    assert lost(module, name) == []


def test_what_threads_have_on_their_stacks_is_not_called_lost(module: dict[str, object]) -> None:
    finish = module["FINISH"]
    assert isinstance(finish, threading.Event)
    try:
        assert lost(module, "leaves_a_thread") == []
    finally:
        finish.set()


def test_a_check_with_everything_names_what_loses_references(tmp_path: Path) -> None:
    file = tmp_path / "extension.py"
    file.write_text(TARGETS)
    found = memcurve.check(f"{file}:loses", explain=True)
    assert found.explanation is not None
    told = found.explanation.lost_references
    assert told is not None
    assert [one.name for one in told] == ["extension.SETTINGS (extension.Settings)"]
    line = (
        "references   extension.SETTINGS (extension.Settings) gains references that nothing known"
    )
    assert line in check_text(found)
    assert check_shape(found).lost_references == told
    clean = memcurve.check(f"{file}:clean", explain=True)
    assert clean.explanation is not None
    assert clean.explanation.lost_references == ()
    assert "references   " not in check_text(clean)


def test_a_check_that_is_not_asked_for_everything_counts_no_references(tmp_path: Path) -> None:
    file = tmp_path / "extension.py"
    file.write_text(TARGETS)
    assert check_shape(memcurve.check(f"{file}:loses", calls=20)).lost_references is None


def test_a_full_run_tells_what_loses_references_in_table_page_and_json(tmp_path: Path) -> None:
    file = tmp_path / "extension.py"
    file.write_text(TARGETS)
    one = scenario("counted", designs={name: f"{file}:{name}" for name in ("loses", "clean")})
    options = RunOptions(calls=60, natural=False, explain="always", judge_all=False)
    outcomes = run_scenarios([one], options)
    view = view_of(run_of([one], outcomes, "memcurve run --full", 0.0))
    by_name = {design.name: design.lost_references for design in view.scenarios[0].designs}
    assert by_name["clean"] == ()
    (told,) = by_name["loses"] or ()
    assert told.name == "extension.SETTINGS (extension.Settings)"
    sentence = f"{told.name} gains references that nothing known to the collector holds"
    printed = io.StringIO()
    print_table(view, printed)
    assert f"counted, loses: {told.name}" in " ".join(printed.getvalue().split())
    assert sentence in html.unescape(render_html(view))
    assert sentence in markdown(view).replace("\\", "")
    designs = json.loads(summary_json(view))["scenarios"][0]["designs"]
    assert {one["name"]: len(one["lost_references"]) for one in designs} == {"loses": 1, "clean": 0}
