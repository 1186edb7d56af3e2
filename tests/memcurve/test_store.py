"""Files: written in one step, and never read as something that they are not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from memcurve.model.baseline import AcceptedCurve, AcceptedDesign, Baseline
from memcurve.model.errors import RecordingError
from memcurve.store import files as store
from tests.memcurve.making import curve, environment, recording, settled

if TYPE_CHECKING:
    from pathlib import Path

HERE = environment()


def made(scenario: str = "rag_client") -> Baseline:
    held = AcceptedCurve(
        counter="live_bytes", calls=(0, 50), values=(0, 1.005), low=(-9, -8), high=(9, 10)
    )
    return Baseline(
        scenario=scenario,
        environment=HERE,
        reason="they are right",
        accepted_at="2026-11-22T12:00:00+00:00",
        repeats=5,
        designs={"pooled": AcceptedDesign(curves={"live_bytes": held}, verdict="flat")},
    )


def test_a_baseline_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    path = store.save_baseline(tmp_path, made())
    assert path == tmp_path / HERE.key / "rag_client.json"
    found = store.load_baseline(tmp_path, HERE.key, "rag_client")
    assert found is not None
    assert found.reason == "they are right"
    assert found.designs["pooled"].curves["live_bytes"].high == (9, 10)


def test_a_baseline_has_one_line_for_each_row_of_numbers(tmp_path: Path) -> None:
    text = store.save_baseline(tmp_path, made()).read_text()
    assert [line for line in text.splitlines() if '"calls"' in line] == [
        line for line in text.splitlines() if '"calls": [0, 50]' in line
    ]
    json.loads(text)


def test_no_baseline_is_none_and_not_an_error(tmp_path: Path) -> None:
    assert store.load_baseline(tmp_path, HERE.key, "rag_client") is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"schema_version": 1}', b"\xff\xfe"])
def test_a_damaged_baseline_is_told_by_its_file_and_its_remedy(
    tmp_path: Path, damage: bytes
) -> None:
    path = store.save_baseline(tmp_path, made())
    path.write_bytes(damage)
    with pytest.raises(RecordingError, match=r"rag_client\.json.*accept again"):
        store.load_baseline(tmp_path, HERE.key, "rag_client")


def test_a_baseline_of_another_version_is_refused(tmp_path: Path) -> None:
    path = store.save_baseline(tmp_path, made())
    path.write_bytes(path.read_bytes().replace(b'"schema_version": 1', b'"schema_version": 99'))
    with pytest.raises(RecordingError, match="version 99 is not 1"):
        store.load_baseline(tmp_path, HERE.key, "rag_client")


def test_a_baseline_in_the_place_of_another_environment_is_refused(tmp_path: Path) -> None:
    path = store.save_baseline(tmp_path, made())
    foreign = tmp_path / "cpython3.99-linux-x86_64-glibc-pymalloc" / "rag_client.json"
    foreign.parent.mkdir()
    path.rename(foreign)
    with pytest.raises(RecordingError, match="holds rag_client of"):
        store.load_baseline(tmp_path, foreign.parent.name, "rag_client")


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    store.replace_file(path, b"old")
    with pytest.raises(TypeError):
        store.replace_file(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_recordings_come_back_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    kept = recording(settled(curve().flat()))
    store.save_recordings(tmp_path, [kept])
    assert store.load_recordings(tmp_path) == [kept]
    path = store.recording_path(tmp_path, kept.scenario, kept.design)
    path.write_bytes(msgspec.json.encode({"schema_version": 99}))
    with pytest.raises(RecordingError, match=r"naive\.json.*version 99"):
        store.load_recordings(tmp_path)


def test_no_recordings_are_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="memcurve run first"):
        store.load_recordings(tmp_path)
