"""The curves that a report draws of one scenario: a panel for each counter, a line for each design.

All values are relative to call 0; deferred bytes are what one call leaves to the collector.
"""

from collections.abc import Callable, Iterable

import msgspec

from memcurve.baseline import AcceptedCurve
from memcurve.curve import Curve
from memcurve.judge.comparison import Outcome
from memcurve.recording import PassKind, PassRecord
from memcurve.report.figures import counter_of


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

    @property
    def last_call(self) -> int:
        """The last call with a row in any line."""
        return max(line.curve.last_call for line in self.lines)

    @property
    def banded(self) -> bool:
        """Whether any line has an accepted band."""
        return any(line.band is not None for line in self.lines)

    @property
    def varies(self) -> bool:
        """Whether any line is not constant."""
        return any(len(set(line.curve.values)) > 1 for line in self.lines)


class _Spec(msgspec.Struct, frozen=True, kw_only=True):
    key: str
    title: str
    note: str
    kind: PassKind
    counters: tuple[str, ...]
    only_if_varied: bool = False


_SPECS = (
    _Spec(
        key="retained",
        title="Retained",
        note="live bytes after settling, above call 0: a line that keeps rising is a leak",
        kind="settled",
        counters=("live_bytes",),
    ),
    _Spec(
        key="live",
        title="Live, as in production",
        note="live bytes with the collector as it is, above call 0",
        kind="natural",
        counters=("live_bytes",),
    ),
    _Spec(
        key="rss",
        title="Resident memory (RSS)",
        note="what the operating system shows, above call 0; noisy, never judged",
        kind="natural",
        counters=("rss_bytes",),
    ),
    _Spec(
        key="deferred",
        title="Deferred",
        note="bytes a call that wait for the cyclic collector: no leak, but the peak pays for it",
        kind="settled",
        counters=("deferred_bytes",),
    ),
    _Spec(
        key="fds",
        title="Descriptors",
        note="open descriptors, above call 0",
        kind="natural",
        counters=("fds",),
    ),
    _Spec(
        key="connections",
        title="Open connections",
        note="connections open at the server, or sockets of the process, above call 0",
        kind="natural",
        counters=("connections_open", "sockets"),
        only_if_varied=True,
    ),
    _Spec(
        key="opened",
        title="Connections opened",
        note="connections that the server has accepted since call 0",
        kind="settled",
        counters=("connections_opened",),
        only_if_varied=True,
    ),
    _Spec(
        key="failures",
        title="Failures",
        note="pieces of work that failed, as the backend or the design counts them",
        kind="settled",
        counters=("failures",),
        only_if_varied=True,
    ),
    _Spec(
        key="cpu",
        title="CPU time",
        note="CPU time of all calls so far",
        kind="natural",
        counters=("cpu_ns",),
    ),
    _Spec(
        key="objects",
        title="Objects",
        note="objects known to the collector and born during the calls, after settling",
        kind="settled",
        counters=("objects",),
        only_if_varied=True,
    ),
    _Spec(
        key="fds_settled",
        title="Descriptors, settled",
        note="open descriptors after settling, above call 0: what no collection closes",
        kind="settled",
        counters=("fds",),
        only_if_varied=True,
    ),
    _Spec(
        key="threads",
        title="Threads",
        note="threads after settling, above call 0",
        kind="settled",
        counters=("threads",),
        only_if_varied=True,
    ),
    _Spec(
        key="tasks",
        title="Tasks",
        note="unfinished asyncio tasks after settling, above call 0",
        kind="settled",
        counters=("tasks",),
        only_if_varied=True,
    ),
)


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
    return None if spec.only_if_varied and not panel.varies else panel


def _line(spec: _Spec, outcome: Outcome) -> Line | None:
    record = outcome.recording.of(spec.kind)
    if record is None:
        return None
    for counter in spec.counters:
        curve = _READERS.get(counter, _grown)(record, counter)
        if len(curve):
            band = _band(outcome, counter, spec.kind)
            return Line(design=outcome.recording.design, curve=curve, band=band)
    return None


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
