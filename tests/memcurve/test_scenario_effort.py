"""How far each design of a benchmark is run: by what is expected of it and what its calls cost."""

from memcurve import scenario
from memcurve.model.effort import Effort
from memcurve.model.scenario import Scenario
from memcurve.model.thresholds import Thresholds
from memcurve.run.options import RunOptions
from memcurve.run.scenario_effort import effort_of

THRESHOLDS = Thresholds()


def two_designs(calls: int = 100, verdict_calls: int | None = None) -> Scenario:
    return scenario(
        "shop",
        {"naive": "os:getpid", "pooled": "os:getpid"},
        calls=calls,
        verdict_calls=verdict_calls,
        may_grow=("naive",),
        brief=("naive",),
    )


def effort(design: str, calls: int = 100, verdict_calls: int | None = None) -> Effort:
    return effort_of(two_designs(calls, verdict_calls), design, RunOptions())


def test_what_may_grow_is_followed_to_where_it_may_be_called_growing() -> None:
    naive = effort("naive")
    assert (naive.throughout, naive.followed_to) == (100, THRESHOLDS.least_calls)
    assert naive.open_to == 400


def test_expensive_calls_of_what_may_grow_are_not_followed() -> None:
    naive = effort("naive", calls=25)
    assert (naive.throughout, naive.followed_to, naive.open_to) == (25, 0, 100)


def test_what_must_not_grow_is_run_for_its_verdict_and_followed_further() -> None:
    pooled = effort("pooled", verdict_calls=600)
    assert (pooled.throughout, pooled.followed_to) == (600, THRESHOLDS.most_calls)
    assert pooled.open_to == 0
