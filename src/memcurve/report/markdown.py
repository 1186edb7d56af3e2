"""summary.md: a run in under 60 lines for a pull request, worst first, details folded."""

import html
from collections.abc import Sequence

from memcurve.report.figures import METRICS, Metric, sign
from memcurve.report.page import DesignView, Page, ScenarioView
from memcurve.report.panels import Panel
from memcurve.report.sentences import STATES, SYMBOLS, culprit_line
from memcurve.report.table import show

MOST_LINES = 58
_BARS = "▁▂▃▄▅▆▇█"
_POINTS = 12
MOST_CULPRITS = 3
_WORDS = {"better": "", "worse": " ▲", "~": " ~"}


def markdown(page: Page) -> str:
    """Return the summary; what does not fit is counted, never dropped in silence."""
    ordered = sorted(page.scenarios, key=_badness)
    lines = [*_opening(page), *_tables(ordered)]
    for scenario in ordered:
        block = _details(scenario)
        if len(lines) + len(block) > MOST_LINES - 3:
            left = len(ordered) - ordered.index(scenario)
            lines.append(f"<sub>Details of {left} more in `index.html`.</sub>")
            break
        lines.extend(block)
    return "\n".join([*lines, *_closing(page)]) + "\n"


def _badness(scenario: ScenarioView) -> tuple[bool, int]:
    return not scenario.crossings, STATES.index(scenario.state)


def _opening(page: Page) -> list[str]:
    mark = "✅" if page.passed else "❌"
    lines = [f"## {mark} memcurve: {page.status}", "", f"{escape(page.headline)}.", ""]
    shown = page.crossings[:5]
    lines.extend(f"- **{escape(crossing.message)}**" for crossing in shown)
    if len(page.crossings) > len(shown):
        lines.append(f"- and {len(page.crossings) - len(shown)} more")
    return [*lines, ""] if shown else lines


def _tables(scenarios: Sequence[ScenarioView]) -> list[str]:
    heads = [f"{m.title}{' a call' if m.per_call else ''}" for m in METRICS]
    lines = [f"| | verdict | curve | {' | '.join(heads)} |", "|---|---|---|" + "--:|" * len(heads)]
    room = MOST_LINES - 25
    for scenario in scenarios:
        if len(lines) + len(scenario.designs) > room:
            left = len(scenarios) - scenarios.index(scenario)
            lines.append(f"| … {left} more scenarios in `index.html` |" + " |" * (len(heads) + 2))
            break
        lines.extend(_row(scenario, design) for design in scenario.designs)
    return [*lines, ""]


def _row(scenario: ScenarioView, design: DesignView) -> str:
    name = f"{scenario.name} / {design.name}"
    name = f"**{escape(name)}**" if design.name == scenario.winner else escape(name)
    cells = [_cell(metric, design, scenario) for metric in METRICS]
    verdict = f"{SYMBOLS[design.state]} {escape(design.label)}"
    curve = sparkline(scenario.panel("retained"), design.name)
    return f"| {name} | {verdict} | {curve} | {' | '.join(cells)} |"


def _cell(metric: Metric, design: DesignView, scenario: ScenarioView) -> str:
    text = design.retained if metric.key == "retained" else show(metric, design)
    for lead in scenario.leads:
        other = next(one for one in scenario.designs if one.name == lead.over)
        if lead.design == design.name:
            found = sign(metric, design.figures.get(metric), other.figures.get(metric))
            return text + (_WORDS[found] if found else "")
    return text


def sparkline(panel: Panel | None, design: str) -> str:
    """Return the curve of one design as a few bars, on the scale of all designs of its panel."""
    lines = panel.lines if panel else ()
    line = next((one for one in lines if one.design == design), None)
    if panel is None or line is None:
        return ""
    ends = {one.design: one.curve.head(panel.calls) for one in lines}
    most = max(max(curve.values) for curve in ends.values())
    curve = ends[design]
    calls = [round(panel.calls * (i + 1) / _POINTS) for i in range(_POINTS)]
    reached = [call for call in calls if call <= curve.last_call]
    levels = [curve.at(call) / most if most > 0 else 0.0 for call in reached]
    return "".join(_BARS[min(max(int(level * 7.999), 0), 7)] for level in levels)


def _details(scenario: ScenarioView) -> list[str]:
    won = f"{scenario.winner} wins" if scenario.winner else "nobody wins"
    lines = [f"<details><summary>{html.escape(scenario.name)}: {html.escape(won)}</summary>", ""]
    lines.extend(f"- **{escape(d.name)}** {escape(d.sentence)}" for d in scenario.designs)
    against = ((escape(lead.design), escape(lead.over), lead.brief) for lead in scenario.leads)
    lines.extend(f"- {design} against {over}: {brief}" for design, over, brief in against)
    for design in scenario.designs:
        held = design.culprits[:MOST_CULPRITS]
        lines.extend(f"- {escape(design.name)} grows by {escape(culprit_line(c))}" for c in held)
    return [*lines, "", "</details>"]


def _closing(page: Page) -> list[str]:
    keys = ", ".join(environment.key for environment in page.environments)
    made = f"{page.recorded_at[:16]} · {escape(keys)} · `{page.command}`"
    legend = "curves on the scale of their scenario · ~ no difference to the reference · ▲ worse"
    return ["", f"<sub>{made} · {legend}</sub>"]


def escape(text: str) -> str:
    """Return text that Markdown and its tables print as it is."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for special in "\\`*_|[]":
        text = text.replace(special, f"\\{special}")
    return text
