"""Spoiled files of others are taken or refused in one line; `make fuzz` tries many more."""

import json
from pathlib import Path

import pytest

from bench.proof.fuzz import trial
from bench.proof.fuzz.run import spoil_all
from bench.proof.fuzz.trial import Place, WrongEndError
from memcurve.store import files
from tests.memcurve.command_line import run_command

EXAMPLES = 120  # a tenth of a second each


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("fuzz"))


def refused(place: Place, name: str, data: bytes) -> str:
    """Return the one line by which a file with this in it is refused, in its folder."""
    Path(name).write_bytes(data)
    try:
        done = run_command("compare")
    finally:
        Path(name).write_bytes(place.files[name])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"memcurve: {name}: ")
    return line


def test_a_spoiled_file_is_taken_or_costs_one_line(place: Place) -> None:
    assert {Path(name).parts[0] for name in place.files} == {"reports", "shard", "known-leaks.toml"}
    assert spoil_all(place, EXAMPLES, number=3, draws=False) >= EXAMPLES


def test_a_traceback_of_ours_would_be_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("of our own")

    monkeypatch.setattr(files, "decoded", broken)
    name = "reports/recordings/suite/clean.json"
    with pytest.raises(WrongEndError, match="a fault of memcurve itself"):
        place.try_one(name, place.files[name], [("compare",)])


def test_a_hang_would_be_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MOST_S", 0.0)
    name = "reports/recordings/suite/clean.json"
    with pytest.raises(WrongEndError, match="took"):
        place.try_one(name, place.files[name], [("compare",)])


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [
        ("recordings", "scenario", "../../x", "scenario: '../../x': it would name another folder"),
        ("recordings", "design", "", "design: '': it is empty"),
        ("recordings", "calls", -5, "calls: -5 is not between 1 and"),
        ("recordings", "calls", 10**400, "calls"),
        ("recordings", "passes", "none", "Expected `array`, got `str` - at `$.passes`"),
        ("baselines", "reason", 5, "Expected `str`, got `int` - at `$.reason`"),
        ("baselines", "scenario", "other", "holds other of"),
        ("baselines", "repeats", 10**400, "repeats"),
    ],
    ids=["parent", "empty", "below-0", "huge", "type", "text", "moved", "huge-too"],
)
def test_file_and_field_are_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, kind: str, field: str, value: object, said: str
) -> None:
    (name,) = (one for one in place.files if kind in one and "leaks.json" not in one)
    monkeypatch.chdir(place.folder)
    document = json.loads(place.files[name]) | {field: value}
    assert said in refused(place, name, json.dumps(document).encode())


def test_a_stored_name_chooses_no_path(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "reports/recordings/suite/clean.json"
    monkeypatch.chdir(place.folder)
    document = json.loads(place.files[name]) | {"scenario": "../../x"}
    Path(name).write_text(json.dumps(document))
    before = sorted(place.folder.parent.rglob("*"))
    try:
        assert run_command("report").exit_code == 2
    finally:
        Path(name).write_bytes(place.files[name])
    assert sorted(place.folder.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"schema_version": 1, "x": ' + b"[" * 100_000, "nested too deep"),
        (b'{"schema_version": 1, "scenario": "\xff"}', "not a recording"),
        (b"", "not a recording"),
        (b'{"schema_version": 99}', "recording version 99 is not 1"),
    ],
    ids=["deep", "utf-8", "empty", "version"],
)
def test_what_is_no_recording_is_one_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, text: bytes, said: str
) -> None:
    name = "reports/recordings/suite/clean.json"
    monkeypatch.chdir(place.folder)
    assert said in refused(place, name, text)
