"""The table of costs, from rounds that are made up."""

import json
from pathlib import Path

import pytest

from bench.proof.overhead.notes import WARM_UP, Cost, read_cost
from bench.proof.overhead.run import rows_of, table_of


def cost(cpu_ms: float, mebibytes: int = 100) -> Cost:
    return Cost(cpu_s_per_call=cpu_ms / 1e3, anonymous_bytes=mebibytes << 20)


def test_a_ratio_is_taken_within_its_own_round() -> None:
    slow = {"bare": cost(20.0), "natural": cost(21.0, 101)}
    fast = {"bare": cost(8.0), "natural": cost(8.4, 103)}
    _, natural = rows_of([slow, fast])
    assert natural.ratios == pytest.approx((1.05, 1.05))
    assert natural.more_bytes == 2 << 20


def test_what_ran_in_the_first_round_alone_is_compared_with_that_round() -> None:
    first = {"bare": cost(10.0), "tracemalloc-25": cost(220.0)}
    _, traced = rows_of([first, {"bare": cost(20.0)}])
    assert traced.ratios == pytest.approx((22.0,))


def test_the_table_names_every_way_with_its_range() -> None:
    rounds = [
        {"bare": cost(10.0), "memray": cost(18.0)},
        {"bare": cost(10.0), "memray": cost(20.0)},
    ]
    assert "| memray | 19.00 ms | 1.90 | 1.80 to 2.00 | +0.0 MiB |" in table_of(rows_of(rounds))


def test_the_cost_of_a_call_is_what_the_process_used_between_its_two_notes(tmp_path: Path) -> None:
    for name, cpu_ns in (("first", 1_000_000_000), ("last", 1_800_000_000)):
        noted = {"cpu_ns": cpu_ns, "anonymous_bytes": 5}
        (tmp_path / name).write_text(json.dumps(noted))
    found = read_cost(tmp_path, WARM_UP + 100)
    assert found.cpu_s_per_call == pytest.approx(0.008)


def test_a_run_that_did_not_get_there_has_no_cost(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_cost(tmp_path, 100)
