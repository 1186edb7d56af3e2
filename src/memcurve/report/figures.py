"""The figures by which designs are compared, and when a difference is one.

A figure of a design is None where it was not measured. Two figures differ when they are further
apart than `least` (the unit of the figure) and than a tenth of the larger; otherwise "~".
"""

from typing import Literal

import msgspec

from memcurve.model.outcome import Outcome
from memcurve.model.recording import PassRecord
from memcurve.model.units import COUNTERS, MIB, Counter, format_bytes, format_count, format_duration
from memcurve.model.verdict import Flat, Growing, Inconclusive, Plateaued, Verdict

RELATIVE = 0.1
Sign = Literal["better", "worse", "~"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: its key in `Figures`, its title, its unit, and the least difference."""

    key: str
    title: str
    unit: Literal["bytes", "count", "seconds"]
    least: float
    per_call: bool = False

    def show(self, value: float) -> str:
        """Print a value with its unit."""
        if self.unit == "bytes":
            return format_bytes(value)
        return format_count(value) if self.unit == "count" else format_duration(value)


METRICS = (
    Metric(key="retained", title="retained", unit="bytes", least=1.0, per_call=True),
    Metric(key="deferred", title="deferred", unit="bytes", least=64.0, per_call=True),
    Metric(key="rss_peak", title="peak RSS growth", unit="bytes", least=MIB),
    Metric(key="fds", title="descriptors", unit="count", least=1.0),
    Metric(key="connections", title="connections", unit="count", least=1.0),
    Metric(key="cpu", title="CPU", unit="seconds", least=1e-4, per_call=True),
)


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a design costs: retained and deferred bytes a call, the growth of peak RSS and of
    descriptors over the run, connections opened, CPU seconds a call."""

    retained: float | None = None
    deferred: float | None = None
    rss_peak: float | None = None
    fds: float | None = None
    connections: float | None = None
    cpu: float | None = None

    def get(self, metric: Metric) -> float | None:
        """Return the value of that metric."""
        value: float | None = getattr(self, metric.key)
        return value


def figures_of(outcome: Outcome) -> Figures:
    """Read the figures of one design off its recording and judgement."""
    judgement = outcome.judgement
    natural = outcome.recording.of("natural")
    return Figures(
        retained=_retained(judgement.retained) if judgement else None,
        deferred=judgement.deferred.bytes_per_call if judgement else None,
        rss_peak=_rss_peak(natural),
        fds=_highest(natural, "fds"),
        connections=_opened(outcome.recording.of("settled"), outcome.recording.calls),
        cpu=_cpu(natural),
    )


def _retained(verdict: Verdict) -> float | None:
    match verdict:
        case Flat() | Plateaued(filling=None, projected=False):
            return 0.0
        case Growing():
            return verdict.per_call
        case Plateaued():
            return verdict.evidence.per_call
        case Inconclusive():
            return None


def _highest(record: PassRecord | None, counter: str) -> float | None:
    curve = record.samples.curve(counter).grown() if record else None
    return float(max(curve.values)) if curve else None


def _rss_peak(record: PassRecord | None) -> float | None:
    if record is None:
        return None
    start, peak = record.samples.curve("rss_bytes"), record.samples.curve("rss_peak_bytes")
    return float(max(peak.values) - start.values[0]) if start and peak else None


def _opened(record: PassRecord | None, calls: int) -> float | None:
    curve = record.samples.curve("connections_opened").grown().head(calls) if record else None
    return float(curve.values[-1]) if curve else None


def _cpu(record: PassRecord | None) -> float | None:
    if record is None or record.calls == 0:
        return None
    curve = record.samples.curve("cpu_ns")
    spent = (curve.values[-1] - curve.values[0]) / 1e9 if curve else record.cpu_s
    return spent / record.calls


def sign(metric: Metric, value: float | None, other: float | None) -> Sign | None:
    """Say whether `value` is better (less) than `other`; None where one is not known."""
    if value is None or other is None:
        return None
    if abs(value - other) <= max(metric.least, RELATIVE * max(abs(value), abs(other))):
        return "~"
    return "better" if value < other else "worse"


def counter_of(name: str) -> Counter:
    """Return the counter of that name; gauges of a backend are counts of their own."""
    known = COUNTERS.get(name)
    return known or Counter(name=name, title=name.replace("_", " "), unit="count", exact=True)
