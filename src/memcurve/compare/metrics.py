"""The metrics by which the designs of a scenario are compared, and how far apart counts.

A metric of a design is None where it was not measured. The tolerances (`difference`) are
conventions of ours: the reason of each `least` stands beside it, and a tenth of the larger value is
what a reader would not change a design for.
"""

from typing import Literal

import msgspec

from memcurve.compare.difference import Sign, Tolerance, sign
from memcurve.model.outcome import Outcome
from memcurve.model.recording import PassRecord
from memcurve.model.units import MIB
from memcurve.model.verdict import Flat, Growing, Inconclusive, Plateaued, Rising, Verdict

TENTH = 0.1
MetricUnit = Literal["bytes", "count", "seconds"]


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One metric: its key in `Metrics`, its title, its unit, and what counts as no difference."""

    key: str
    title: str
    unit: MetricUnit
    tolerance: Tolerance
    per_call: bool = False


METRICS = (
    # what a verdict tolerates unless it is told otherwise (`Thresholds.tolerance`)
    Metric(
        key="retained",
        title="retained",
        unit="bytes",
        tolerance=Tolerance(1.0, TENTH),
        per_call=True,
    ),
    # the smallest dict: less is not one object of the user's
    Metric(
        key="deferred",
        title="deferred",
        unit="bytes",
        tolerance=Tolerance(64.0, TENTH),
        per_call=True,
    ),
    # one arena of CPython's allocator: resident memory moves by no less
    Metric(key="rss_peak", title="peak RSS growth", unit="bytes", tolerance=Tolerance(MIB, TENTH)),
    # one descriptor is what a library opens once, sooner or later
    Metric(key="fds", title="descriptors", unit="count", tolerance=Tolerance(1.0, TENTH)),
    # one connection is what expires by the clock
    Metric(key="connections", title="connections", unit="count", tolerance=Tolerance(1.0, TENTH)),
    # a tenth of a millisecond: below it a call's own cost drowns in that of the loop around it
    Metric(key="cpu", title="CPU", unit="seconds", tolerance=Tolerance(1e-4, TENTH), per_call=True),
)


class Metrics(msgspec.Struct, frozen=True, kw_only=True):
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


def metric_sign(metric: Metric, value: float, other: float) -> Sign:
    """Say whether a design is better, worse or the same in one metric."""
    return sign(value, other, metric.tolerance.at(max(value, other, key=abs)))


def metrics_of(outcome: Outcome) -> Metrics:
    """Read the metrics of one design off its recording and judgement."""
    judgement = outcome.judgement
    natural = outcome.recording.of("natural")
    return Metrics(
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
        case Growing() | Rising():
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
    nanoseconds = curve.values[-1] - curve.values[0] if curve else record.cpu_s * 1e9
    return nanoseconds / 1e9 / record.calls
