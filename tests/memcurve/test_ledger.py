"""The ledger: what each row takes, and what is left."""

from pathlib import Path

import msgspec
import pytest

from memcurve.judge.ledger import ledger_of, ledger_of_pass
from memcurve.model.effort import Effort
from memcurve.model.findings import Ledger
from memcurve.model.recording import PassRecord
from memcurve.model.scenario import Target
from memcurve.model.surveys import Surveys
from memcurve.model.units import MIB
from memcurve.run.interpreter import Interpreter
from memcurve.run.options import Options
from memcurve.run.passes import Subject, measured

BEGIN = {
    "python_bytes": 10 * MIB,
    "malloc_bytes": 20 * MIB,
    "rss_bytes": 60 * MIB,
    "arena_bytes": 11 * MIB,
    "malloc_system_bytes": 21 * MIB,
    "malloc_free_bytes": 1 * MIB,
    "heap": 32 * MIB,
    "stack": 1 * MIB,
    "other": 27 * MIB,
    "heap_size": 32 * MIB,
}


def surveys(**answers: dict[str, int]) -> Surveys:
    return msgspec.convert(answers, Surveys)


def ledger(**grown: int) -> Ledger:
    """Return the ledger of a pass whose figures grew by so many MiB."""
    end = {name: value + grown.pop(name, 0) * MIB for name, value in BEGIN.items()}
    end.update({name: value * MIB for name, value in grown.items()})
    record = PassRecord(kind="natural", mode="natural", surveys=surveys(begin=BEGIN, end=end))
    found = ledger_of_pass(record)
    assert found is not None
    return found


def rows(found: Ledger) -> list[int]:
    names = ("retained_python", "retained_malloc", "deferred", "allocator_slack")
    return [getattr(found, name) // MIB for name in (*names, "other_mappings", "residual")]


def test_live_bytes_of_each_heap_are_its_own_row() -> None:
    found = ledger(
        python_bytes=3,
        malloc_bytes=5,
        rss_bytes=8,
        arena_bytes=3,
        malloc_system_bytes=5,
        heap=8,
        heap_size=8,
    )
    assert rows(found) == [3, 5, 0, 0, 0, 0]


def test_fragmentation_is_told_from_a_leak() -> None:
    found = ledger(rss_bytes=8, malloc_system_bytes=8, malloc_free_bytes=8, heap=8, heap_size=8)
    assert rows(found) == [0, 0, 0, 8, 0, 0]


def test_what_the_collector_would_free_is_deferred_and_not_retained() -> None:
    found = ledger(
        malloc_bytes=5,
        rss_bytes=5,
        malloc_system_bytes=5,
        heap=5,
        heap_size=5,
        deferred_malloc=4,
    )
    assert rows(found) == [0, 1, 4, 0, 0, 0]


def test_memory_that_no_allocator_asked_for_is_another_mapping() -> None:
    assert rows(ledger(rss_bytes=9, heap=6, heap_size=64, stack=1, other=2)) == [0, 0, 0, 0, 9, 0]


def test_live_memory_that_was_never_touched_does_not_count_as_resident() -> None:
    found = ledger(malloc_bytes=50, malloc_system_bytes=50, heap=1, rss_bytes=1, heap_size=50)
    assert rows(found) == [0, 50, 0, -49, 0, 0]


def test_the_rows_and_the_residual_add_up_to_the_growth() -> None:
    found = ledger(python_bytes=2, rss_bytes=9, arena_bytes=4, heap=3, heap_size=4, other=1)
    assert sum(rows(found)) * MIB == found.rss


def test_without_smaps_there_is_no_ledger() -> None:
    record = PassRecord(kind="natural", mode="natural", surveys=surveys(begin={}, end={}))
    assert ledger_of_pass(record) is None


SOURCE = """
KEPT = []

def objects(number):
    KEPT.append([str(number + i) * 9 for i in range(2000)])

def blocks(number):
    KEPT.append(bytes(200_000))
"""


@pytest.mark.parametrize(
    ("name", "row"), [("objects", "retained_python"), ("blocks", "retained_malloc")]
)
def test_a_leak_of_megabytes_lands_in_its_row_with_a_small_residual(
    tmp_path: Path, name: str, row: str
) -> None:
    file = tmp_path / "leaks.py"
    file.write_text(SOURCE)
    subject, options = Subject(target=Target(call=f"{file}:{name}")), Options(grace_s=0.05)
    with Interpreter.opened([subject], options) as interpreter:
        passes = measured(subject, options, Effort(least=1, seconds=0.1))
        found = ledger_of(interpreter.drive(subject, passes))
    assert found is not None
    assert found.rss > 5 * MIB
    assert getattr(found, row) > 0.9 * found.rss
    assert abs(found.residual) < 0.02 * found.rss
