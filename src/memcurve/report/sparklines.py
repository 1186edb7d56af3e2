"""The curve of one design as small as a table cell: a polyline for the page, bars for Markdown."""

from memcurve.model.units import KIB
from memcurve.report.downsampling import thin
from memcurve.report.panels import Panel

WIDTH, HEIGHT, BUCKETS = 96, 26, 24
LEAST_SPAN = 4 * KIB
"""Less than that is drawn level: it is what the first calls build."""
BARS = "▁▂▃▄▅▆▇█"
POINTS = 12


def spark_points(panel: Panel | None, design: str) -> str:
    """Return the points of a polyline of that size, on the scale of all designs of its panel."""
    line = panel.line(design) if panel else None
    if panel is None or line is None:
        return ""
    shown = [one.curve.head(panel.calls) for one in panel.lines]
    low = min(0, *(min(curve.values) for curve in shown))
    span = max(*(max(curve.values) for curve in shown), low + LEAST_SPAN) - low
    curve = thin(line.curve.head(panel.calls), BUCKETS)
    width, height = WIDTH - 4, HEIGHT - 4
    return " ".join(
        f"{2 + call * width / max(panel.calls, 1):.1f},{2 + height - (v - low) * height / span:.1f}"
        for call, v in curve
    )


def spark_bars(panel: Panel | None, design: str) -> str:
    """Return the curve of one design as a few bars, on the scale of all designs of its panel."""
    line = panel.line(design) if panel else None
    if panel is None or line is None:
        return ""
    most = max(max(one.curve.head(panel.calls).values) for one in panel.lines)
    curve = line.curve.head(panel.calls)
    calls = [round(panel.calls * (i + 1) / POINTS) for i in range(POINTS)]
    reached = [call for call in calls if call <= curve.last_call]
    levels = [curve.at(call) / most if most > 0 else 0.0 for call in reached]
    return "".join(BARS[min(max(int(level * 7.999), 0), 7)] for level in levels)
