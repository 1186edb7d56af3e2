"""Judge what stands at once because the collector has not come yet: calm or heavy.

    stood     the most of what stood in a natural pass (`stood`)
    here      the forecast for the interpreter that was measured, within `HORIZON` calls
    heavy     more than `max_garbage` stood

A forecast convicts nobody: where more is forecast than is allowed, it is run (`run.standing`).

What leaves nothing to the collector is calm whatever its curves do: both figures are bounded by
what calls left. A program that collects by itself is judged by how often it does.
"""

import math
from typing import TypedDict

import msgspec

from memcurve.judge.churn import churn_of
from memcurve.judge.forecast import collector_of, forecast, forecasts, is_known, waits
from memcurve.judge.stood import most_that_stood, stood_of
from memcurve.model.debt import Act, Calm, Churn, Debt, Forecast, Heavy, Relief, Stood
from memcurve.model.recording import Environment, PassRecord, Recording
from memcurve.model.surveys import Surveys
from memcurve.model.thresholds import Thresholds
from memcurve.model.verdict import Rate

HORIZON = 10_000
"""Calls within which a forecast must come true to be heavy: what a service makes in an hour at
three a second. What is caught by one collection in many adds up for longer, but less surely."""
SHARE_OF_THE_LIMIT = 8
"""Acts by number are set so that an eighth of what is allowed stands: relief that can be seen."""


class _Fields(TypedDict):
    bytes_per_call: float
    objects_per_call: float
    descriptors_per_call: float
    limit: float
    stood: Stood | None
    here: Forecast | None
    forecasts: tuple[Forecast, ...]


def debt_of(recording: Recording, rate: Rate, thresholds: Thresholds) -> Debt:
    """Judge what a recording's calls leave to the collector, at the rate that was judged."""
    natural, settled = recording.of("natural"), recording.of("settled")
    churn = churn_of(rate, natural)
    fields: _Fields = {
        "bytes_per_call": rate.bytes_per_call,
        "objects_per_call": rate.objects_per_call,
        "descriptors_per_call": _descriptors(rate, natural.surveys) if natural else 0.0,
        "limit": float(thresholds.max_garbage),
        "stood": most_that_stood(recording, rate) if settled else None,
        "here": _here(churn, recording.environment) if churn and waits(rate) else None,
        "forecasts": forecasts(churn, HORIZON) if churn else (),
    }
    stood = fields["stood"]
    if stood is None or stood.bytes <= fields["limit"]:
        return Calm(**fields)
    return Heavy(**fields, reliefs=reliefs_of(recording, rate))


def with_debt(recording: Recording, rate: Rate, debt: Debt | None) -> Debt | None:
    """Return a verdict with what was tried since."""
    if not isinstance(debt, Heavy):
        return debt
    return msgspec.structs.replace(debt, reliefs=reliefs_of(recording, rate))


def _here(churn: Churn, environment: Environment | None) -> Forecast | None:
    """Return the forecast for the interpreter that was measured, as its program has set it."""
    if environment is None or environment.implementation != "CPython" or environment.free_threaded:
        return None  # another collector, of which nothing is known here
    if churn.threshold == 0:
        return None  # it is off: what stood is all that can be said
    collector = collector_of(environment.python)
    return forecast(churn, collector, HORIZON) if is_known(churn, collector) else None


def _descriptors(rate: Rate, surveys: Surveys) -> float:
    """Return the descriptors that wait with the garbage of a call."""
    found, end = surveys.churn, surveys.end
    if found is not None and found.calls:
        return found.descriptors / found.calls
    if end is not None and end.deferred_objects:
        return end.deferred_descriptors / end.deferred_objects * rate.objects_per_call
    return 0.0


def acts_for(debt: Heavy, net: float) -> tuple[Act, ...]:
    """Return what to try: nothing first, to compare with.

    `net` is by how much a call raises the collector's count.
    """
    calls = calls_of_a_share(debt)
    return (
        Act(),
        Act(kind="collect", number=calls),
        Act(kind="threshold", number=max(math.ceil(calls * net), 1)),
        Act(kind="freeze"),
    )


def calls_of_a_share(debt: Heavy) -> int:
    """Return the calls whose garbage is an eighth of what is allowed, one at least."""
    return max(int(debt.limit / SHARE_OF_THE_LIMIT / max(debt.bytes_per_call, 1.0)), 1)


def reliefs_of(recording: Recording, rate: Rate) -> tuple[Relief, ...]:
    """Return what each act that was tried leaves standing."""
    settled = recording.of("settled")
    tried = [(one.surveys.act, one) for one in recording.tried if one.failure is None]
    without = next((one for act, one in tried if act is not None and act.kind == "nothing"), None)
    if settled is None or without is None:
        return ()
    return tuple(
        _relief(act, one, without, settled, rate)
        for act, one in tried
        if act is not None and act.kind != "nothing"
    )


def _relief(
    act: Act, tried: PassRecord, without: PassRecord, settled: PassRecord, rate: Rate
) -> Relief:
    stood, before = (stood_of(one, settled, rate) for one in (tried, without))
    return Relief(
        act=act,
        stood=stood.bytes if stood is not None else 0,
        without=before.bytes if before is not None else 0,
        calls=tried.calls,
        cpu_share=tried.cpu_s / without.cpu_s - 1 if without.cpu_s > 0 else 0.0,
    )
