"""Bytes in pytest-benchmark's own table, for those who want them there; nothing is gated here.

A round is one call, its "time" the live bytes that it leaves behind. Only `pedantic` works with
such a timer: the plain form calibrates until it moves. The gate on bytes is `memcurve compare`.
"""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from bench.backend import stub_backend
from memcurve.measure.worker import heap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS, WARM_UP = 20, 10

_python, _malloc = heap.python_source(), heap.malloc_source()


def live_bytes() -> int:
    return int(_python.read() + _malloc.read())


@pytest.fixture(scope="module")
def backend() -> Iterator[None]:
    with stub_backend() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield


@pytest.mark.benchmark(group="bytes", timer=live_bytes, disable_gc=False)
def test_bytes_that_a_pooled_search_leaves(benchmark: BenchmarkFixture, backend: None) -> None:
    from bench.designs.pooled.calls import rag_client
    from bench.designs.pooled.setups import pools

    numbers = iter(range(1_000_000))
    with asyncio.Runner() as runner:
        setup = pools()
        value = runner.run(setup.__aenter__())

        def one_call() -> None:
            runner.run(rag_client(value, next(numbers)))
            gc.collect()

        benchmark.pedantic(one_call, rounds=ROUNDS, warmup_rounds=WARM_UP)
        runner.run(setup.__aexit__(None, None, None))
