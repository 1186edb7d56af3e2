"""The curves that a report draws of one scenario: a panel for each counter, a line for each design.

All values are relative to call 0; deferred bytes are what one call leaves to the collector.
"""

from collections.abc import Callable, Iterable

import msgspec

from memcurve.judge.stood import standing_of
from memcurve.model.baseline import AcceptedCurve
from memcurve.model.curve import Curve
from memcurve.model.outcome import Outcome
from memcurve.model.recording import PassKind, PassRecord
from memcurve.model.units import counter_of
from memcurve.report.debt import TOLD_FROM


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One design in one panel; `band` is the accepted curve with its tolerance."""

    design: str
    curve: Curve
    band: AcceptedCurve | None = None


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """One counter of all designs of a scenario; `calls` is how far the picture goes."""

    key: str
    title: str
    note: str
    unit: str
    calls: int
    lines: tuple[Line, ...]

    def line(self, design: str) -> Line | None:
        """Return the line of a design, None where its counter was not read."""
        return next((line for line in self.lines if line.design == design), None)

    @property
    def last_call(self) -> int:
        """The last call with a row in any line."""
        return max(line.curve.last_call for line in self.lines)

    @property
    def banded(self) -> bool:
        """Whether any line has an accepted band."""
        return any(line.band is not None for line in self.lines)

    @property
    def most(self) -> int:
        """The largest value of any line."""
        return max(max(line.curve.values) for line in self.lines)

    @property
    def varies(self) -> bool:
        """Whether any line is not constant."""
        return any(len(set(line.curve.values)) > 1 for line in self.lines)


class _Spec(msgspec.Struct, frozen=True):
    """A panel: the pass and the counter that it shows, the first that was read of several."""

    key: str
    title: str
    kind: PassKind
    counters: tuple[str, ...]
    note: str


# fmt: off
_SPECS = (
    _Spec("retained", "Retained", "settled", ("live_bytes",),
          "live bytes after settling, above call 0: a line that keeps rising is a leak"),
    _Spec("live", "Live, as in production", "natural", ("live_bytes",),
          "live bytes with the collector as it is, above call 0"),
    _Spec("rss", "Resident memory (RSS)", "natural", ("rss_bytes",),
          "what the operating system shows, above call 0; noisy, never judged"),
    _Spec("deferred", "Deferred", "settled", ("deferred_bytes",),
          "bytes a call that wait for the cyclic collector: no leak, but the peak pays for it"),
    _Spec("garbage", "Garbage that stands", "natural", ("deferred_bytes",),
          "live bytes above the settled ones at the same call: what the collector has yet to free"),
    _Spec("fds", "Descriptors", "natural", ("fds",),
          "open descriptors, above call 0"),
    _Spec("connections", "Open connections", "natural", ("connections_open", "sockets"),
          "connections open at the server, or sockets of the process, above call 0"),
    _Spec("opened", "Connections opened", "settled", ("connections_opened",),
          "connections that the server has accepted since call 0"),
    _Spec("failures", "Failures", "settled", ("failures",),
          "pieces of work that failed, as the backend or the design counts them"),
    _Spec("cpu", "CPU time", "natural", ("cpu_ns",),
          "CPU time of all calls so far"),
    _Spec("objects", "Objects", "settled", ("objects",),
          "objects known to the collector and born during the calls, after settling"),
    _Spec("fds_settled", "Descriptors, settled", "settled", ("fds",),
          "open descriptors after settling, above call 0: what no collection closes"),
    _Spec("threads", "Threads", "settled", ("threads",),
          "threads after settling, above call 0"),
    _Spec("tasks", "Tasks", "settled", ("tasks",),
          "unfinished asyncio tasks after settling, above call 0"),
)
# fmt: on
_ONLY_IF_VARIED = {
    "connections",
    "opened",
    "failures",
    "objects",
    "fds_settled",
    "threads",
    "tasks",
}


def panels_of(outcomes: Iterable[Outcome]) -> tuple[Panel, ...]:
    """Return the panels of one scenario that have something to show."""
    listed = list(outcomes)
    made = (_panel(spec, listed) for spec in _SPECS)
    return tuple(panel for panel in made if panel is not None)


def _panel(spec: _Spec, outcomes: list[Outcome]) -> Panel | None:
    lines = [line for line in (_line(spec, outcome) for outcome in outcomes) if line is not None]
    if not lines:
        return None
    panel = Panel(
        key=spec.key,
        title=spec.title,
        note=spec.note,
        unit=counter_of(lines[0].curve.counter).unit,
        calls=max(outcome.recording.calls for outcome in outcomes),
        lines=tuple(lines),
    )
    if spec.key == "garbage" and panel.most < TOLD_FROM:
        return None
    return None if spec.key in _ONLY_IF_VARIED and not panel.varies else panel


def _line(spec: _Spec, outcome: Outcome) -> Line | None:
    if spec.key == "garbage":
        return _garbage(outcome)
    record = outcome.recording.of(spec.kind)
    if record is None:
        return None
    for counter in spec.counters:
        curve = _READERS.get(counter, _grown)(record, counter)
        if len(curve):
            band = _band(outcome, counter, spec.kind)
            return Line(design=outcome.recording.design, curve=curve, band=band)
    return None


def _garbage(outcome: Outcome) -> Line | None:
    """Return what stood at once, in the pass that showed most."""
    if outcome.judgement is None:
        return None
    curve = standing_of(outcome.recording, outcome.judgement.deferred)
    return Line(design=outcome.recording.design, curve=curve) if curve is not None else None


def _grown(record: PassRecord, counter: str) -> Curve:
    return record.samples.curve(counter).grown()


def _each(record: PassRecord, counter: str) -> Curve:
    return record.samples.curve(counter).tail(1)


_READERS: dict[str, Callable[[PassRecord, str], Curve]] = {"deferred_bytes": _each}


def _band(outcome: Outcome, counter: str, kind: PassKind) -> AcceptedCurve | None:
    """Return the accepted curve; baselines hold what the settled pass counts."""
    if outcome.comparison is None or outcome.comparison.baseline is None or kind != "settled":
        return None
    return outcome.comparison.baseline.curves.get(counter)
