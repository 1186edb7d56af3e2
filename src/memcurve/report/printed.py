"""What a notebook and a prompt show of a result: its line, its text, and a small panel."""

from html import escape

from memcurve.model.curve import Curve
from memcurve.model.units import format_bytes
from memcurve.model.verdict import Checked, name_of
from memcurve.model.wording import set_wording
from memcurve.report.downsampling import thin
from memcurve.report.text import check_text, verdict_line

WIDTH, HEIGHT, BUCKETS = 460, 90, 120
INKS = {"growing": "#c0392b", "rising": "#c0392b", "inconclusive": "#b9770e"}
CALM = "#2e7d4f"


def panel(checked: Checked) -> str:
    """Return the curve of live bytes below its verdict, as HTML that asks for nothing else.

    Colours are those of the page around it but for the curve, so it reads on dark grounds too.
    """
    first, _, rest = check_text(checked).partition("\n")
    ink = INKS.get(name_of(checked.verdict), CALM)
    return (
        f'<div style="max-width:60em"><p><strong style="color:{ink}">{escape(first)}</strong></p>'
        f"{_drawn(_curve(checked), ink)}"
        f'<pre style="white-space:pre-wrap">{escape(rest)}</pre></div>'
    )


def _curve(checked: Checked) -> Curve | None:
    settled = checked.recording.of("settled")
    if settled is None or settled.samples is None:
        return None
    curve = settled.samples.curve("live_bytes")
    return curve if len(curve.calls) > 1 else None


def _drawn(curve: Curve | None, ink: str) -> str:
    if curve is None:
        return ""
    shown = thin(curve, BUCKETS)
    low, high = min(value for _, value in shown), max(value for _, value in shown)
    span, last = max(high - low, 1), max(curve.calls[-1], 1)
    points = " ".join(
        f"{call * WIDTH / last:.1f},{HEIGHT - (value - low) * HEIGHT / span:.1f}"
        for call, value in shown
    )
    label = f"live bytes over {last} calls, from {format_bytes(low)} to {format_bytes(high)}"
    return (
        f'<svg role="img" aria-label="{label}" width="100%" style="max-width:{WIDTH}px" '
        f'viewBox="-2 -4 {WIDTH + 4} {HEIGHT + 8}"><polyline points="{points}" fill="none" '
        f'stroke="{ink}" stroke-width="2"/></svg><p><small>{label}</small></p>'
    )


def let_results_print() -> None:
    """Let results print as what they say, and not as the structures that they are."""
    set_wording(line=verdict_line, text=check_text, html=panel)
