"""What a call asks of the allocators, kept or not, as limits of a test."""

import asyncio
import os

import pytest

from memcurve.measure.traffic import TRACED_CALLS, atraffic_of, traffic_in_fork, traffic_of
from memcurve.model.errors import MeasureError

pytest_plugins = "pytester"
memray = pytest.importorskip("memray")


def one_at_a_time() -> None:
    for _ in range(100):
        bytes(10_000)


def all_at_once() -> None:
    [bytes(10_000) for _ in range(100)]


def test_what_is_freed_at_once_is_allocated_and_no_peak() -> None:
    found = traffic_of(one_at_a_time)
    assert 1_000_000 <= found.allocated_bytes <= 1_100_000
    assert 10_000 <= found.peak_bytes <= 40_000
    assert found.calls == TRACED_CALLS


def test_what_is_held_together_is_a_peak() -> None:
    assert 1_000_000 <= traffic_of(all_at_once).peak_bytes <= 1_100_000


def test_the_event_loop_that_runs_is_measured_in() -> None:
    async def call() -> None:
        await asyncio.sleep(0)
        all_at_once()

    assert 1_000_000 <= asyncio.run(atraffic_of(call)).peak_bytes <= 1_200_000


def test_a_fork_leaves_this_process_as_it_was() -> None:
    kept: list[bytes] = []
    found = traffic_in_fork(lambda: kept.append(bytes(50_000)), 30.0)
    assert 50_000 <= found.allocated_bytes <= 60_000
    assert kept == []


def test_a_call_that_fails_or_ends_its_process_is_named() -> None:
    with pytest.raises(MeasureError, match="ZeroDivisionError"):
        traffic_in_fork(lambda: 1 // 0, 30.0)
    with pytest.raises(MeasureError, match="the copy ended with status"):
        traffic_in_fork(lambda: os._exit(3), 30.0)


def test_a_second_tracer_is_refused_with_the_next_step(tmp_path: object) -> None:
    with (
        memray.Tracker(f"{tmp_path}/other.memray"),
        pytest.raises(MeasureError, match="leave --memray out"),
    ):
        traffic_of(one_at_a_time)


def test_limits_of_the_marker_fail_the_test_that_exceeds_them(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.memcurve(allocated="2 MiB", peak="64 KiB")
        def test_within():
            for _ in range(100):
                bytes(10_000)

        @pytest.mark.memcurve(allocated="64 KiB")
        def test_allocates():
            for _ in range(100):
                bytes(10_000)

        @pytest.mark.memcurve(peak="64 KiB")
        def test_peaks():
            [bytes(10_000) for _ in range(100)]
        """
    )
    done = pytester.runpytest_subprocess("-p", "memcurve.plugin.pytest_plugin", "--memcurve")
    done.assert_outcomes(passed=1, failed=2)
    done.stdout.fnmatch_lines(
        [
            'allocated: * of the allocators, kept or not (allocated="64.0 KiB" a call was allowed)',
            'peak: * at most are held at once by one call (peak="64.0 KiB" at once was allowed)',
        ]
    )
