"""What a service tells Prometheus, read from its parts at the moment of each scrape.

Nothing is counted twice and nothing grows: labels are names of pools and of states, never text that
a caller chose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from ragpool.connections import BUDGET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ragpool.execution_record import ExecutionRecord
    from ragpool.runtime import Runtime

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_STATES = ("pending", "running", "completed", "error", "cancelled", "interrupted")
_BUCKETS_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""A search asks a model two to forty times: a tenth of a second is fast, five minutes is slow."""


class Metrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self, runtime: Runtime) -> None:
        self._registry = CollectorRegistry()
        self._ended = Counter(
            "ragpool_executions_ended",
            "Executions that are over, by how they ended.",
            ["status"],
            registry=self._registry,
        )
        self._took_s = Histogram(
            "ragpool_execution_seconds",
            "Time from the start of an execution to its end.",
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._registry.register(_Live(runtime))

    def note(self, record: ExecutionRecord) -> None:
        """Count an execution that is over; from any thread."""
        if record.status.finished:
            self._ended.labels(record.status.value).inc()
            if record.started_at is not None and record.finished_at is not None:
                self._took_s.observe((record.finished_at - record.started_at).total_seconds())

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self._registry)


class _Live:
    """What the parts of a runtime hold at this moment."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def describe(self) -> list[Any]:
        return []  # names are known at each scrape; without this a scrape would be made now

    def collect(self) -> Iterator[Any]:
        yield from self._executions()
        yield from self._pools()
        runtime = self._runtime
        yield GaugeMetricFamily(
            "ragpool_connections_open", "Connections to other services.", value=BUDGET.open
        )
        yield GaugeMetricFamily(
            "ragpool_connections_max", "Connections that may be open.", value=BUDGET.most
        )
        yield GaugeMetricFamily(
            "ragpool_hosts_paused",
            "Hosts that fail each time and are not asked now.",
            value=len(runtime.breaker.paused()),
        )
        yield GaugeMetricFamily(
            "ragpool_records_waiting",
            "Records of executions that are not stored yet.",
            value=runtime.recorder.waiting,
        )
        yield CounterMetricFamily(
            "ragpool_records_lost",
            "Records of executions that could not be stored.",
            value=runtime.recorder.lost,
        )

    def _executions(self) -> Iterator[Any]:
        stats = self._runtime.manager.stats()
        held = GaugeMetricFamily(
            "ragpool_executions", "Executions held in memory, by status.", labels=["status"]
        )
        for state in _STATES:
            held.add_metric([state], getattr(stats, state))
        yield held
        yield GaugeMetricFamily(
            "ragpool_worker_threads", "Threads that run executions.", value=stats.worker_threads
        )
        yield GaugeMetricFamily(
            "ragpool_executions_waiting",
            "Executions that wait for a thread.",
            value=stats.waiting_for_a_thread,
        )

    def _pools(self) -> Iterator[Any]:
        pools = {
            "llm": self._runtime.pools.llm.stats(),
            "retrieval": self._runtime.pools.retrieval.stats(),
        }
        for name, text in (("clients", "Clients kept."), ("open", "HTTP clients not closed.")):
            gauge = GaugeMetricFamily(f"ragpool_pool_{name}", text, labels=["pool"])
            for pool, stats in pools.items():
                gauge.add_metric([pool], getattr(stats, name))
            yield gauge
        for name in ("created", "reused", "evicted"):
            counter = CounterMetricFamily(
                f"ragpool_pool_{name}", f"Clients {name} since the start.", labels=["pool"]
            )
            for pool, stats in pools.items():
                counter.add_metric([pool], getattr(stats, name))
            yield counter
