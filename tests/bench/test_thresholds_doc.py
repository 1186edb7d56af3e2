"""The figures in docs/thresholds.md are those of the code."""

import re
from pathlib import Path

import pytest

from bench.declaring import FOR_2_MS, FOR_4_MS, FOR_10_MS
from memcurve.compare.bands import BLIPS
from memcurve.model.units import KIB

DOC = " ".join((Path(__file__).parents[2] / "docs" / "thresholds.md").read_text().split())


@pytest.mark.parametrize(
    "words",
    [
        f"{FOR_2_MS:,} where a call takes two milliseconds",
        f"{FOR_4_MS} where it takes four",
        f"{FOR_10_MS} where it takes more than ten",
    ],
)
def test_the_calls_of_a_verdict_are_told_as_they_are(words: str) -> None:
    assert words in DOC


ROWS = {
    "live_bytes": "live bytes",
    "mapped_bytes": "mapped bytes",
    "children_bytes": "bytes of child processes",
    "deferred_bytes": "deferred bytes a call",
    "fds": "descriptors, threads",
    "threads": "descriptors, threads",
    "connections_opened": "connections opened (idle ones expire by the clock, after 5 s)",
    "tasks": "tasks",
    "failures": "failures",
}


def test_every_counter_of_the_band_has_a_row() -> None:
    assert ROWS.keys() == BLIPS.keys()


@pytest.mark.parametrize("counter", BLIPS)
def test_the_floor_of_a_band_is_told_as_it_is(counter: str) -> None:
    blip, share = BLIPS[counter].least, BLIPS[counter].share
    of_bytes = f"{blip / KIB:g} KiB" if counter.endswith("_bytes") else f"{blip:g}"
    row = re.search(rf"\| {re.escape(ROWS[counter])} \| ([^|]+) \| ([^|]+) \|", DOC)
    assert row is not None
    assert row.groups() == (of_bytes, f"{share * 100:g} %")
