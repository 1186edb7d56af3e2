"""Time a call of the two scenarios that everything else is made of; pytest-benchmark keeps it.

Bytes are not its business: what the same calls do to memory stands next to the times in
`extra_info`, and `memcurve compare` gates it. Times of two machines do not compare, so the one rule
on time is a ratio inside one run.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
from contextlib import AbstractAsyncContextManager, nullcontext
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from bench.backend import stub_backend
from memcurve.run import scenarios as measuring
from memcurve.run.discovery import discover, select
from memcurve.run.options import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_benchmark.fixture import BenchmarkFixture

# what naive and published calls leave behind is what they are measured for
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SCENARIOS = ("rag_client", "vectordb_node")
DESIGNS = ("naive", "published", "pooled")
ROUNDS, WARM_UP = 20, 3
MOST_OF_NAIVE = 0.8

_medians: dict[tuple[str, str], float] = {}


@pytest.fixture(scope="module")
def backend() -> Iterator[None]:
    with stub_backend() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """Give the one event loop of all designs: the published one would not survive a second."""
    with asyncio.Runner() as made:
        yield made
        from bench.designs.published.article import LLMPool, RAGServicePool

        LLMPool.get_instance().clear()
        RAGServicePool.clear()
        gc.collect()


@pytest.fixture(scope="module")
def memory() -> dict[tuple[str, str], dict[str, Any]]:
    """Measure the same scenarios once, without time."""
    wanted = " or ".join(f"{name}/" for name in SCENARIOS)
    scenarios = select(discover(), wanted)
    options = RunOptions(natural=False, explain="never", judge_all=False)
    return {
        (one.recording.scenario, one.recording.design): _figures(one)
        for one in measuring.run_scenarios(scenarios, options)
    }


def _figures(outcome: Any) -> dict[str, Any]:
    from memcurve.compare.usage import used
    from memcurve.model.verdict import name_of

    judgement = outcome.judgement
    return {
        "verdict": name_of(judgement.overall),
        "retained_bytes_per_call": judgement.retained.evidence.per_call,
        "deferred_bytes_per_call": judgement.deferred.bytes_per_call,
        "connections_opened": used(outcome.recording, "connections_opened"),
    }


@pytest.mark.benchmark(group="call", warmup=False)
@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_call(
    benchmark: BenchmarkFixture,
    backend: None,
    runner: asyncio.Runner,
    memory: dict[tuple[str, str], dict[str, Any]],
    scenario: str,
    design: str,
) -> None:
    call = getattr(importlib.import_module(f"bench.designs.{design}.calls"), scenario)
    numbers = iter(range(1_000_000))
    setup = _setup(design)
    value = runner.run(setup.__aenter__())

    def one_call() -> None:
        arguments = (next(numbers),) if value is None else (value, next(numbers))
        runner.run(call(*arguments))

    benchmark.pedantic(one_call, rounds=ROUNDS, warmup_rounds=WARM_UP)
    runner.run(setup.__aexit__(None, None, None))
    gc.collect()
    benchmark.extra_info.update(memory[scenario, design])
    if benchmark.stats is not None:
        _medians[scenario, design] = median(benchmark.stats.stats.data)


def _setup(design: str) -> AbstractAsyncContextManager[Any]:
    from bench.designs.pooled.setups import pools

    return pools() if design == "pooled" else nullcontext()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_pooled_call_takes_less_time_than_a_naive_one_of_the_same_run(scenario: str) -> None:
    naive, pooled = (_medians.get((scenario, design)) for design in ("naive", "pooled"))
    if naive is None or pooled is None:
        pytest.skip("both were not timed in this run")
    assert pooled <= MOST_OF_NAIVE * naive
