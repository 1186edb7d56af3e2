"""The verdicts on a whole recording, from its settled pass."""

import msgspec
import pytest

from memcurve.judge.judgement import judge
from memcurve.model.verdict import Flat, Growing, Inconclusive, Plateaued, Rising, name_of
from tests.memcurve.making import curve, natural, recording, settled


def test_flat_in_everything_is_flat() -> None:
    found = judge(recording(settled(curve(calls=250).flat())))
    assert {name_of(verdict) for verdict in found.verdicts.values()} == {"flat"}


def test_a_verified_leak_is_growing_up_to_the_calls_that_exclude_a_bound() -> None:
    found = judge(recording(settled(curve(calls=1500).grows(per_call=96)))).overall
    assert isinstance(found, Growing)
    assert found.no_bound_up_to == 1500
    assert found.low <= 96 <= found.high


def test_nothing_is_growing_before_what_was_frozen_is_given_back() -> None:
    record = settled(curve(calls=1500).grows(per_call=96), verified=False)
    found = judge(recording(record)).overall
    assert isinstance(found, Inconclusive)
    assert "not given back" in found.why


def test_fewer_than_100_calls_are_no_conviction_and_what_rises_in_them_is_told() -> None:
    found = judge(recording(settled(curve(calls=80).grows(per_call=96)))).overall
    assert isinstance(found, Rising)
    assert found.low > 90
    assert "too few to exclude a bound" in found.why


def test_fewer_than_12_calls_decide_nothing() -> None:
    for made in (curve(calls=11).grows(per_call=96), curve(calls=11).flat()):
        found = judge(recording(settled(made))).overall
        assert isinstance(found, Inconclusive)
        assert found.settle_by == "12 calls"


def test_the_calls_of_a_look_count_too() -> None:
    record = msgspec.structs.replace(settled(curve(calls=9).grows(per_call=96)), looked_at=3)
    assert isinstance(judge(recording(record)).overall, Rising)


def test_a_warm_up_that_ended_is_plateaued_with_its_size() -> None:
    found = judge(recording(settled(curve(calls=400).grows(per_call=500, calls=100).flat())))
    assert isinstance(found.retained, Plateaued)
    assert found.retained.size == 50_000
    assert not found.retained.projected


def test_growth_that_decays_is_plateaued_where_it_leads() -> None:
    record = settled(curve(calls=1500).fills(to=2_000_000, within=600))
    found = judge(recording(record)).retained
    assert isinstance(found, Plateaued)
    assert found.projected
    assert 1_700_000 < found.size < 2_300_000


def test_descriptors_are_judged_beside_memory_and_decide_if_they_are_worse() -> None:
    record = settled(curve(calls=1500).flat(), fds=curve(calls=1500).grows(per_call=1))
    found = judge(recording(record))
    assert isinstance(found.retained, Flat)
    assert isinstance(found.overall, Growing)
    assert found.overall.evidence.counter == "fds"


def test_deferred_bytes_have_a_verdict_that_does_not_decide() -> None:
    record = settled(curve(calls=300).flat(), deferred_bytes=curve(calls=300).grows(per_call=900))
    found = judge(recording(record))
    assert not isinstance(found.verdicts["deferred"], Flat)
    assert isinstance(found.overall, Flat)


def test_the_slope_is_split_between_the_heaps() -> None:
    record = settled(
        curve(calls=1500).grows(per_call=100), malloc=curve(calls=1500).grows(per_call=900)
    )
    found = judge(recording(record))
    assert found.python_per_call == pytest.approx(100)
    assert found.native_per_call == pytest.approx(900)


def test_a_recording_without_a_settled_pass_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="no settled pass"):
        judge(recording(natural(curve(calls=100).flat())))


def test_a_resource_that_was_not_read_in_each_row_is_a_caveat() -> None:
    partly = curve(calls=300).flat().above(11).sampled(every=3)
    found = judge(recording(settled(curve(calls=300).flat(), fds=partly)))
    assert [(one.kind, one.text) for one in found.caveats] == [
        ("resources_unread", "descriptors could not be read in 200 of 301 rows")
    ]


def test_a_resource_that_nothing_can_read_is_a_caveat() -> None:
    record = settled(curve(calls=300).flat())
    seen = {name: one for name, one in record.samples.counters.items() if name != "threads"}
    blind = msgspec.structs.replace(
        record, samples=msgspec.structs.replace(record.samples, counters=seen)
    )
    found = judge(recording(blind))
    assert [one.text for one in found.caveats] == ["threads could not be read in any of 301 rows"]
    assert not judge(recording(record)).caveats


def test_figures_of_one_part_are_said_of_that_part() -> None:
    steps = curve(calls=1500).steps(by=2 << 20, every=260)
    record = settled(curve(calls=1500).grows(per_call=600), mapped_bytes=steps)
    retained = judge(recording(record)).retained
    assert isinstance(retained, Growing)
    assert 590 < retained.low <= retained.high < 610
    assert retained.evidence.where == ("both heaps",)
