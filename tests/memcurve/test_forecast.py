"""What is forecast to stand at once is what stands, on this interpreter and by the formulas."""

import sys

import pytest

from bench.proof.debt.run import Row, row_of
from memcurve.judge.churn import seen
from memcurve.judge.forecast import (
    COLLECTORS,
    INCREMENTAL,
    SINCE_3_13,
    UP_TO_3_12,
    collector_of,
    forecast,
    forecasts,
)
from memcurve.model.debt import Churn
from memcurve.model.surveys import ChurnSurvey
from memcurve.model.verdict import Rate

CYCLE = Churn(objects=1, bytes=1000, net=1, heap=20_000)


@pytest.mark.parametrize("name", ["young", "queue", "burst1500", "flood", "late"])
def test_what_is_forecast_stands(name: str) -> None:
    row = row_of(name, sys.executable)
    assert row.is_right, row


def test_a_collector_that_goes_by_the_heap_is_forecast_only_where_the_heap_was_seen() -> None:
    blind = Churn(objects=1, bytes=1000, net=1)
    assert [one.versions for one in forecasts(blind)] == [
        one.versions for one in COLLECTORS if not one.incremental
    ]
    assert len(forecasts(CYCLE)) == len(COLLECTORS)


def test_a_forecast_that_is_off_by_more_than_half_is_wrong() -> None:
    row = Row(name="young", python="3.11.7", calls=1, forecast=1600, stood=1000)
    assert not row.is_right


@pytest.mark.parametrize(
    ("version", "collector"),
    [
        ("3.8.18", UP_TO_3_12),
        ("3.12.1", UP_TO_3_12),
        ("3.13.0", SINCE_3_13),
        ("3.14.0rc1", INCREMENTAL),
        ("3.14.4", INCREMENTAL),
        ("3.14.5", SINCE_3_13),
        ("3.15.0a2", SINCE_3_13),
    ],
)
def test_each_version_has_its_collector(version: str, collector: object) -> None:
    assert collector_of(version) is collector


def test_young_garbage_stands_until_the_threshold() -> None:
    assert [round(one.calls) for one in forecasts(CYCLE)[:2]] == [700, 2000]
    assert forecast(CYCLE, UP_TO_3_12).bytes == 700_000


def test_what_a_call_keeps_beside_it_brings_the_collector_sooner() -> None:
    busy = Churn(objects=1, bytes=1000, net=10, heap=20_000)
    assert forecast(busy, UP_TO_3_12).calls == 70


def test_the_incremental_collector_lets_several_times_as_much_stand() -> None:
    later, today = forecast(CYCLE, INCREMENTAL), forecast(CYCLE, SINCE_3_13)
    assert later.calls > 5 * today.calls


def test_more_than_all_calls_left_never_stands() -> None:
    assert forecast(CYCLE, INCREMENTAL, within=100).calls == 100


def test_a_program_that_collects_by_itself_lets_no_more_stand_than_between_two_collections() -> (
    None
):
    tidy = Churn(objects=1, bytes=1000, net=1, heap=20_000, collected=20)
    assert [one.calls for one in forecasts(tidy)] == [20, 20, 20]


def test_the_threshold_that_a_program_chose_counts() -> None:
    chosen = Churn(objects=1, bytes=1000, net=1, heap=20_000, threshold=50)
    assert forecast(chosen, SINCE_3_13).calls == 50


def test_nothing_is_forecast_where_no_collector_runs_or_nothing_waits() -> None:
    assert forecasts(Churn(objects=1, bytes=1000, net=1, threshold=0)) == ()
    assert forecasts(Churn(objects=0, bytes=0, net=0)) == ()
    assert len(forecasts(CYCLE)) == len(COLLECTORS)


def test_what_grew_old_waits_for_the_older_generations() -> None:
    looked = ChurnSurvey(
        calls=100, net=1, heap=20_000, recent=50, young_objects=50, old_objects=50, old_bytes=50_000
    )
    old = seen(Rate(bytes_per_call=1000, objects_per_call=1), looked)
    assert forecast(old, UP_TO_3_12).calls > 3 * 700


def test_what_finalizers_bring_back_outlives_a_collection() -> None:
    looked = ChurnSurvey(calls=100, net=1, heap=20_000, young_objects=0, old_objects=0)
    back = seen(Rate(bytes_per_call=1000, objects_per_call=1), looked)
    assert back.revived
    assert forecast(back, UP_TO_3_12).calls > 700
