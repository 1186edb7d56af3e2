"""Metrics are read off recordings as they are, and only real differences count."""

import pytest

from memcurve.compare.metrics import METRICS, Metrics, metric_sign, metrics_of
from memcurve.compare.ranking import standing, standings, winner
from memcurve.model.outcome import State
from memcurve.model.verdict import Rate
from memcurve.report.standings import advantage, standing_brief, standing_summary
from tests.memcurve.making import (
    curve,
    growing,
    inconclusive,
    judgement,
    natural,
    outcome,
    plateaued,
    recording,
    settled,
)

MIB = 1024**2
BY_KEY = {metric.key: metric for metric in METRICS}


def test_figures_are_growth_over_the_run_and_rates_a_call() -> None:
    made = recording(
        settled(connections_opened=curve(calls=300).grows(per_call=1).above(7)),
        natural(
            rss_bytes=curve().flat().above(60 * MIB),
            rss_peak_bytes=curve().grows(per_call=MIB, calls=4).flat().above(60 * MIB),
            fds=curve().flat().sawtooth(per_call=2, every=7).above(11),
            cpu_ns=curve().grows(per_call=5e6),
        ),
    )
    deferred = Rate(bytes_per_call=96.0, objects_per_call=2.0)
    found = metrics_of(outcome(made, judged=judgement(growing(857.0), deferred=deferred)))
    assert found == Metrics(
        retained=857.0, deferred=96.0, rss_peak=4 * MIB, fds=12, connections=100, cpu=0.005
    )


def test_what_was_not_measured_is_none_and_not_zero() -> None:
    found = metrics_of(outcome(recording(settled())))
    assert (found.rss_peak, found.fds, found.connections, found.cpu) == (None, None, None, None)


@pytest.mark.parametrize(
    ("verdict", "meant"),
    [(plateaued(at=20, size=9000), 0.0), (inconclusive(), None), (growing(64.0), 64.0)],
)
def test_only_a_proved_rate_is_a_figure(verdict: object, meant: float | None) -> None:
    made = outcome(recording(), judged=judgement(verdict))  # type: ignore[arg-type]
    assert metrics_of(made).retained == meant


@pytest.mark.parametrize(
    ("key", "value", "other", "meant"),
    [
        ("retained", 0.0, 0.5, "~"),
        ("retained", 0.0, 857.0, "better"),
        ("rss_peak", 10 * MIB, 10.9 * MIB, "~"),
        ("rss_peak", 90 * MIB, 95 * MIB, "~"),
        ("rss_peak", 9 * MIB, 3 * MIB, "worse"),
        ("cpu", 0.045, 0.008, "worse"),
    ],
)
def test_a_difference_counts_from_a_least_amount_and_a_tenth(
    key: str, value: float, other: float, meant: str
) -> None:
    assert metric_sign(BY_KEY[key], value, other) == meant


CHEAP = Metrics(retained=0.0, deferred=9e3, rss_peak=1e6, fds=2, connections=2, cpu=0.008)
COSTLY = Metrics(retained=0.0, deferred=9e5, rss_peak=9e6, fds=12, connections=200, cpu=0.045)


FLAT: dict[str, State] = {"naive": "flat", "published": "flat", "pooled": "flat"}


def test_a_lead_names_each_figure_with_its_factor() -> None:
    found = standing("pooled", "naive", {"pooled": CHEAP, "naive": COSTLY})
    assert standing_summary(found) == "better in 5 of 6 figures"
    assert standing_brief(found) == (
        "deferred 100x less, peak RSS growth 9x less, descriptors 6x less, "
        "connections 100x less, CPU 5.6x less; ~ retained"
    )


def test_designs_that_cost_the_same_have_no_winner() -> None:
    same = {"naive": COSTLY, "pooled": COSTLY}
    assert winner(same, FLAT) is None
    assert standing_summary(standing("pooled", "naive", same)) == "no difference"


@pytest.mark.parametrize(
    ("naive", "pooled", "meant"),
    [
        ("flat", "flat", "pooled"),
        ("flat", "inconclusive", "naive"),
        ("inconclusive", "inconclusive", "pooled"),
        ("flat", "growing", "naive"),
        ("growing", "growing", None),
        ("inconclusive", "growing", "naive"),
    ],
)
def test_the_cheaper_design_wins_unless_it_grows_or_it_alone_is_not_proved(
    naive: State, pooled: State, meant: str | None
) -> None:
    metrics = {"naive": COSTLY, "pooled": CHEAP}
    assert winner(metrics, {"naive": naive, "pooled": pooled}) == meant


def test_a_design_that_was_not_measured_neither_leads_nor_is_led() -> None:
    metrics = {"naive": COSTLY, "published": Metrics(), "pooled": CHEAP}
    assert [one.design for one in standings(metrics)] == ["pooled"]
    assert winner(metrics, FLAT | {"published": "failed"}) == "pooled"


def test_an_advantage_begins_with_what_is_nothing_here_then_with_the_widest_factor() -> None:
    metrics = {
        "naive": Metrics(retained=1000.0, deferred=900_000.0, connections=100.0, cpu=0.045),
        "pooled": Metrics(retained=0.0, deferred=9_000.0, connections=2.0, cpu=0.008),
    }
    told = advantage(standing("pooled", "naive", metrics))
    assert told == (
        "against naive: retained 1,000 B less a call, deferred 100x less, connections 50x less"
    )
    assert advantage(standing("naive", "pooled", metrics)) == ""
