"""One culprit as a page: who holds it, with bytes at each step, since when, where it is made."""

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from memcurve.model.findings import Culprit
from memcurve.model.outcome import Outcome
from memcurve.report.causes import headline, lost_text
from memcurve.report.templating import read, template
from memcurve.report.text import verdict_line
from memcurve.store.excerpts import Excerpt

MOST_BARS = 60
"""Calls whose bytes are drawn as bars of their own; of more calls, neighbours share one."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """What calls `first` to `last` left behind each, in bytes, and how high that is drawn, in %."""

    first: int
    last: int
    bytes: float
    height: float


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the path: the reference, what it leads to, bytes a call, and their share in %."""

    label: str
    thing: str
    bytes: float
    share: float


def render_culprit(
    outcome: Outcome,
    culprit: Culprit,
    excerpts: Iterable[Excerpt] = (),
    *,
    back: str = "",
) -> str:
    """Return the page of one culprit of a design; `back` is a link to the run's page."""
    from markupsafe import Markup

    recording, judgement = outcome.recording, outcome.judgement
    return template("culprit.html").render(
        name=f"{recording.scenario}/{recording.design}",
        verdict=verdict_line(judgement.overall) if judgement is not None else "",
        headline=headline(culprit),
        culprit=culprit,
        lost=lost_text(culprit),
        steps=step_rows(culprit),
        bars=bars_of(outcome),
        excerpts=[one for one in excerpts if one.lines],
        back=back,
        css=Markup(read("report.css") + read("culprit.css")),
    )


def step_rows(culprit: Culprit) -> tuple[StepRow, ...]:
    """Return the path from the root down, with what goes when each step is let go."""
    whole = max(culprit.bytes_per_call, 1.0)
    sizes = culprit.step_bytes or (0.0,) * len(culprit.steps)
    return tuple(
        StepRow(
            label=step.label,
            thing=step.thing,
            bytes=size,
            share=min(100 * size / whole, 100.0),
        )
        for step, size in zip(culprit.steps, sizes, strict=False)
    )


def bars_of(outcome: Outcome) -> tuple[Bar, ...]:
    """Return what each call left behind, of the settled pass: its live bytes less those before."""
    record = outcome.recording.of("settled")
    if record is None or not record.calls:
        return ()
    curve = record.samples.curve("live_bytes")
    calls = min(outcome.recording.calls, curve.calls[-1])
    wide = max(-(-calls // MOST_BARS), 1)
    values = dict(zip(curve.calls, curve.values, strict=True))
    ends = [call for call in range(0, calls + 1, wide) if call in values]
    gains = [(a + 1, b, (values[b] - values[a]) / (b - a)) for a, b in pairwise(ends)]
    # the first call builds what all others use: its bar would flatten theirs
    most = max((abs(gain) for first, _, gain in gains if first > wide), default=0.0) or 1.0
    return tuple(
        Bar(first=a, last=b, bytes=gain, height=min(max(100 * gain / most, 0.0), 100.0))
        for a, b, gain in gains
    )
