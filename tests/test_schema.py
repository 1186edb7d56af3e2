"""The JSON that programs read has the published schemas; an old file stays as it was.

Write them again with ``python -m tests.test_schema``. A change that an old reader trips over is a
new version, with a file of its own.
"""

import json
import sys
from pathlib import Path

import msgspec
import pytest

import memcurve
from memcurve.model.recording import Recording
from memcurve.report.arrange import view_of
from memcurve.report.json.check import CheckShape, check_shape
from memcurve.report.json.shape import json_text
from memcurve.report.json.shapes import SHAPES, schema_of
from memcurve.report.json.summary import SummaryShape, summary_json
from tests.memcurve.sample_run import sample_run

FOLDER = Path(__file__).parents[1] / "docs" / "schema"


@pytest.mark.parametrize("name", SHAPES)
def test_the_published_schema_is_that_of_the_code(name: str) -> None:
    published = (FOLDER / f"{name}.json").read_bytes()
    assert published == schema_of(name) + b"\n", "if that is meant: python -m tests.test_schema"


def test_what_check_prints_has_the_shape_that_its_schema_says() -> None:
    checked = memcurve.check(_keeps_nothing, calls=20, budget=0, isolation="none")
    shape = check_shape(checked)
    assert msgspec.json.decode(json_text(shape), type=CheckShape) == shape


def test_a_summary_has_the_shape_that_its_schema_says() -> None:
    msgspec.json.decode(summary_json(view_of(sample_run())), type=SummaryShape)


def test_a_key_that_no_schema_names_is_caught() -> None:
    value = json.loads(summary_json(view_of(sample_run()))) | {"mood": "good"}
    with pytest.raises(msgspec.ValidationError, match="mood"):
        msgspec.convert(value, SummaryShape)


def test_a_recording_reads_back_as_the_schema_says() -> None:
    checked = memcurve.check(_keeps_nothing, calls=20, budget=0, isolation="none")
    recording = checked.recording
    assert Recording.from_json(recording.to_json()) == recording
    required = json.loads(schema_of("recording-v1"))["$defs"]["Recording"]["required"]
    assert set(required) <= set(json.loads(recording.to_json()))


def _keeps_nothing() -> None:
    """Do nothing, at each call."""


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in SHAPES:
        (FOLDER / f"{name}.json").write_bytes(schema_of(name) + b"\n")
    sys.stdout.write(f"{FOLDER.name}: {len(SHAPES)} schemas\n")
