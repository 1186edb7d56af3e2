"""What stands at once is heavy or calm: by what stood, and by what is forecast here."""

import msgspec
import pytest

from memcurve.judge.debt import acts_for, debt_of
from memcurve.judge.judgement import judge
from memcurve.model.debt import Act, Calm, Forecast, Heavy, Relief, debt_name
from memcurve.model.recording import PassRecord, Recording
from memcurve.model.surveys import CollectorCounts, ResidentState, Surveys
from memcurve.model.thresholds import Thresholds
from memcurve.model.units import KIB, MIB
from memcurve.model.verdict import Rate
from memcurve.run.options import Options
from memcurve.run.passes import churn_survey

from .making import CurveMaker, curve, natural, recording, settled

START = CollectorCounts(young=0, middle=0, full=0, count=0, threshold=700)


def counted(
    memory: CurveMaker, *, end: CollectorCounts, begin: CollectorCounts = START
) -> PassRecord:
    """Make a natural pass at whose ends the collector's counts were read."""
    surveys = Surveys(begin=ResidentState(counts=begin), end=ResidentState(counts=end))
    return msgspec.structs.replace(natural(memory), surveys=surveys)


def leaving(each: int, memory: CurveMaker, *, end: CollectorCounts, objects: int = 2) -> Recording:
    """Make a recording whose calls leave so many bytes to the collector."""
    left = {
        "deferred_bytes": curve().flat().above(each),
        "deferred_objects": curve().flat().above(objects),
    }
    return recording(settled(**left), counted(memory, end=end))


def never(count: int) -> CollectorCounts:
    """Return counts of a collector that did not come."""
    return CollectorCounts(young=0, middle=0, full=0, count=count, threshold=700)


def test_more_than_is_allowed_stood() -> None:
    one = leaving(800 * KIB, curve().grows(per_call=800 * KIB), end=never(200))
    debt = judge(one).debt
    assert isinstance(debt, Heavy)
    assert debt.stood is not None
    assert debt.stood.bytes == 100 * 800 * KIB
    assert debt.here is not None
    assert debt.here.every == 350  # 700 objects, at two a call
    assert debt_name(debt) == "heavy"


def test_a_forecast_alone_convicts_nobody() -> None:
    one = leaving(300 * KIB, curve().grows(per_call=300 * KIB), end=never(200))
    debt = judge(one).debt
    assert isinstance(debt, Calm)
    assert debt.stood is not None
    assert debt.stood.bytes < debt.limit < debt.bytes


def test_what_stood_when_it_was_tried_convicts() -> None:
    one = leaving(300 * KIB, curve().grows(per_call=300 * KIB), end=never(200))
    longer = natural(curve(calls=300).grows(per_call=300 * KIB))
    tried = msgspec.structs.replace(longer, surveys=Surveys(act=Act()))
    debt = judge(msgspec.structs.replace(one, tried=(tried,))).debt
    assert isinstance(debt, Heavy)
    assert debt.stood is not None
    assert (debt.stood.calls, debt.stood.bytes) == (300, 300 * 300 * KIB)


@pytest.mark.parametrize("wall_s", [0.11, 1.5])
def test_calls_are_looked_at_on_a_busy_machine_as_on_a_calm_one(wall_s: float) -> None:
    one = leaving(30 * KIB, curve().grows(per_call=30 * KIB), end=never(200))
    passes = tuple(
        msgspec.structs.replace(record, cpu_s=0.1, wall_s=wall_s) for record in one.passes
    )
    look = churn_survey(msgspec.structs.replace(one, passes=passes), Options())
    assert look is not None
    assert (look.options["calls"], look.options["most"]) == (100, 1600)


def test_calls_that_work_too_long_are_not_looked_at() -> None:
    one = leaving(30 * KIB, curve().grows(per_call=30 * KIB), end=never(200))
    passes = tuple(msgspec.structs.replace(record, cpu_s=9.0) for record in one.passes)
    assert churn_survey(msgspec.structs.replace(one, passes=passes), Options()) is None


def test_a_little_garbage_is_calm() -> None:
    debt = judge(leaving(1000, curve().grows(per_call=1000), end=never(200))).debt
    assert isinstance(debt, Calm)
    assert debt.bytes == pytest.approx(350_000)


def test_where_each_call_starts_collections_little_stands() -> None:
    often = CollectorCounts(young=300, middle=27, full=0, count=40, threshold=700)
    one = leaving(300 * KIB, curve().flat().sawtooth(per_call=300 * KIB, every=2), end=often)
    assert isinstance(judge(one).debt, Calm)


def test_a_program_that_collects_each_tenth_call_is_calm() -> None:
    tidy = CollectorCounts(young=0, middle=0, full=10, count=3, threshold=700)
    one = leaving(800 * KIB, curve().flat().sawtooth(per_call=800 * KIB, every=10), end=tidy)
    debt = judge(one).debt
    assert isinstance(debt, Calm)
    assert debt.here is not None
    assert debt.here.calls == 10


def test_a_rise_in_a_natural_pass_that_leaves_nothing_is_no_debt() -> None:
    debt = judge(leaving(0, curve().grows(per_call=MIB), end=never(0), objects=0)).debt
    assert isinstance(debt, Calm)
    assert debt.bytes == 0
    assert debt.forecasts == ()


def test_without_counts_nothing_is_forecast() -> None:
    left = {
        "deferred_bytes": curve().flat().above(MIB),
        "deferred_objects": curve().flat().above(2),
    }
    debt = judge(recording(settled(**left), natural())).debt
    assert isinstance(debt, Calm)
    assert debt.here is None


def test_the_limit_is_the_one_that_was_chosen() -> None:
    one = leaving(20 * KIB, curve().grows(per_call=20 * KIB), end=never(200))
    assert isinstance(judge(one).debt, Calm)
    assert isinstance(judge(one, Thresholds(max_garbage=MIB)).debt, Heavy)


def test_descriptors_that_wait_are_told_by_the_call() -> None:
    one = leaving(1000, curve().grows(per_call=1000), end=never(200))
    last = one.passes[-1]
    end = ResidentState(counts=never(200), deferred_objects=200, deferred_descriptors=100)
    held = msgspec.structs.replace(last, surveys=Surveys(begin=last.surveys.begin, end=end))
    debt = debt_of(
        msgspec.structs.replace(one, passes=(one.passes[0], held)),
        Rate(bytes_per_call=1000, objects_per_call=2),
        Thresholds(),
    )
    assert debt.descriptors_per_call == 1


def test_acts_let_an_eighth_of_the_limit_stand() -> None:
    debt = Heavy(bytes_per_call=MIB, objects_per_call=2, limit=64 * MIB, here=_forecast(100 * MIB))
    assert acts_for(debt, net=3) == (
        Act(),
        Act(kind="collect", number=8),
        Act(kind="threshold", number=24),
        Act(kind="freeze"),
    )


def test_what_was_tried_is_compared_with_nothing_done() -> None:
    each = 800 * KIB
    one = leaving(each, curve().grows(per_call=each), end=never(200))
    without = natural(curve(calls=40).grows(per_call=each))
    collecting = natural(curve(calls=40).flat().sawtooth(per_call=each, every=8))
    tried = tuple(
        msgspec.structs.replace(record, surveys=Surveys(act=act))
        for record, act in ((without, Act()), (collecting, Act(kind="collect", number=8)))
    )
    debt = judge(msgspec.structs.replace(one, tried=tried)).debt
    assert isinstance(debt, Heavy)
    (relief,) = debt.reliefs
    assert relief == Relief(
        act=Act(kind="collect", number=8), stood=7 * each, without=40 * each, calls=40
    )


def _forecast(size: float) -> Forecast:
    return Forecast(versions="any", every=1, calls=1, objects=1, bytes=size, after=1)
