"""The scenarios are complete, their targets exist, and the published design has its flaws."""

from __future__ import annotations

import asyncio
import struct
import weakref
from pathlib import Path

import httpx
import pytest

from bench.backend import stub_backend
from bench.designs.published import article as published
from bench.stub.counters import GAUGES
from memcurve.measure.worker import target
from memcurve.run.discovery import discover

ROOT = Path(__file__).parents[2]
SCENARIOS = {one.name: one for one in discover([ROOT / "bench" / "scenarios"])}
PARTS = (
    "llm_client",
    "llm_client_40",
    "rag_client",
    "search_cache_unique",
    "search_cache_repeating",
    "vectordb_node",
    "executions",
    "batch",
    "batch_threads",
    "fastapi_execute",
    "faults",
)


@pytest.mark.parametrize("name", PARTS)
def test_every_part_of_the_system_has_its_three_designs_and_those_of_the_pools_gate(
    name: str,
) -> None:
    one = SCENARIOS[name]
    assert {"naive", "published", "pooled"} <= one.designs.keys()
    gating = set(one.designs) - set(one.may_grow)
    assert gating == {"pooled", "evicting"} & one.designs.keys()


def test_the_ablation_takes_each_measure_alone_and_leaves_each_out() -> None:
    designs = SCENARIOS["ablation"].designs
    for measure in ("llm_pool", "retrieval_pool", "cache_off", "clean_up"):
        assert {f"only_{measure}", f"all_but_{measure}"} <= designs.keys()
    assert {"none", "everything"} <= designs.keys()


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_target_can_be_called(name: str) -> None:
    for one in SCENARIOS[name].designs.values():
        given = bool(one.setup) and not one.setup.endswith(":one_reader")  # which gives no value
        assert target.required(target.resolve(one.call)) == (2 if given else 1)
        if one.setup is not None:
            assert target.required(target.resolve(one.setup)) == 0


def test_the_server_tells_its_connections_without_being_asked() -> None:
    with stub_backend() as backend:
        path, _ = backend.gauges["connections_opened"]

        def read() -> dict[str, int]:
            values = struct.unpack(f"{len(GAUGES)}q", Path(path).read_bytes())
            return dict(zip(GAUGES, values, strict=True))

        assert read()["connections_opened"] == 0
        url = f"{backend.environment['BENCH_RAG_URL']}/health"
        with httpx.Client() as one, httpx.Client() as other:
            for client in (one, other, one):
                client.get(url).raise_for_status()
            assert read() == dict.fromkeys(GAUGES, 2)
    assert not Path(path).exists()


def test_the_published_keys_are_ambiguous_and_its_cache_finds_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "stub")
    pool = published.LLMPool()
    assert pool.get_llm("openai", "a:b", "http://c") is pool.get_llm("openai", "a", "b:http://c")
    cache = published.SearchCache()
    cache.set("a", "b", "found")
    assert cache.get("a", "b") is None


class Name(str):
    """An execution's name that can be watched: a plain string has no weak reference."""

    __slots__ = ("__weakref__",)


def test_the_published_manager_keeps_the_name_of_what_it_removed() -> None:
    class Manager(published.WorkflowExecutionManager):
        _instance = None

    manager, name = Manager(), Name("one")
    watched = weakref.ref(name)
    asyncio.run(manager.create_executor(name, done).run())
    del name
    manager.cleanup_completed_executions()
    assert manager.active_executions == {}
    assert watched() is not None
    manager.executor_pool.shutdown()


async def done() -> None:
    """Be over at once."""
