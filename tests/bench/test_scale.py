"""Memory does not grow with the number of calls; `make scale` goes to a million."""

from pathlib import Path

import msgspec

from bench.proof.scale.run import BEGIN, COMPARED_WITH, END, MOST_MORE, faults, write
from bench.proof.scale.trial import Scaled, scaled
from bench.proof.scale.workloads import PEAK_BYTES

WORKLOADS = Path(__file__).parents[2] / "bench" / "proof" / "scale" / "workloads.py"


def _one(target: str = "w.py:clean", calls: int = COMPARED_WITH, **fields: float) -> Scaled:
    made = Scaled(
        target=target,
        calls=calls,
        rows=100,
        highest=PEAK_BYTES,
        elapsed_s=calls / 1000,
        parent_bytes=30 << 20,
        worker_bytes=20 << 20,
    )
    return msgspec.structs.replace(made, **fields)


def test_a_peak_of_one_call_is_in_the_rows_of_a_long_run() -> None:
    found = scaled(f"{WORKLOADS}:peaks", 20_000)
    assert found.highest >= PEAK_BYTES
    assert 100 <= found.rows <= 10_100
    assert found.parent_bytes > 10 << 20
    assert found.worker_bytes > 5 << 20


def test_what_grows_with_the_calls_would_be_told() -> None:
    assert list(faults([_one(), _one(calls=10 * COMPARED_WITH)])) == []
    more = _one(calls=10 * COMPARED_WITH, worker_bytes=(21 << 20) + MOST_MORE)
    assert "more than with 10,000" in next(faults([_one(), more]))
    slow = _one(calls=10 * COMPARED_WITH, elapsed_s=160.0)
    assert "16.0 times as long as a tenth" in next(faults([_one(), slow]))
    assert "no row has the peak" in next(faults([_one("w.py:peaks", highest=100)]))


def test_the_table_replaces_the_one_before_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "scale.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write([_one()], page)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n\n| target | calls |")
    assert text.endswith(f"\n{END}\nafter\n")
    assert "| clean | 10,000 | 100 | 30.0 MiB | 20.0 MiB | 10.0 s | 1 ms |" in text
    assert "old" not in text
