"""The five verdicts, and which of several decides."""

from memcurve.model.verdict import GATED, name_of
from tests.memcurve.making import flat, growing, inconclusive, judgement, plateaued


def test_each_verdict_has_the_word_that_json_and_tables_use() -> None:
    verdicts = [flat(), plateaued(at=9, size=1), growing(96.0), inconclusive()]
    assert [name_of(one) for one in verdicts] == ["flat", "plateaued", "growing", "inconclusive"]


def test_the_worst_of_memory_and_resources_decides() -> None:
    assert name_of(judgement().overall) == "flat"
    assert name_of(judgement(plateaued(at=9, size=1)).overall) == "plateaued"
    assert name_of(judgement(plateaued(at=9, size=1), fds=inconclusive()).overall) == "inconclusive"
    assert name_of(judgement(inconclusive(), tasks=growing(1.0, "tasks")).overall) == "growing"


def test_memory_decides_among_equals() -> None:
    found = judgement(growing(96.0), fds=growing(1.0, "fds")).overall
    assert found.evidence.counter == "live_bytes"


def test_deferred_bytes_never_decide() -> None:
    assert "deferred" not in GATED
    assert name_of(judgement(deferred=None, retained=flat()).overall) == "flat"
