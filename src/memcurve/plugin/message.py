"""Say why a test failed: what grew, by how much, who holds it, which limit, and what to do next."""

from collections.abc import Iterator

from memcurve.model.debt import Heavy
from memcurve.model.findings import Culprit
from memcurve.model.units import COUNTERS, format_bytes, format_count
from memcurve.model.verdict import Checked, Flat, Inconclusive, Rise
from memcurve.plugin.limits import Excess, Gated
from memcurve.report.beside import beside_heaps
from memcurve.report.causes import cycle_line, holder_line, lost_text, made_at
from memcurve.report.crossings import crossing_line
from memcurve.report.debt import debt_lines, heavy_detail
from memcurve.report.text import verdict_line

COUNTER_OF = {
    "retained": "live_bytes",
    "deferred": "deferred_bytes",
    "garbage": "deferred_bytes",
    "mapped": "mapped_bytes",
    "children": "children_bytes",
    "allocated": "allocated_bytes",
    "peak": "peak_bytes",
}
MOST_CULPRITS = 3


def failure_text(gated: Gated, repeat: str) -> str:
    """Return the message of a failed test; `repeat` is the command that measures it again."""
    found = gated.checked
    lines = [headline(excess, found) for excess in gated.crossed]
    lines += [f"accepted curve left: {crossing_line(one, cause=True)}" for one in gated.regressed]
    lines += [_open_question(verdict) for verdict in gated.unsettled]
    retained = found.judgement.retained
    if isinstance(retained, Rise):
        judgement = found.judgement
        python, native = judgement.python_per_call, judgement.native_per_call
        lines.append(
            f"  heaps    Python {format_bytes(python)}, malloc {format_bytes(native)} a call, "
            f"{format_count(judgement.objects_per_call)} tracked objects a call"
        )
        lines += [f"  {what:<8} {text}" for what, text in beside_heaps(judgement)]
    for culprit in found.culprits[:MOST_CULPRITS]:
        lines += _culprit_lines(culprit)
    if isinstance(found.judgement.debt, Heavy):
        lines += [f"  {what:<8} {text}" for what, text in debt_lines(found.judgement.debt)[1:]]
    if any(one.name in ("deferred", "garbage") for one in gated.crossed):
        lines += _cycle_lines(found)
    lines += [f"  note     {caveat.text}" for caveat in found.judgement.caveats]
    lines += [f"  next     {step}" for step in _next_steps(gated)]
    lines.append(f"  repeat   {repeat}")
    return "\n".join(lines)


def summary_line(gated: Gated) -> str:
    """Return the result of one measured test in one line."""
    if gated.crossed or gated.regressed:
        said = [headline(excess, gated.checked) for excess in gated.crossed]
        return "; ".join([*said, *(crossing_line(one, cause=True) for one in gated.regressed)])
    if gated.unsettled:
        return _open_question(gated.unsettled[0])
    verdict = gated.checked.verdict
    evidence, thresholds = verdict.evidence, verdict.thresholds
    if isinstance(verdict, Flat) and evidence.low > thresholds.stand.rises_bytes:
        return (
            f"within its limit: live bytes grow by {format_bytes(evidence.per_call)} a call, "
            f"{format_bytes(thresholds.tolerance)} are allowed"
        )
    return verdict_line(verdict)


def _open_question(verdict: Inconclusive) -> str:
    title = COUNTERS[verdict.evidence.counter].title
    return f"inconclusive: {title}: {verdict.why} (after {verdict.evidence.to_call} calls)"


def headline(excess: Excess, found: Checked) -> str:
    """Return what was crossed, by how much, and what was allowed."""
    debt = found.judgement.debt
    if excess.name == "garbage" and isinstance(debt, Heavy):
        return f"heavy: {heavy_detail(debt)} (garbage={_limit(excess)})"
    unit = "at once" if excess.name == "peak" else "a call"
    limit = f"{excess.name}={_limit(excess)} {unit} was allowed"
    if excess.verdict is not None:
        return f"{verdict_line(excess.verdict)} ({limit})"
    return f"{excess.name}: {_amount(excess, excess.value)} {_OF_ONE_CALL[excess.name]} ({limit})"


_OF_ONE_CALL = {
    "deferred": "a call wait for the cyclic collector",
    "allocated": "a call are asked of the allocators, kept or not",
    "peak": "at most are held at once by one call",
}


def _limit(excess: Excess) -> str:
    text = _amount(excess, excess.limit)
    return f'"{text}"' if excess.name in COUNTER_OF else text


def _amount(excess: Excess, value: float) -> str:
    counter = COUNTERS[COUNTER_OF.get(excess.name, excess.name)]
    return format_bytes(value) if counter.unit == "bytes" else format_count(value)


def _cycle_lines(found: Checked) -> Iterator[str]:
    """Yield the cycles that wait for the collector, and where they are made if that was seen."""
    cycles = found.explanation.cycles if found.explanation is not None else ()
    for one in cycles[:MOST_CULPRITS]:
        yield f"  cycle    {cycle_line(one)}"
        if one.site:
            yield f"  made at  {made_at(one)}"


def _culprit_lines(culprit: Culprit) -> list[str]:
    bytes_each = format_bytes(culprit.bytes_per_call)
    made = f", made at {made_at(culprit)}" if culprit.site else ""
    count = f"{format_count(culprit.per_call)} " if culprit.per_call else ""
    lines = [f"  grows    {count}{culprit.type} ({bytes_each}){made}"]
    if culprit.path:
        lines.append(f"  held by  {holder_line(culprit)}")
    if culprit.sample:
        lines.append(f"  sample   {culprit.sample}")
    if lost_text(culprit):
        lines.append(f"  lost     {lost_text(culprit)}")
    if culprit.cycle:
        lines.append(f"  cycle    {culprit.cycle}")
    if culprit.advice:
        lines.append(f"  advice   {culprit.advice}")
    if culprit.known:
        lines.append(f"  known    {culprit.known}")
    return [*lines, f"  mark     {culprit.fingerprint}"] if culprit.fingerprint else lines


def _next_steps(gated: Gated) -> list[str]:
    steps = []
    for excess in gated.crossed:
        value = excess.value * 1.1
        amount = f'"{format_bytes(value)}"' if excess.name in COUNTER_OF else f"{value:.3g}"
        wanted = f"if that is meant, allow it: {excess.name}={amount}"
        steps.append(f"{_REMEDY[excess.name]}; {wanted}")
    if gated.regressed and not gated.crossed:
        steps.append(
            "undo what made it grow, or accept it: --memcurve-accept --memcurve-reason WHY"
        )
    if gated.unsettled and not gated.crossed:
        steps.append("give it more calls or time: calls=1000, budget=60")
    return steps


_REMEDY = {
    "retained": "let go of what every call keeps",
    "allocated": "build less in a call, or reuse what it builds",
    "peak": "work in smaller pieces",
    "deferred": "break the cycle, or close what it holds",
    "garbage": "break the cycle, or close what it holds",
    "fds": "close what every call opens",
    "threads": "join the threads that every call starts",
    "tasks": "await or cancel the tasks that every call starts",
    "processes": "end and wait for the processes that every call starts",
    "zombies": "wait for the processes that every call starts",
    "mapped": "unmap what every call maps",
    "children": "let go of what every call leaves in a child process",
}
