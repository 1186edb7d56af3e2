"""Small drawings of the page as data for its template: curves in a table cell, cycles as rings."""

import math
from itertools import pairwise

import msgspec

from memcurve.report.panels import Panel
from memcurve.report.thinning import thin

SPARK_WIDTH, SPARK_HEIGHT, SPARK_BUCKETS = 96, 26, 24
RING_RADIUS, RING_CENTRE = 62.0, (150.0, 90.0)
NODE_GAP = 0.2  # of a turn between two nodes, left free for the arrow's ends


def spark(panel: Panel | None, design: str) -> str:
    """Return the points of a polyline of that size, on the scale of all designs of its panel."""
    line = next((one for one in panel.lines if one.design == design), None) if panel else None
    if panel is None or line is None:
        return ""
    shown = [one.curve.head(panel.calls) for one in panel.lines]
    low = min(0, *(min(curve.values) for curve in shown))
    span = max(*(max(curve.values) for curve in shown), low + 4096) - low
    curve = thin(line.curve.head(panel.calls), SPARK_BUCKETS)
    width, height = SPARK_WIDTH - 4, SPARK_HEIGHT - 4
    return " ".join(
        f"{2 + call * width / max(panel.calls, 1):.1f},{2 + height - (v - low) * height / span:.1f}"
        for call, v in curve
    )


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a cycle: where it stands, and how its text is anchored."""

    x: float
    y: float
    text: str
    anchor: str


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """A reference cycle as a picture: nodes on a circle and the arcs between them."""

    nodes: tuple[Node, ...]
    arcs: tuple[str, ...]


def ring(cycle: str) -> Ring | None:
    """Lay out a cycle written as ``A → B → A``; None for anything that is not one."""
    names = [part.strip() for part in cycle.replace("->", "→").split("→") if part.strip()]
    if len(names) > 1 and names[0] == names[-1]:
        names.pop()
    if not names:
        return None
    turns = [i / len(names) for i in range(len(names))]
    nodes = tuple(_node(turn, name) for turn, name in zip(turns, names, strict=True))
    return Ring(nodes=nodes, arcs=tuple(_arc(a, b) for a, b in pairwise([*turns, 1.0])))


def _node(turn: float, text: str) -> Node:
    x, y = _place(turn)
    side = x - RING_CENTRE[0]
    anchor = "middle" if abs(side) < 1 else "start" if side > 0 else "end"
    return Node(x=x, y=y, text=text, anchor=anchor)


def _place(turn: float) -> tuple[float, float]:
    angle = 2 * math.pi * (turn - 0.25)
    return (
        round(RING_CENTRE[0] + RING_RADIUS * math.cos(angle), 1),
        round(RING_CENTRE[1] + RING_RADIUS * math.sin(angle), 1),
    )


def _arc(start: float, end: float) -> str:
    gap = (end - start) * NODE_GAP
    (x0, y0), (x1, y1) = _place(start + gap), _place(end - gap)
    large = int(end - start - 2 * gap > 0.5)
    return f"M{x0} {y0}A{RING_RADIUS:g} {RING_RADIUS:g} 0 {large} 1 {x1} {y1}"
