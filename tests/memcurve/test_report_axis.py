"""Axes are marked at round values of a unit that people read, and inside their range."""

import pytest

from memcurve.report.axis import ticks

KIB, MIB = 1024, 1024**2


@pytest.mark.parametrize(
    ("low", "high", "unit", "meant"),
    [
        (0, 18_000, "bytes", ["0", "5 KiB", "10 KiB", "15 KiB"]),
        (0, 86 * MIB, "bytes", ["0", "20 MiB", "40 MiB", "60 MiB", "80 MiB"]),
        (-5 * KIB, 10 * KIB, "bytes", ["-5 KiB", "0", "5 KiB", "10 KiB"]),
        (0, 3, "count", ["0", "1", "2", "3"]),
        (0, 100, "count", ["0", "50", "100"]),
        (0, 4.5e9, "ns", ["0", "2 s", "4 s"]),
        (0, 1.2e6, "ns", ["0", "0.5 ms", "1.0 ms"]),
    ],
)
def test_ticks_are_round(low: float, high: float, unit: str, meant: list[str]) -> None:
    found = [label for _, label in ticks(low, high, unit, 4)]
    assert found == meant


@pytest.mark.parametrize("high", [1, 7, 999, 1_025, 10**6, 3 * 10**9])
def test_ticks_stay_inside_and_rise(high: float) -> None:
    values = [value for value, _ in ticks(-high / 3, high, "bytes")]
    assert values == sorted(set(values))
    assert all(-high / 3 <= value <= high * (1 + 1e-9) for value in values)
    assert len(values) >= 2
