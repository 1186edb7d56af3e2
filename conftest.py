"""Hooks of pytest-benchmark, which it looks for in the current folder alone.

Benchmarks whose group is "bytes" carry bytes where pytest-benchmark expects seconds
(`bench/test_bytes.py`); without the scale hook it would print them as nanoseconds.
"""

from typing import Any

from pytest_benchmark import plugin

BYTES_GROUP = "bytes"
SCALES = (("GiB ", 1 << 30), ("MiB ", 1 << 20), ("KiB ", 1 << 10), ("B ", 1))


def pytest_benchmark_scale_unit(
    config: Any, unit: str, benchmarks: list[Any], best: Any, worst: Any, sort: str
) -> tuple[str, float]:
    """Scale a table of bytes to B, KiB, MiB or GiB; leave all others to the default.

    `pytest-benchmark compare` asks this hook alone, and takes no None for an answer.
    """
    of_bytes = bool(benchmarks) and all(one.get("group") == BYTES_GROUP for one in benchmarks)
    if unit != "seconds" or not of_bytes:
        scale: tuple[str, float] = plugin.pytest_benchmark_scale_unit(
            config=config, unit=unit, benchmarks=benchmarks, best=best, worst=worst, sort=sort
        )
        return scale
    largest = max((abs(one.get(sort) or 0) for one in benchmarks), default=0)
    return next(
        ((prefix, 1 / factor) for prefix, factor in SCALES if largest >= factor), ("B ", 1.0)
    )


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    """Leave out what names this very machine: stored runs are committed."""
    machine_info.pop("node", None)


def pytest_benchmark_update_commit_info(config: Any, commit_info: dict[str, Any]) -> None:
    """Leave out the folder's name, which is the checkout's, not the project's."""
    commit_info.pop("project", None)
