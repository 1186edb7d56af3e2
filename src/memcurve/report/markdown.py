"""summary.md: a run in under 60 lines for a pull request, worst first, details folded."""

import html
from collections.abc import Sequence

from memcurve.compare.difference import Sign
from memcurve.compare.metrics import METRICS, Metric
from memcurve.model.outcome import STATES
from memcurve.report.causes import lost_reference_line
from memcurve.report.crossings import crossing_message
from memcurve.report.sentences import SYMBOLS, culprit_line
from memcurve.report.sparklines import spark_bars
from memcurve.report.standings import standing_brief
from memcurve.report.table import show
from memcurve.report.view import DesignView, RunView, ScenarioView

MOST_LINES = 58
MOST_CULPRITS = 3
_WORDS: dict[Sign, str] = {"better": "", "worse": " ▲", "~": " ~"}


def markdown(view: RunView) -> str:
    """Return the summary; what does not fit is counted, never dropped in silence."""
    ordered = sorted(view.scenarios, key=_badness)
    lines = [*_opening(view), *_tables(ordered)]
    for scenario in ordered:
        block = _details(scenario)
        if len(lines) + len(block) > MOST_LINES - 3:
            left = len(ordered) - ordered.index(scenario)
            lines.append(f"<sub>Details of {left} more in `index.html`.</sub>")
            break
        lines.extend(block)
    return "\n".join([*lines, *_closing(view)]) + "\n"


def _badness(scenario: ScenarioView) -> tuple[bool, int]:
    return not scenario.crossings, STATES.index(scenario.state)


def _opening(view: RunView) -> list[str]:
    mark = "✅" if view.passed else "❌"
    lines = [f"## {mark} memcurve: {view.status}", "", f"{escape(view.headline)}.", ""]
    shown = view.crossings[:5]
    lines.extend(f"- **{escape(crossing_message(crossing))}**" for crossing in shown)
    if len(view.crossings) > len(shown):
        lines.append(f"- and {len(view.crossings) - len(shown)} more")
    return [*lines, ""] if shown else lines


def _tables(scenarios: Sequence[ScenarioView]) -> list[str]:
    heads = [f"{m.title}{' a call' if m.per_call else ''}" for m in METRICS]
    if not scenarios:
        return []
    lines = [f"| | verdict | curve | {' | '.join(heads)} |", "|---|---|---|" + "--:|" * len(heads)]
    room = MOST_LINES - 25
    for scenario in scenarios:
        if len(lines) + len(scenario.designs) > room:
            left = len(scenarios) - scenarios.index(scenario)
            lines.append(
                f"| … {left} more {'tests' if scenarios[0].test else 'scenarios'} in `index.html` |"
                + " |" * (len(heads) + 2)
            )
            break
        lines.extend(_row(scenario, design) for design in scenario.designs)
    return [*lines, ""]


def _row(scenario: ScenarioView, design: DesignView) -> str:
    name = scenario.test or f"{scenario.name} / {design.name}"
    name = f"**{escape(name)}**" if design.name == scenario.winner else escape(name)
    cells = [_cell(metric, design, scenario) for metric in METRICS]
    verdict = f"{SYMBOLS[design.state]} {escape(design.label)}"
    curve = spark_bars(scenario.panel("retained"), design.name)
    return f"| {name} | {verdict} | {curve} | {' | '.join(cells)} |"


def _cell(metric: Metric, design: DesignView, scenario: ScenarioView) -> str:
    text = design.retained if metric.key == "retained" else show(metric, design)
    standing = scenario.standing(design.name)
    gaps = standing.gaps if standing is not None else ()
    sign = next((gap.sign for gap in gaps if gap.metric == metric), None)
    return text + (_WORDS[sign] if sign is not None else "")


def _details(scenario: ScenarioView) -> list[str]:
    said = f"{html.escape(scenario.title)}: {html.escape(_outcome(scenario))}"
    lines = [f"<details><summary>{said}</summary>", ""]
    lines.extend(f"- **{escape(d.name)}** {escape(d.sentence)}" for d in scenario.designs)
    lines.extend(
        f"- {escape(one.design)} against {escape(one.over)}: {standing_brief(one)}"
        for one in scenario.standings
    )
    for design in scenario.designs:
        first = design.culprits[:MOST_CULPRITS]
        lines.extend(f"- {escape(design.name)} grows by {escape(culprit_line(c))}" for c in first)
        lines.extend(
            f"- {escape(design.name)}: {escape(lost_reference_line(lost))}"
            for lost in design.lost_references or ()
        )
    return [*lines, "", "</details>"]


def _outcome(scenario: ScenarioView) -> str:
    """Return who wins; nobody does where there is one, and its verdict is told."""
    if len(scenario.designs) == 1:
        return scenario.designs[0].label
    return f"{scenario.winner} wins" if scenario.winner else "nobody wins"


def _closing(view: RunView) -> list[str]:
    keys = ", ".join(environment.key for environment in view.environments)
    made = f"{view.recorded_at[:16]} · {escape(keys)} · `{view.command}`"
    legend = "curves on the scale of their " + ("test" if view.of_tests else "scenario")
    if any(scenario.standings for scenario in view.scenarios):
        legend += " · ~ no difference to the reference · ▲ worse"
    return ["", f"<sub>{made} · {legend}</sub>"]


def escape(text: str) -> str:
    """Return text that Markdown and its tables print as it is."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for special in "\\`*_|[]":
        text = text.replace(special, f"\\{special}")
    return text
