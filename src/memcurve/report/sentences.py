"""What a report says in words: of one design, of a scenario, of the whole run."""

import math
from collections import Counter
from collections.abc import Sequence

import msgspec

from memcurve.compare.ranking import best_design, design_states, main_designs, worst_design
from memcurve.model.debt import Heavy
from memcurve.model.findings import Culprit
from memcurve.model.outcome import STATES, Outcome, Run, State
from memcurve.model.units import counter_of, format_bytes, format_count, format_value
from memcurve.model.verdict import (
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Rise,
    Rising,
    Verdict,
)
from memcurve.report import causes
from memcurve.report.crossings import crossing_line
from memcurve.report.debt import heavy_detail
from memcurve.report.palette import KNOWN
from memcurve.report.text import verdict_detail, verdict_line

SYMBOLS: dict[State, str] = {
    "failed": "✕",
    "growing": "▲",
    "rising": "△",
    "inconclusive": "?",
    "plateaued": "◆",
    "flat": "●",
}
MOSTLY = 0.5
"""Native growth is named from one half on: the reader must know where to look first."""


class DesignSentence(msgspec.Struct, frozen=True, kw_only=True):
    """What is proved of one design over all its scenarios, and its worst state in them."""

    design: str
    state: State
    text: str


def verdict_label(outcome: Outcome) -> str:
    """Return the verdict in two or three words, for a table."""
    state = outcome.state
    if outcome.judgement is None:
        return state
    verdict = outcome.judgement.overall
    title = counter_of(verdict.evidence.counter).title
    if state in ("growing", "rising", "inconclusive") and title != "live bytes":
        return f"{state}: {title}"
    if isinstance(verdict, Plateaued):
        risen = f"+{_amount(verdict, verdict.size)}"
        return f"{state} {risen}" if title == "live bytes" else f"{state}: {title} {risen}"
    return state


def outcome_detail(outcome: Outcome) -> str:
    """Return the verdict on one design for where its word stands before it."""
    failure = outcome.recording.failure
    if outcome.judgement is None:
        return failure.line if failure else "was not measured"
    return verdict_detail(outcome.judgement.overall)


def outcome_sentence(outcome: Outcome) -> str:
    """Return the whole verdict on one design as a sentence."""
    failure = outcome.recording.failure
    if outcome.judgement is None:
        return f"could not be measured: {failure.line}" if failure else "was not measured"
    return verdict_line(outcome.judgement.overall)


def beside(outcome: Outcome) -> tuple[str, ...]:
    """Return the verdicts that are not the overall one and not still, the open ones in one line."""
    if outcome.judgement is None:
        return ()
    overall = outcome.judgement.overall
    others = [v for v in outcome.judgement.verdicts.values() if v.evidence != overall.evidence]
    said = [verdict_line(v) for v in others if _rises(v)]
    if isinstance(outcome.judgement.debt, Heavy):
        said.append(f"heavy: {heavy_detail(outcome.judgement.debt)}")
    still_open = [v for v in others if isinstance(v, Inconclusive)]
    if still_open:
        titles = ", ".join(counter_of(verdict.evidence.counter).title for verdict in still_open)
        said.append(f"inconclusive: {titles}")
    return tuple(said)


def _rises(verdict: Verdict) -> bool:
    return isinstance(verdict, Rise) or (isinstance(verdict, Plateaued) and verdict.size > 0)


class _Growth(msgspec.Struct, frozen=True, kw_only=True):
    """A design that grows, or rises, in one scenario."""

    scenario: str
    judgement: Judgement
    verdict: Rise

    @property
    def steepness(self) -> tuple[bool, float]:
        """What is steeper is told first: memory before counts, whose slopes are no bytes."""
        evidence = self.verdict.evidence
        return evidence.counter == "live_bytes", evidence.per_call


def _growths(outcomes: Sequence[Outcome], kind: type[Rise]) -> list[_Growth]:
    return [
        _Growth(
            scenario=outcome.recording.scenario,
            judgement=outcome.judgement,
            verdict=outcome.judgement.overall,
        )
        for outcome in outcomes
        if outcome.judgement is not None and isinstance(outcome.judgement.overall, kind)
    ]


def _amount_of_growth(growth: _Growth) -> str:
    """Return what grows, by how much, and where."""
    verdict, judgement = growth.verdict, growth.judgement
    title = counter_of(verdict.evidence.counter).title
    text = f"{_amount(verdict, verdict.per_call)} a call"
    if title != "live bytes":
        return f"{title} by {text}"
    whole = judgement.python_per_call + judgement.native_per_call
    outside = judgement.native_per_call / whole if whole > 0 else 0.0
    if outside >= MOSTLY:
        text += f", {outside * 100:.0f} % of it outside Python's heap"
    return text


def culprit_line(culprit: Culprit) -> str:
    """Return one cause of growth: how much of what, held by what, made where."""
    text = causes.headline(culprit)
    if culprit.path:
        text += f", held by {causes.holder_line(culprit)}"
    return text + (f", made at {causes.made_at(culprit)}" if culprit.site else "")


def quoted(design: str) -> str:
    """Return the name as a sentence can hold it: a design may be called 'none'."""
    return design if design in KNOWN else f"'{design}'"


def design_sentence(design: str, outcomes: Sequence[Outcome]) -> str:
    """Return what is proved about one design over all its scenarios."""
    design = quoted(design)
    growths = _growths(outcomes, Growing)
    if growths:
        return _growing_sentence(design, "grows", growths, len(outcomes))
    by_state = {state: [o for o in outcomes if o.state == state] for state in STATES}
    if by_state["failed"]:
        return f"{design} could not be measured{_where(by_state['failed'], outcomes)}"
    rising = _growths(outcomes, Rising)
    if rising:
        return _growing_sentence(design, "rises", rising, len(outcomes))
    if by_state["inconclusive"]:
        return _open_sentence(design, by_state["inconclusive"], outcomes)
    return _still_sentence(design, outcomes)


def _growing_sentence(design: str, verb: str, growths: Sequence[_Growth], scenarios: int) -> str:
    worst = max(growths, key=lambda growth: growth.steepness)
    if scenarios == 1:
        return f"{design} {verb} {_amount_of_growth(worst)}"
    most = "most in " if len(growths) > 1 else ""
    place = f"{most}{worst.scenario}, {_amount_of_growth(worst)}"
    return f"{design} {verb} in {len(growths)} of {scenarios} scenarios ({place})"


def _open_sentence(design: str, still_open: Sequence[Outcome], outcomes: Sequence[Outcome]) -> str:
    """Say what is not proved, and the growth that is excluded all the same."""
    worst = max(
        (o.judgement for o in still_open if o.judgement is not None),
        key=lambda judgement: judgement.retained.evidence.high,
    )
    still = [o for o in outcomes if o not in still_open]
    proved = "not proved flat"
    if len(still) > len(still_open):
        proved = f"flat in {_share(still, outcomes)}, and not proved so"
    text = f"{design} is {proved}{_where(still_open, outcomes)}"
    bound = _bound(worst.retained.evidence.high, worst.calls)
    return f"{text}: {bound}" if isinstance(worst.retained, Inconclusive) and bound else text


def _still_sentence(design: str, outcomes: Sequence[Outcome]) -> str:
    judgements = [o.judgement for o in outcomes if o.judgement is not None]
    stopped = sum(o.state == "plateaued" for o in outcomes)
    words = "stops growing" if stopped == len(outcomes) else "is flat"
    if len(outcomes) > 1:
        words += f" in {'both' if len(outcomes) == 2 else f'all {len(outcomes)}'} scenarios"
    if 0 < stopped < len(outcomes):
        words += f", in {stopped} after a rise"
    floor = max(judgement.retained.evidence.floor for judgement in judgements)
    bound = _bound(floor, min(judgement.calls for judgement in judgements), " proved")
    return f"{design} {words}: {bound}" if bound else f"{design} {words}"


def _bound(most: float, calls: int, proved: str = "") -> str:
    if not math.isfinite(most):
        return ""
    return f"≤ {format_bytes(most)} a call{proved} over {format_count(calls)} calls"


def _where(some: Sequence[Outcome], of: Sequence[Outcome]) -> str:
    """Say in which scenarios: nothing where there is one, its name where it is one of many."""
    if len(of) == 1:
        return ""
    return f" in {some[0].recording.scenario if len(some) == 1 else _share(some, of)}"


def headline(run: Run, advantage: str = "") -> str:
    """Return the verdict on the whole run in one sentence.

    `advantage` is what the best design saves; it is told where no other design grows.
    """
    failed = run.failures
    if run.crossings:
        return f"{crossing_line(run.crossings[0])}{_more(run.crossings)}"
    if failed:
        first = failed[0].recording
        name = f"{first.scenario}/{first.design}"
        return f"{name} {outcome_sentence(failed[0])}{_more(failed)}"
    sentences = {one.design: one for one in design_sentences(run.outcomes)}
    states = {name: sentences[name].state for name in main_designs(run.outcomes)}
    if not states:
        return "nothing was measured"
    best, worst = best_design(states), worst_design(states)
    if best == worst:
        return sentences[best].text
    if advantage and states[worst] not in ("growing", "rising", "failed"):
        return f"{sentences[best].text}; {advantage}"
    return f"{sentences[best].text}; {sentences[worst].text}"


def tests_headline(run: Run) -> str:
    """Return what was found of tests of pytest: the first limit crossed, or how many are what."""
    if run.crossings:
        return f"{crossing_line(run.crossings[0])}{_more(run.crossings)}"
    counts = Counter(outcome.state for outcome in run.outcomes)
    told = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    count = len(run.outcomes)
    return f"{count} test{'' if count == 1 else 's'}: {told}"


def _more(some: Sequence[object]) -> str:
    return f" (and {len(some) - 1} more)" if len(some) > 1 else ""


def design_sentences(outcomes: Sequence[Outcome]) -> tuple[DesignSentence, ...]:
    """Return what is proved of each design of a run."""
    return tuple(
        DesignSentence(
            design=name,
            state=state,
            text=design_sentence(name, [o for o in outcomes if o.recording.design == name]),
        )
        for name, state in design_states(outcomes).items()
    )


def _share(some: Sequence[Outcome], of: Sequence[Outcome]) -> str:
    return f"{len(some)} of {len(of)} scenarios"


def _amount(verdict: Verdict, value: float) -> str:
    return format_value(counter_of(verdict.evidence.counter), value)


def rate_cell(judgement: Judgement | None) -> str:
    """Return what is retained a call for a table: a rate, or the bound that was proved."""
    if judgement is None:
        return "-"
    verdict = judgement.retained
    shown = _amount(verdict, verdict.evidence.per_call)
    if isinstance(verdict, Rise):
        return shown
    if isinstance(verdict, Inconclusive):
        return f"? {shown}"
    if isinstance(verdict, Plateaued) and (verdict.filling or verdict.projected):
        return f"{shown} ↘"
    return f"< {format_bytes(verdict.evidence.floor)}"
