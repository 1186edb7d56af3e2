"""What a report says in words: of one design, of a scenario, of the whole run."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from memcurve.model.findings import Culprit
from memcurve.model.outcome import Crossing, Outcome, Run
from memcurve.model.units import format_bytes, format_count, format_value
from memcurve.model.verdict import (
    Growing,
    Inconclusive,
    Judgement,
    Plateaued,
    Verdict,
    name_of,
)
from memcurve.report import causes
from memcurve.report.figures import counter_of
from memcurve.report.palette import KNOWN
from memcurve.report.text import verdict_line

State = Literal["failed", "growing", "inconclusive", "plateaued", "flat"]
STATES: tuple[State, ...] = ("failed", "growing", "inconclusive", "plateaued", "flat")
SYMBOLS: dict[State, str] = {
    "failed": "✕",
    "growing": "▲",
    "inconclusive": "?",
    "plateaued": "◆",
    "flat": "●",
}
_MOSTLY = 0.5


def state_of(outcome: Outcome) -> State:
    """Return the verdict as one word; "failed" where it could not be measured."""
    return "failed" if outcome.judgement is None else name_of(outcome.judgement.overall)


def worst_state(states: Sequence[State]) -> State:
    """Return the worst of them."""
    return min(states, key=STATES.index)


def verdict_label(outcome: Outcome) -> str:
    """Return the verdict in two or three words, for a table."""
    state = state_of(outcome)
    if outcome.judgement is None:
        return state
    verdict = outcome.judgement.overall
    title = counter_of(verdict.evidence.counter).title
    if state in ("growing", "inconclusive") and title != "live bytes":
        return f"{state}: {title}"
    if isinstance(verdict, Plateaued):
        risen = f"+{_amount(verdict, verdict.size)}"
        return f"{state} {risen}" if title == "live bytes" else f"{state}: {title} {risen}"
    return state


def without_verdict(sentence: str) -> str:
    """Return a verdict's sentence without the verdict, for where that stands before it."""
    word, colon, rest = sentence.partition(": ")
    return rest if colon and word in (*STATES, "could not be measured") else sentence


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
    still_open = [v for v in others if isinstance(v, Inconclusive)]
    if still_open:
        titles = ", ".join(counter_of(verdict.evidence.counter).title for verdict in still_open)
        said.append(f"inconclusive: {titles}")
    return tuple(said)


def _rises(verdict: Verdict) -> bool:
    return isinstance(verdict, Growing) or (isinstance(verdict, Plateaued) and verdict.size > 0)


def growth(judgement: Judgement) -> str:
    """Return what grows of a growing design, by how much, and where."""
    verdict = judgement.overall
    assert isinstance(verdict, Growing)
    title = counter_of(verdict.evidence.counter).title
    if title != "live bytes":
        return f"{title} by {_amount(verdict, verdict.per_call)} a call"
    text = f"{_amount(verdict, verdict.per_call)} a call"
    whole = judgement.python_per_call + judgement.native_per_call
    outside = judgement.native_per_call / whole if whole > 0 else 0.0
    if outside >= _MOSTLY:
        text += f", {outside * 100:.0f} % of it outside Python's heap"
    return text


def crossing_line(crossing: Crossing) -> str:
    """Return what was crossed, without whose fault it may be and what to do about it."""
    return crossing.message.partition("; ")[0]


def culprit_line(culprit: Culprit) -> str:
    """Return one cause of growth: how much of what, held by what, made where."""
    text = causes.headline(culprit)
    if culprit.path:
        text += f", held by {' → '.join(culprit.path)}"
    return text + (f", made at {culprit.site}" if culprit.site else "")


def quoted(design: str) -> str:
    """Return the name as a sentence can hold it: a design may be called 'none'."""
    return design if design in KNOWN else f"'{design}'"


def design_sentence(design: str, outcomes: Sequence[Outcome]) -> str:
    """Return what is proved about one design over all its scenarios."""
    design = quoted(design)
    by_state = {state: [o for o in outcomes if state_of(o) == state] for state in STATES}
    if by_state["growing"]:
        return _growing_sentence(design, by_state["growing"], outcomes)
    if by_state["failed"]:
        return f"{design} could not be measured{_where(by_state['failed'], outcomes)}"
    if by_state["inconclusive"]:
        return _open_sentence(design, by_state["inconclusive"], outcomes)
    return _still_sentence(design, outcomes)


def _growing_sentence(design: str, rising: list[Outcome], outcomes: Sequence[Outcome]) -> str:
    worst = max(rising, key=lambda o: _steepness(o.judgement))
    assert worst.judgement is not None
    if len(outcomes) == 1:
        return f"{design} grows {growth(worst.judgement)}"
    place = worst.recording.scenario
    count = _share(rising, outcomes)
    most = "most in " if len(rising) > 1 else ""
    return f"{design} grows in {count} ({most}{place}, {growth(worst.judgement)})"


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
    stopped = sum(state_of(o) == "plateaued" for o in outcomes)
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
        first = run.crossings[0]
        count = len(run.crossings)
        more = f" (and {count - 1} more)" if count > 1 else ""
        return f"{crossing_line(first)}{more}"
    if failed:
        first_failed = failed[0].recording
        name = f"{first_failed.scenario}/{first_failed.design}"
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return f"{name} {outcome_sentence(failed[0])}{more}"
    sentences = main_designs(run, design_sentences(run))
    if not sentences:
        return "nothing was measured"
    best, worst = best_design(sentences), worst_design(sentences)
    if best == worst:
        return sentences[best][1]
    if advantage and sentences[worst][0] not in ("growing", "failed"):
        return f"{sentences[best][1]}; {advantage}"
    return f"{sentences[best][1]}; {sentences[worst][1]}"


Sentences = Mapping[str, tuple[State, str]]


def main_designs(run: Run, sentences: Sentences) -> Sentences:
    """Return those that speak for the whole run: a design of one scenario does not."""
    counts = Counter(outcome.recording.design for outcome in run.outcomes)
    most = max(counts.values(), default=0)
    return {name: said for name, said in sentences.items() if 2 * counts[name] >= most}


def best_design(sentences: Sentences) -> str:
    """Return the best design; of equals the last: designs are listed as they improved."""
    return max(reversed(list(sentences)), key=lambda name: STATES.index(sentences[name][0]))


def worst_design(sentences: Sentences) -> str:
    """Return the worst design, of equals the first."""
    return min(sentences, key=lambda name: STATES.index(sentences[name][0]))


def design_sentences(run: Run) -> dict[str, tuple[State, str]]:
    """Return (worst state, sentence) for each design of the run."""
    names = dict.fromkeys(o.recording.design for o in run.outcomes)
    found = {}
    for name in names:
        own = [o for o in run.outcomes if o.recording.design == name]
        found[name] = (worst_state([state_of(o) for o in own]), design_sentence(name, own))
    return found


def _share(some: Sequence[Outcome], of: Sequence[Outcome]) -> str:
    return f"{len(some)} of {len(of)} scenarios"


def _steepness(judgement: Judgement | None) -> float:
    assert judgement is not None
    verdict = judgement.overall
    memory = verdict.evidence.counter == "live_bytes"
    return verdict.evidence.per_call * (1 if memory else 1e-6)


def _amount(verdict: Verdict, value: float) -> str:
    return format_value(counter_of(verdict.evidence.counter), value)


def rate_cell(judgement: Judgement | None) -> str:
    """Return what is retained a call for a table: a rate, or the bound that was proved."""
    if judgement is None:
        return "-"
    verdict = judgement.retained
    shown = _amount(verdict, verdict.evidence.per_call)
    if isinstance(verdict, Growing):
        return shown
    if isinstance(verdict, Inconclusive):
        return f"? {shown}"
    if isinstance(verdict, Plateaued) and (verdict.filling or verdict.projected):
        return f"{shown} ↘"
    return f"< {format_bytes(verdict.evidence.floor)}"
