"""What `make soak-ragpool` counts is counted rightly, and a small soak runs through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bench.backend import stub_backend
from bench.proof.soak_ragpool.beside import Times
from bench.proof.soak_ragpool.fates import CLEAN, FATES, fate_of
from bench.proof.soak_ragpool.run import BEGIN, END, write, wrong
from bench.proof.soak_ragpool.soak import Soaked, note, soak
from ragpool import ExecutionRecord, ExecutionStatus
from ragpool.execution_record import ErrorRecord
from tests.thorough import thorough

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _ended(number: int) -> ExecutionRecord:
    fate = fate_of(number)
    error = ErrorRecord(type=fate.error, message="", node="search") if fate.error else None
    return ExecutionRecord(
        execution_id="e",
        query="q",
        status=fate.status,
        created_at=NOON,
        started_at=NOON,
        finished_at=NOON + timedelta(seconds=2),
        error=error,
    )


@pytest.mark.parametrize("number", range(len(FATES)))
def test_an_end_counts_only_where_it_is_the_injected_one(number: int) -> None:
    found = Soaked(executions=1)
    note(found, number, _ended(number))
    assert (found.ends.total(), found.unexpected) == (1, [])
    assert found.clean_s == ([2.0] if fate_of(number) is CLEAN else [])
    other = ErrorRecord(type="ClosedError", message="pool 'llm'", node="search")
    note(found, number, replace(_ended(number), status=ExecutionStatus.ERROR, error=other))
    assert found.ends.total() == 1
    assert wrong(found) == [f"execution {number} ({fate_of(number).name}): ClosedError: pool 'llm'"]


def test_a_client_that_stays_open_is_wrong() -> None:
    assert wrong(Soaked(executions=1, clients_open=2)) == [
        "2 HTTP clients are open after all was closed"
    ]


def test_failed_naive_searches_have_no_time() -> None:
    times = Times(pooled_s=[1.0, 1.0])
    times.add_naive([4.0, None, 4.0])
    assert (times.naive_failed, times.ratio(50), times.ratio(99)) == (1, 0.25, 0.25)


@thorough
def test_a_small_soak_ends_as_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    with stub_backend() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        found = soak(len(FATES), told=seen.append)
    assert found.unexpected == []
    assert found.ends.total() == len(FATES)
    assert seen == [10, 20]
    # two marks prove nothing: the judge says so, and is not asked to be kind
    assert wrong(found) == [
        f"{name}: inconclusive" for name in ("live memory, bytes", "descriptors", "threads")
    ]


def test_the_report_replaces_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"x\n{BEGIN}\nold\n{END}\ny\n")
    write("new", page)
    assert page.read_text() == f"x\n{BEGIN}\n\nnew\n\n{END}\ny\n"
