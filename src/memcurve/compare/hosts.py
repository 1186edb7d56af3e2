"""What compares between designs that were measured on different machines: bytes, and no time."""

from collections.abc import Sequence

import msgspec

from memcurve.compare.metrics import Metrics
from memcurve.model.caveat import Caveat
from memcurve.model.outcome import Comparison, Outcome


def on_one_host(outcomes: Sequence[Outcome]) -> bool:
    """Say whether all were measured on the same machine; what was not measured is on none."""
    return len({one.recording.host for one in outcomes if one.judgement is not None}) <= 1


def without_time(metrics: Metrics) -> Metrics:
    """Return metrics that compare between machines."""
    return msgspec.structs.replace(metrics, cpu=None)


def marked(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Say at each design of a scenario that its time is not compared, where machines differ."""
    if on_one_host(outcomes):
        return list(outcomes)
    return [_marked(outcome) for outcome in outcomes]


def _marked(outcome: Outcome) -> Outcome:
    recording = outcome.recording
    text = (
        f"{recording.scenario}/{recording.design}: the designs were measured on different "
        "machines, so their CPU time is not compared"
    )
    before = outcome.comparison or Comparison(
        scenario=recording.scenario, design=recording.design, baseline=None
    )
    caveat = Caveat(kind="other_machine", text=text)
    comparison = msgspec.structs.replace(before, caveats=(*before.caveats, caveat))
    return msgspec.structs.replace(outcome, comparison=comparison)
