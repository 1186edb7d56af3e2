"""One picture a scenario: what each design retains over the calls, and the other counters small.

The only module that loads matplotlib. It draws on a canvas of its own and touches no global state.
"""

import math
import textwrap
from collections import Counter
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

from memcurve.model.outcome import STATES
from memcurve.report.crossings import crossing_line
from memcurve.report.palette import LIGHT_GROUND
from memcurve.report.panel_drawing import FAINT, TEXT, PanelDrawing
from memcurve.report.sentences import SYMBOLS
from memcurve.report.standings import standing_brief
from memcurve.report.view import RunView, ScenarioView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Format = Literal["png", "svg"]

SMALL = ("live", "rss", "deferred", "fds", "connections", "cpu", "tasks", "threads", "objects")
_PLACES = (
    (0, slice(8, 12)),
    (1, slice(8, 12)),
    (2, slice(0, 3)),
    (2, slice(3, 6)),
    (2, slice(6, 9)),
    (2, slice(9, 12)),
)
MOST_TITLES = 4
TITLE_LETTERS, SUBTITLE_LETTERS = 140, 165
"""What one line of the picture holds in its usual size; more is written smaller, never cut."""
LONGEST_WORD = 20
"""Letters that a line may lose to a word that goes to the next."""
WIDTH_IN, HEIGHT_IN, DOTS_PER_IN = 12.0, 7.4, 130


def draw(view: RunView, scenario: ScenarioView, form: Format = "png") -> bytes:
    """Draw one scenario; costs about a second, most of it the first time."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "text.color": TEXT,
        "text.parse_math": False,  # a `$` of a name is a dollar
        "svg.hashsalt": "memcurve",
        "svg.fonttype": "none",
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), facecolor=LIGHT_GROUND)
        FigureCanvasAgg(figure)
        _compose(figure, view, scenario)
        buffer = BytesIO()
        metadata = {"Date": None} if form == "svg" else {"Software": None}
        figure.savefig(buffer, format=form, dpi=DOTS_PER_IN, metadata=metadata)
    return buffer.getvalue()


def _compose(figure: "Figure", view: RunView, scenario: ScenarioView) -> None:
    ink = {design.name: design.ink for design in scenario.designs}
    _titles(figure, view, scenario)
    grid = figure.add_gridspec(
        3, 12, left=0.07, right=0.925, top=0.805, bottom=0.07, hspace=0.6, wspace=5.2
    )
    small = [found for key in SMALL if (found := scenario.panel(key)) is not None]
    main = scenario.panel("retained") or (small.pop(0) if small else None)
    if main is None:
        figure.text(0.07, 0.5, "nothing was measured", fontsize=12, color=FAINT)
        return
    wide = 7 if len(scenario.designs) <= MOST_TITLES else 6  # many designs have long names
    large = PanelDrawing(figure.add_subplot(grid[0:2, 0:wide]), main, ink, large=True)
    large.draw(scenario.crossings)
    for panel, (row, columns) in zip(small, _PLACES, strict=False):
        PanelDrawing(figure.add_subplot(grid[row, columns]), panel, ink, large=False).draw()


def _titles(figure: "Figure", view: RunView, scenario: ScenarioView) -> None:
    name = scenario.title
    if scenario.description:
        name += f": {scenario.description}"
    size, text = _fitted(name)
    figure.text(0.02, 0.965, text, fontsize=size, color=FAINT, va="center", linespacing=1.3)
    if len(scenario.designs) > MOST_TITLES:
        _grouped_title(figure, scenario)
    else:
        _chained_title(figure, scenario)
    for line, y in zip(_subtitle(scenario), (0.878, 0.856), strict=False):
        size = 8.5 * min(1, SUBTITLE_LETTERS / max(len(line), 1))
        figure.text(0.02, y, line, fontsize=size, color=FAINT, va="center")
    figure.text(0.98, 0.965, view.recorded_at[:10], fontsize=8, color=FAINT, ha="right")


def _chained_title(figure: "Figure", scenario: ScenarioView) -> None:
    """Write each design's verdict in its colour, one after the other, as large as they fit."""
    texts = [f"{SYMBOLS[d.state]} {d.name} {d.label}" for d in scenario.designs]
    size = min(14.0, 14.0 * 105 / max(len("   ".join(texts)), 1))
    x = 0.02
    for design, text in zip(scenario.designs, texts, strict=True):
        drawn = figure.text(
            x, 0.92, text, fontsize=size, weight="bold", color=design.ink.light, va="center"
        )
        x += drawn.get_window_extent().width / figure.bbox.width + 0.025


def _grouped_title(figure: "Figure", scenario: ScenarioView) -> None:
    """Write how many of many designs grow, and which one leads."""
    counts = Counter(design.state for design in scenario.designs)
    parts = [f"{SYMBOLS[state]} {counts[state]} {state}" for state in STATES if counts[state]]
    won = f"; {scenario.winner} leads" if scenario.winner else ""
    text = f"{len(scenario.designs)} designs: {', '.join(parts)}{won}"
    figure.text(0.02, 0.92, text, fontsize=14, weight="bold", color=TEXT, va="center")


def _subtitle(scenario: ScenarioView) -> Iterable[str]:
    if scenario.crossings:
        return [f"✕ {crossing_line(crossing)}" for crossing in scenario.crossings[:2]]
    won = [one for one in scenario.standings if one.design == scenario.winner]
    told = won or scenario.standings[-1:]
    return [f"{one.design} against {one.over}: {standing_brief(one)}" for one in told]


def _fitted(text: str) -> tuple[float, str]:
    """Return the size at which a whole text fits into two lines, and its lines."""
    if len(text) <= TITLE_LETTERS:
        return 10.0, text
    letters = max(TITLE_LETTERS, math.ceil(len(text) / 2) + LONGEST_WORD)
    lines = textwrap.wrap(text, letters)
    return 9.0 * min(1, TITLE_LETTERS / letters), "\n".join(lines)
