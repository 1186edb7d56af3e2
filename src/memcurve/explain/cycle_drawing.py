"""Draw a cycle, and turn what a worker tells of cycles into values."""

import math
from html import escape

from memcurve.explain.graphviz import by_dot, quoted
from memcurve.explain.places import site_of, user_site_of
from memcurve.model.answers import Frame
from memcurve.model.findings import Cycle, Edge, TypeCount
from memcurve.model.garbage_survey import CycleLinesSurvey, CycleShape, GarbageSurvey

WIDTH, HEIGHT, RADIUS = 720, 560, 210
_TIP = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
    'markerHeight="8" orient="auto"><path d="M0,0 L8,4 L0,8 z"/></marker></defs>'
)


def cycles_of(
    garbage: GarbageSurvey | None, traced: CycleLinesSurvey | None = None
) -> tuple[Cycle, ...]:
    """Return the cycles that one survey of deferred garbage found, with the lines of another."""
    if garbage is None:
        return ()
    calls = max(garbage.calls, 1)
    lines = {(line.words, line.size): line.frames for line in traced.lines} if traced else {}
    return tuple(
        _cycle(shape, calls, lines.get((shape.words, shape.size), ())) for shape in garbage.cycles
    )


def _cycle(shape: CycleShape, calls: int, made: tuple[Frame, ...]) -> Cycle:
    frames = tuple(frame.place for frame in made)
    return Cycle(
        words=shape.words,
        per_call=shape.count / calls,
        objects=shape.size,
        bytes=shape.bytes,
        members=shape.members,
        edges=tuple(Edge(source=e.source, target=e.target, label=e.label) for e in shape.edges),
        types=tuple(
            TypeCount(type=total.type, per_call=total.count / calls, bytes_per_call=0.0)
            for total in shape.types
        ),
        finalizers=shape.finalizers,
        held_objects_per_call=shape.held.objects / calls,
        held_per_call=shape.held.bytes / calls,
        keeps=shape.held.names,
        site=site_of(frames),
        user_site=user_site_of(frames),
    )


def as_dot(cycle: Cycle) -> str:
    """Return the cycle in the language of graphviz."""
    lines = ["digraph cycle {", "  rankdir=LR; node [shape=box, fontname=sans, fontsize=10];"]
    lines.extend(f"  n{i} [label={quoted(text)}];" for i, text in enumerate(cycle.members))
    lines.extend(
        f"  n{e.source} -> n{e.target} [label={quoted(e.label)}, fontsize=9];" for e in cycle.edges
    )
    return "\n".join([*lines, "}"])


def as_svg(cycle: Cycle) -> str:
    """Return the cycle as SVG: laid out by graphviz where ``dot`` is there, else on a circle."""
    return by_dot(as_dot(cycle)) or on_circle(cycle)


def on_circle(cycle: Cycle) -> str:
    """Return the cycle as SVG of our own: members on a circle, references as labelled arrows."""
    places = [_place(i, len(cycle.members)) for i in range(len(cycle.members))]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(cycle.words)}</title>",
        _TIP,
    ]
    parts.extend(_arrow(places[e.source], places[e.target], e.label) for e in cycle.edges)
    for (x, y), text in zip(places, cycle.members, strict=True):
        parts.append(
            f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="middle" font-size="11" '
            f'font-family="sans-serif">{escape(text)}</text>'
        )
    return "\n".join([*parts, "</svg>"])


def _place(position: int, count: int) -> tuple[float, float]:
    turn = 2 * math.pi * position / max(count, 1) - math.pi / 2
    return WIDTH / 2 + RADIUS * math.cos(turn), HEIGHT / 2 + RADIUS * math.sin(turn)


def _arrow(start: tuple[float, float], end: tuple[float, float], label: str) -> str:
    if start == end:
        return (
            f'<text x="{start[0]:.0f}" y="{start[1] + 14:.0f}" text-anchor="middle" '
            f'font-size="9" font-family="sans-serif">↻ {escape(label)}</text>'
        )
    (x1, y1), (x2, y2) = _between(start, end, 0.1), _between(start, end, 0.9)
    middle = _between(start, end, 0.45)
    return (
        f'<line x1="{x1:.0f}" y1="{y1:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" stroke="currentColor" '
        'stroke-width="1" marker-end="url(#tip)"/>'
        f'<text x="{middle[0]:.0f}" y="{middle[1]:.0f}" text-anchor="middle" font-size="9" '
        f'font-family="sans-serif" opacity="0.7">{escape(label)}</text>'
    )


def _between(
    start: tuple[float, float], end: tuple[float, float], share: float
) -> tuple[float, float]:
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
