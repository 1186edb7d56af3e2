"""Reference cycles as data for the page's template: dots on a circle, bent arrows between them.

A cycle of a few objects is drawn whole; of one with many, only the shortest way round.
"""

import math
from collections.abc import Iterable

import msgspec

from memcurve.model.findings import Cycle

RADIUS, CENTRE = 84.0, (260.0, 120.0)
TEXT_GAP, LABEL_GAP, DOT_GAP, BEND = 16.0, 7.0, 9.0, 26.0
MOST_MEMBERS = 7
LONGEST = {"middle": 60, "start": 20, "end": 20}


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One member of a cycle: where its dot stands, and where its text begins or ends.

    `text` is as much of the end of `name` as fits.
    """

    x: float
    y: float
    text_x: float
    text_y: float
    text: str
    name: str
    anchor: str


class Arc(msgspec.Struct, frozen=True, kw_only=True):
    """One reference: a curve with an arrow, and its name beside it."""

    path: str
    label: str
    x: float
    y: float
    anchor: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A cycle as a picture of a fixed size: members on a circle, references between them."""

    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]


def draw_cycle(cycle: Cycle) -> Drawing | None:
    """Lay out a cycle; None where it has no members to draw."""
    links = {(edge.source, edge.target): edge.label for edge in cycle.edges}
    shown = list(range(len(cycle.members)))
    if len(shown) > MOST_MEMBERS:
        shown = shortest_ring(links)[:MOST_MEMBERS] or shown[:MOST_MEMBERS]
    if not shown:
        return None
    places = {member: _place(i / len(shown)) for i, member in enumerate(shown)}
    nodes = tuple(_node(place, cycle.members[member]) for member, place in places.items())
    arcs = tuple(
        _arc(places[source], places[target], label)
        for (source, target), label in links.items()
        if source in places and target in places
    )
    return Drawing(nodes=nodes, arcs=arcs)


def shortest_ring(links: Iterable[tuple[int, int]]) -> list[int]:
    """Return the members of a shortest way round of two or more, in order; of equals the first."""
    following: dict[int, list[int]] = {}
    for source, target in links:
        if source != target:
            following.setdefault(source, []).append(target)
    rings = (_way_back(start, following) for start in sorted(following))
    return min((ring for ring in rings if ring), key=len, default=[])


def _way_back(start: int, following: dict[int, list[int]]) -> list[int]:
    ways, seen = [[start]], {start}
    for way in ways:  # grows while it is read: breadth first
        for member in following.get(way[-1], ()):
            if member == start:
                return way
            if member not in seen:
                seen.add(member)
                ways.append([*way, member])
    return []


def _place(turn: float) -> tuple[float, float]:
    angle = 2 * math.pi * (turn - 0.25)
    return CENTRE[0] + RADIUS * math.cos(angle), CENTRE[1] + RADIUS * math.sin(angle)


def _node(place: tuple[float, float], text: str) -> Node:
    x, y = place
    away = 1 + TEXT_GAP / RADIUS
    text_x, text_y = (c + (v - c) * away for c, v in zip(CENTRE, place, strict=True))
    anchor = _anchor((x - CENTRE[0]) / RADIUS)
    return Node(
        x=round(x, 1),
        y=round(y, 1),
        text_x=round(text_x, 1),
        text_y=round(text_y, 1),
        text=_end_of(text, LONGEST[anchor]),
        name=text,
        anchor=anchor,
    )


def _arc(start: tuple[float, float], end: tuple[float, float], label: str) -> Arc:
    """Bend the line between two dots, so that two opposite references do not lie on each other."""
    if start == end:
        return _loop(start, label)
    (x0, y0), (x1, y1) = start, end
    length = math.dist((x0, y0), (x1, y1)) or 1.0
    along = ((x1 - x0) / length, (y1 - y0) / length)
    aside = (along[1], -along[0])
    bend_x, bend_y = (x0 + x1) / 2 + aside[0] * BEND, (y0 + y1) / 2 + aside[1] * BEND
    x0, y0 = x0 + along[0] * DOT_GAP, y0 + along[1] * DOT_GAP
    x1, y1 = x1 - along[0] * DOT_GAP, y1 - along[1] * DOT_GAP
    label_x, label_y = (x0 + x1 + 2 * bend_x) / 4, (y0 + y1 + 2 * bend_y) / 4
    return Arc(
        path=f"M{x0:.1f} {y0:.1f}Q{bend_x:.1f} {bend_y:.1f} {x1:.1f} {y1:.1f}",
        label=label,
        x=round(label_x + aside[0] * LABEL_GAP, 1),
        y=round(label_y + aside[1] * LABEL_GAP, 1),
        anchor=_anchor(aside[0]),
    )


def _loop(place: tuple[float, float], label: str) -> Arc:
    """Draw the reference of an object to itself as a loop towards the centre."""
    x, y = place
    inward = ((CENTRE[0] - x) / RADIUS, (CENTRE[1] - y) / RADIUS)
    aside = (-inward[1], inward[0])
    near = [(x + s * DOT_GAP * aside[0], y + s * DOT_GAP * aside[1]) for s in (-1, 1)]
    far = [
        (x + 60 * inward[0] + s * 40 * aside[0], y + 60 * inward[1] + s * 40 * aside[1])
        for s in (-1, 1)
    ]
    (ax, ay), (bx, by) = near
    (cx, cy), (dx, dy) = far
    return Arc(
        path=f"M{ax:.1f} {ay:.1f}C{cx:.1f} {cy:.1f} {dx:.1f} {dy:.1f} {bx:.1f} {by:.1f}",
        label=label,
        x=round(x + 60 * inward[0], 1),
        y=round(y + 60 * inward[1], 1),
        anchor="middle",
    )


def _end_of(text: str, most: int) -> str:
    return text if len(text) <= most else f"…{text[1 - most :]}"


def _anchor(side: float) -> str:
    return "middle" if abs(side) < 0.1 else "start" if side > 0 else "end"
