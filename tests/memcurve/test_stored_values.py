"""Whatever is stored comes back as it was, whatever stands in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memcurve.model.baseline import AcceptedDesign, Baseline
from memcurve.model.diagnosis import Diagnosis
from memcurve.model.findings import Explanation, Ledger
from memcurve.model.recording import Environment, Recording
from memcurve.model.thresholds import Thresholds
from memcurve.store import files as store
from memcurve.store.findings import Findings
from tests.memcurve.making import environment
from tests.memcurve.values import NAMES, values

if TYPE_CHECKING:
    from pathlib import Path

FEW = 25  # each of these writes files, and waits for the disk

ENVIRONMENTS = values(
    Environment,
    python=st.from_regex(r"3\.\d{1,2}\.\d{1,2}", fullmatch=True),
    implementation=NAMES,
    platform=NAMES,
    machine=NAMES,
    libc=NAMES,
    allocator=NAMES,
)
BASELINES = values(
    Baseline,
    scenario=NAMES,
    environment=ENVIRONMENTS,
    designs=st.dictionaries(NAMES, values(AcceptedDesign), max_size=2),
)


def baseline(*, reason: str) -> Baseline:
    return Baseline(
        scenario="rag_client",
        environment=environment(),
        reason=reason,
        accepted_at="2026-11-22T12:00:00+00:00",
        repeats=5,
        designs={},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stored")


@given(values(Recording))
def test_a_recording_comes_back_as_it_was_measured(measured: Recording) -> None:
    assert Recording.from_json(measured.to_json()) == measured


@settings(max_examples=FEW)
@given(measured=values(Recording, scenario=NAMES, design=NAMES))
def test_a_recording_comes_back_from_the_disk(folder: Path, measured: Recording) -> None:
    store.save_recordings(folder, [measured])
    path = store.recording_path(folder, measured.scenario, measured.design)
    assert store.load_recording(path) == measured


@settings(max_examples=FEW)
@given(accepted=BASELINES)
@example(accepted=baseline(reason="a next\x85line, and\u2028one more"))
def test_a_baseline_that_is_saved_again_is_the_same_file(folder: Path, accepted: Baseline) -> None:
    path = store.save_baseline(folder, accepted)
    written = path.read_bytes()
    loaded = store.load_baseline(folder, accepted.environment.key, accepted.scenario)
    assert loaded is not None
    assert (loaded.reason, loaded.environment) == (accepted.reason, accepted.environment)
    assert loaded.designs.keys() == accepted.designs.keys()
    store.save_baseline(folder, loaded)
    assert path.read_bytes() == written


@pytest.mark.parametrize("kind", [Diagnosis, Explanation, Findings, Ledger, Thresholds])
@given(data=st.data())
def test_what_else_is_kept_or_printed_comes_back(
    kind: type[msgspec.Struct], data: st.DataObject
) -> None:
    value = data.draw(values(kind))
    assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
