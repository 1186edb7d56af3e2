"""Draw who holds a culprit: every way where objgraph was there to look, else the path alone."""

from collections.abc import Iterator
from html import escape

from memcurve.explain.graphviz import by_dot, quoted
from memcurve.model.findings import Culprit

WIDTH, STEP, LEFT = 720, 46, 24


def holding_svg(culprit: Culprit, graph: str = "") -> str:
    """Return who holds a culprit as SVG; `graph` are all references, as objgraph tells them."""
    drawn = by_dot(graph) if graph else ""
    return drawn or by_dot(path_as_dot(culprit)) or in_steps(culprit)


def path_as_dot(culprit: Culprit) -> str:
    """Return the path from the root to the culprit in the language of graphviz."""
    steps = list(_steps(culprit))
    lines = ["digraph path {", "  rankdir=TB; node [shape=box, fontname=sans, fontsize=10];"]
    lines.extend(f"  n{i} [label={quoted(text)}];" for i, (_, text) in enumerate(steps))
    lines.extend(
        f"  n{i - 1} -> n{i} [label={quoted(label)}, fontsize=9];"
        for i, (label, _) in enumerate(steps)
        if i
    )
    return "\n".join([*lines, "}"])


def in_steps(culprit: Culprit) -> str:
    """Return the path as SVG of our own: one line of text below the other."""
    steps = list(_steps(culprit))
    height = STEP * len(steps) + STEP // 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{escape(culprit.type)}, held by {escape(culprit.root)}</title>",
    ]
    for number, (label, text) in enumerate(steps):
        y = STEP * (number + 1) - STEP // 2
        if number:
            parts.append(
                f'<text x="{LEFT}" y="{y - STEP // 2}" font-size="10" font-family="sans-serif" '
                f'opacity="0.7">↓ {escape(label)}</text>'
            )
        parts.append(
            f'<text x="{LEFT}" y="{y}" font-size="12" font-family="sans-serif">'
            f"{escape(text)}</text>"
        )
    return "\n".join([*parts, "</svg>"])


def _steps(culprit: Culprit) -> Iterator[tuple[str, str]]:
    """Yield (reference, what it leads to); the first is the root, told with its own reference."""
    for number, step in enumerate(culprit.steps):
        yield (step.label, step.thing) if number else ("", step.text)
