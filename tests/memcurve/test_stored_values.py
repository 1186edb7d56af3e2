"""Whatever is stored comes back as it was, whatever stands in it; text comes back printable."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from memcurve.model.baseline import AcceptedDesign, Baseline
from memcurve.model.diagnosis import Diagnosis
from memcurve.model.findings import Explanation, Ledger
from memcurve.model.recording import Environment, Recording
from memcurve.model.text import printable_json
from memcurve.model.thresholds import Thresholds
from memcurve.store import files as store
from memcurve.store.findings import Findings
from tests.memcurve.making import accepted, curve, environment, settled
from tests.memcurve.values import NAMES, values

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T", bound=msgspec.Struct)

FEW = 25  # each of these writes files, and waits for the disk

ENVIRONMENTS = values(
    Environment,
    python=st.from_regex(r"3\.\d{1,2}\.\d{1,2}", fullmatch=True),
    implementation=NAMES,
    platform=NAMES,
    machine=NAMES,
    libc=NAMES,
    allocator=NAMES,
    cpus=st.integers(0, 4096),
)
CURVES = st.dictionaries(
    NAMES,
    st.builds(
        lambda per_call, band: accepted(curve(calls=20).grows(per_call=per_call), band=band),
        st.floats(0, 1e9),
        st.floats(0, 1e9),
    ),
    max_size=2,
)
BYTES = st.floats(0, 1e15)  # what is more than 64 bits hold is refused
ACCEPTED = values(
    AcceptedDesign,
    curves=CURVES,
    retained_per_call=BYTES,
    deferred_per_call=BYTES,
    garbage_bytes=BYTES,
)
BASELINES = values(
    Baseline,
    scenario=NAMES,
    environment=ENVIRONMENTS,
    repeats=st.integers(1, 1000),
    designs=st.dictionaries(NAMES, ACCEPTED, max_size=2),
)
PASSES = st.lists(
    st.builds(
        lambda calls, per_call: settled(curve(calls=calls).grows(per_call=per_call)),
        st.integers(1, 50),
        st.floats(0, 1e9),
    ),
    max_size=2,
).map(tuple)
RECORDINGS = values(  # what a measurement can give: the rest is refused, see bench/proof/fuzz
    Recording,
    scenario=NAMES,
    design=NAMES,
    calls=st.integers(1, 10**9),
    passes=PASSES,
    set_aside=PASSES,
    tried=PASSES,
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


def as_printable(value: T) -> T:
    """Return a value as it is read: control characters of its texts as escapes."""
    return msgspec.json.decode(printable_json(msgspec.json.encode(value)), type=type(value))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stored")


@given(values(Recording))
def test_a_recording_comes_back_as_it_was_measured(measured: Recording) -> None:
    assert Recording.from_json(measured.to_json()) == measured


@settings(max_examples=FEW)
@given(measured=RECORDINGS)
def test_a_recording_comes_back_from_the_disk(folder: Path, measured: Recording) -> None:
    store.save_recordings(folder, [measured])
    path = store.recording_path(folder, measured.scenario, measured.design)
    assert store.load_recording(path) == as_printable(measured)


@settings(max_examples=FEW)
@given(kept=BASELINES)
@example(kept=baseline(reason="a next\x85line, and\u2028one more"))
def test_a_baseline_that_is_saved_again_is_the_same_file(folder: Path, kept: Baseline) -> None:
    shown = as_printable(kept)
    written = store.save_baseline(folder, shown).read_bytes()
    path = store.save_baseline(folder, kept)
    loaded = store.load_baseline(folder, kept.environment.key, kept.scenario)
    assert loaded is not None
    assert (loaded.reason, loaded.environment) == (shown.reason, shown.environment)
    assert loaded.designs.keys() == kept.designs.keys()
    store.save_baseline(folder, loaded)
    assert path.read_bytes() == written


@pytest.mark.parametrize("kind", [Diagnosis, Explanation, Findings, Ledger, Thresholds])
@given(data=st.data())
def test_what_else_is_kept_or_printed_comes_back(
    kind: type[msgspec.Struct], data: st.DataObject
) -> None:
    value = data.draw(values(kind))
    assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value
