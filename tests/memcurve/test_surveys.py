"""What a worker answers is decoded once, and what cannot be read is named."""

import msgspec
import pytest

from memcurve.model.answers import PathStep, texts_of
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.surveys import Surveys
from memcurve.model.survivors_survey import WindowMark

MARK = {"call": 7, "objects": 3, "pass_cpu_s": 0.5, "pass_calls": 7}


def test_an_answer_is_added_under_the_name_of_its_stage() -> None:
    surveys = Surveys().with_answer("mark", MARK).with_answer("middle", MARK | {"call": 9})
    assert surveys.mark == WindowMark(call=7, objects=3, pass_cpu_s=0.5, pass_calls=7)
    assert [answer.pass_calls for answer in surveys.answers()] == [7, 7]


def test_an_answer_that_cannot_be_read_is_told_by_stage_and_field() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"\$\.mark\.objects"):
        Surveys().with_answer("mark", MARK | {"objects": "three"})


def test_a_stage_that_nobody_knows_is_an_error_and_not_dropped() -> None:
    with pytest.raises(msgspec.ValidationError, match="marked"):
        Surveys().with_answer("marked", MARK)


def test_a_recording_keeps_only_what_was_answered() -> None:
    record = PassRecord(kind="natural", mode="natural").surveys
    assert msgspec.to_builtins(record) == {}


def test_a_recording_with_surveys_comes_back_as_it_was() -> None:
    surveys = Surveys().with_answer("begin", {"heap": 12}).with_answer("end", {})
    passes = (PassRecord(kind="natural", mode="natural", surveys=surveys),)
    made = Recording(
        scenario="s", design="d", target="m:f", calls=1, environment=None, passes=passes
    )
    assert Recording.from_json(made.to_json()) == made


def test_a_step_is_written_with_its_reference_where_that_has_a_name() -> None:
    steps = (PathStep("app.KEPT", "dict"), PathStep("", "app.Run"))
    assert texts_of(steps) == ("app.KEPT: dict", "app.Run")
