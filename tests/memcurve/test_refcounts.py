"""A reference that nothing holds is told by its object, and one that is held somewhere is not."""

from pathlib import Path

import pytest

import memcurve
from memcurve.measure.worker.refcounts import references

TARGETS = """
import ctypes

incref = ctypes.pythonapi.Py_IncRef
incref.argtypes, incref.restype = [ctypes.py_object], None

class Settings:
    pass

SETTINGS, NAMED = Settings(), [Settings() for _ in range(3)]
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


def test_a_check_with_everything_names_what_loses_references(tmp_path: Path) -> None:
    file = tmp_path / "extension.py"
    file.write_text(TARGETS)
    found = memcurve.check(f"{file}:loses", explain=True)
    assert found.explanation is not None
    told = [note for note in found.explanation.notes if "gains references" in note]
    assert len(told) == 1
    assert told[0].startswith("extension.SETTINGS (extension.Settings) gains references that")
    clean = memcurve.check(f"{file}:clean", explain=True)
    assert clean.explanation is not None
    assert [note for note in clean.explanation.notes if "gains references" in note] == []
