"""What stands at once is a curve and a table on the page, where it is enough for a word."""

import msgspec

from memcurve.judge.stood import standing_in, standing_of, stood_of
from memcurve.model.debt import Calm, Forecast, Stood
from memcurve.model.outcome import Outcome
from memcurve.model.units import KIB, MIB
from memcurve.model.verdict import Rate
from memcurve.report.arrange import view_of
from memcurve.report.garbage_table import garbage_table
from memcurve.report.html import render_html
from memcurve.report.panels import panels_of

from .making import curve, judgement, natural, outcome, recording, run, settled

RATE = Rate(bytes_per_call=300.0 * KIB, objects_per_call=3.0)


def forecast(versions: str, size: int) -> Forecast:
    return Forecast(versions=versions, every=10.0, calls=20.0, objects=60.0, bytes=size, after=10.0)


def debt(stood: int, *forecasts: Forecast) -> Calm:
    return Calm(
        bytes_per_call=RATE.bytes_per_call,
        objects_per_call=RATE.objects_per_call,
        limit=64.0 * MIB,
        stood=Stood(bytes=stood, at=9, calls=100),
        here=forecasts[0] if forecasts else None,
        forecasts=forecasts,
    )


def design(name: str, tooth: int, found: Calm | None = None, rate: Rate = RATE) -> Outcome:
    """A design whose heap rises by a tooth a call and falls back at every 10th, beside a level."""
    level = curve(calls=100).grows(per_call=40)
    rising = curve(calls=100).grows(per_call=40).sawtooth(per_call=tooth, every=10)
    made = recording(settled(level), natural(rising), scenario="node", design=name)
    judged = msgspec.structs.replace(judgement(deferred=rate), debt=found)
    return outcome(made, judged=judged)


def standing(name: str, *outcomes: Outcome) -> list[int]:
    panels = {panel.key: panel for panel in panels_of(outcomes)}
    line = panels["garbage"].line(name)
    assert line is not None
    return list(line.curve.values)


def test_the_curve_is_what_lives_above_the_settled_level() -> None:
    one = design("naive", 200 * KIB)
    passes = [one.recording.of(kind) for kind in ("natural", "settled")]
    assert passes[0] is not None
    assert passes[1] is not None
    found = stood_of(passes[0], passes[1], RATE)
    made = standing_in(passes[0], passes[1], RATE)
    assert found is not None
    assert found.bytes == max(made.values) > MIB
    assert made.values[0] == 0
    assert standing("naive", one) == list(made.values)


def test_no_more_stands_than_calls_left() -> None:
    little = Rate(bytes_per_call=2.0, objects_per_call=1.0)
    found = standing_of(design("naive", 200 * KIB).recording, little)
    assert found is not None
    assert max(found.values) <= 2 * 1.5 * 100


def test_all_designs_stand_in_one_panel_where_one_of_them_lets_a_mebibyte_stand() -> None:
    both = (design("naive", 200 * KIB), design("pooled", 10))
    assert max(standing("naive", *both)) > MIB
    assert max(standing("pooled", *both)) < KIB


def test_what_is_little_has_no_panel_and_no_table() -> None:
    pooled = design("pooled", 10, debt(1000, forecast("3.8 to 3.12", 2000)))
    assert "garbage" not in {panel.key for panel in panels_of([pooled])}
    assert garbage_table([pooled]) is None
    assert "What waits for the collector at once" not in render_html(view_of(run(pooled)))


def test_a_table_has_the_forecast_of_each_collector_and_what_is_not_known_is_a_dash() -> None:
    naive = design(
        "naive",
        200 * KIB,
        debt(2 * MIB, forecast("3.8 to 3.12", 21 * MIB), forecast("3.14.0 to 3.14.4", 2048 * MIB)),
    )
    pooled = design("pooled", 10, debt(1000))
    table = garbage_table([naive, pooled])
    assert table is not None
    assert table.collectors == ("3.8 to 3.12", "3.14.0 to 3.14.4")
    first, second = table.rows
    assert (first.left, first.stood) == ("300 KiB", "2.00 MiB")
    assert first.forecasts == ("21.0 MiB", "2.00 GiB")
    assert second.forecasts == ("-", "-")
    page = render_html(view_of(run(naive, pooled)))
    assert "What waits for the collector at once" in page
    assert "3.14.0 to 3.14.4</th>" in page
    assert "Garbage that stands" in page


def test_a_forecast_alone_is_worth_a_table() -> None:
    naive = design("naive", 10, debt(1000, forecast("3.14.0 to 3.14.4", 50 * MIB)))
    assert garbage_table([naive]) is not None
    assert garbage_table([design("naive", 10)]) is None
