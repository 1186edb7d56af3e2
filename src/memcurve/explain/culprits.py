"""Join what survives, who holds it, where it was made and what it weighs into one ranked list.

A group of survivors is a culprit when its holder gained entries. Growth that no group explains is
charged to the call sites whose live bytes grow: memory that nothing in Python refers to.
"""

import msgspec

from memcurve.explain.child_culprits import in_children
from memcurve.explain.cycle_drawing import cycles_of
from memcurve.explain.figures import LEAST_BYTES, Growth
from memcurve.explain.growing_line import growing_line
from memcurve.explain.growing_sites import growing_sites, held_at_peak
from memcurve.explain.lost_culprits import lost_culprits
from memcurve.explain.other_culprits import (
    TABLE,
    at_sites,
    descriptors,
    in_place,
    of_site,
)
from memcurve.explain.sums import balanced, rest_of
from memcurve.explain.survivor_culprits import held_culprits, mark_of, types_of
from memcurve.explain.unsearched import why_unsearched
from memcurve.model.allocations_survey import TraceSurvey
from memcurve.model.findings import Culprit, Explanation, PassCost, Peak, Site
from memcurve.model.recording import PassRecord
from memcurve.model.surveys import Surveys
from memcurve.model.survivors_survey import SurvivorsSurvey

MOST_CULPRITS = 12
"""Culprits that are told: whoever mends the first twelve measures again before the thirteenth."""
LEAST_SHARE = 0.01
"""Of the growth: what is lighter is not worth a line, whoever holds it."""
URGENT_FDS = 0.1
"""Descriptors a call, one in ten calls: at the usual limit of 1,024 a process then ends at call
10,240, whatever its memory does."""
MUCH_NATIVE = 0.2
"""Of the growth: from a fifth on it matters that a tracer does not see malloc, as for a fifth that
is left unexplained."""
_NOTHING = SurvivorsSurvey(calls=1, calls_since_mark=1)


def join(
    growth: Growth,
    survivors: PassRecord,
    traced: tuple[PassRecord, PassRecord] | None = None,
    flame_graph: str = "",
) -> Explanation:
    """Return the explanation of a growth from the passes that were run for it.

    `traced` are the allocations passes of a short and of a long stretch of calls. A pass that
    failed leaves a note, and what the others found.
    """
    survey = survivors.surveys.survivors or _NOTHING
    garbage = survivors.surveys.cycles
    calls = max(survey.calls, 1)
    cycles = cycles_of(garbage, survivors.surveys.cycle_lines)
    sites = _sites(traced)
    culprits = list(held_culprits(growth, survivors.surveys, calls, cycles))
    culprits.extend(lost_culprits(growth, survivors.surveys, calls))
    culprits.extend(in_children(growth))
    culprits.extend(in_place(growth, survey, culprits, sites))
    unsearched = why_unsearched(survivors)
    culprits.extend(at_sites(growth, culprits, sites, unsearched))
    culprits.extend(descriptors(growth, survey))
    last = traced[1].surveys.stop if traced else None
    records = (survivors, *(traced or ()))
    return Explanation(
        culprits=_ranked(growth, culprits, urgent=not survey.files),
        survivors=types_of(survey.types, calls),
        cycles=cycles,
        deferred_objects=garbage.objects / max(garbage.calls, 1) if garbage else 0.0,
        uncollectable=garbage.uncollectable if garbage else 0,
        sites=sites,
        peak=Peak(bytes=last.peak_bytes, sites=held_at_peak(last)) if last else None,
        calls=calls,
        tracer=last.tracer if last else "",
        flame_graph=flame_graph if last and last.flame_graph else "",
        notes=_notes(growth, records, last),
        unsearched=unsearched,
        passes=tuple(cost_of(record) for record in records),
        references=_references(growth, survivors.surveys),
    )


def add_lines(growth: Growth, explanation: Explanation, counted: PassRecord) -> Explanation:
    """Charge what is left to the line that a count of live bytes line by line points at."""
    left = growth.left(explanation.culprits)
    of_malloc = growth.is_left_in_malloc(explanation.culprits)
    lines = counted.surveys.stop
    site = growing_line(lines, left, of_malloc=of_malloc) if lines else None
    passes = (*explanation.passes, cost_of(counted))
    if site is None:
        text = f"{left:.0f} B a call could not be traced to an object or a line"
        notes = (*explanation.notes, text)
        return msgspec.structs.replace(explanation, passes=passes, notes=notes)
    site = msgspec.structs.replace(site, bytes_per_call=min(site.bytes_per_call, left))
    culprit = of_site(growth, site, explanation.unsearched)
    ranked = _ranked(growth, [*explanation.culprits, culprit])
    return msgspec.structs.replace(explanation, passes=passes, culprits=ranked)


def cost_of(record: PassRecord) -> PassCost:
    """Return what a pass cost in all, by its last survey."""
    costs = [(answer.pass_cpu_s, answer.pass_calls) for answer in record.surveys.answers()]
    cpu_s, calls = max(costs, default=(0.0, 0))
    return PassCost(kind=record.kind, calls=calls, cpu_s=cpu_s)


def _references(growth: Growth, surveys: Surveys) -> dict[str, str]:
    if surveys.survivors is None or surveys.drawings is None:
        return {}
    pairs = zip(surveys.survivors.groups, surveys.drawings.drawings, strict=False)
    return {mark_of(growth, group): text for group, text in pairs if text}


def _sites(traced: tuple[PassRecord, PassRecord] | None) -> tuple[Site, ...]:
    stops = [record.surveys.stop for record in traced or ()]
    if len(stops) < 2 or stops[0] is None or stops[1] is None:
        return ()
    return growing_sites(stops[0], stops[1])


def _ranked(
    growth: Growth, culprits: list[Culprit], *, urgent: bool = False
) -> tuple[Culprit, ...]:
    """Return the culprits that weigh, the heaviest first, and last the row of what is left.

    Descriptors come first where they are `urgent`: where none of the survivors can have one, no
    other culprit is their cause.
    """
    shared = [_with_share(growth, culprit) for culprit in balanced(growth, culprits)]
    first = urgent and growth.fds_per_call >= URGENT_FDS
    shared.sort(key=lambda c: (not (first and c.root == TABLE), -c.bytes_per_call, c.type))
    kept = [c for c in shared if c.share >= LEAST_SHARE or c.bytes_per_call == 0][:MOST_CULPRITS]
    rest = _with_share(growth, rest_of(growth, kept))
    return (*kept, rest) if growth.proved and rest.share >= LEAST_SHARE else tuple(kept)


def _with_share(growth: Growth, culprit: Culprit) -> Culprit:
    share = culprit.bytes_per_call / max(growth.bytes_per_call, LEAST_BYTES)
    return msgspec.structs.replace(culprit, share=round(min(max(share, 0.0), 1.0), 4))


def _notes(
    growth: Growth, records: tuple[PassRecord, ...], last: TraceSurvey | None
) -> tuple[str, ...]:
    notes = [
        f"the {record.kind} pass ended early: {record.failure.message}"
        for record in records
        if record.failure is not None and record.failure.stage != "teardown"
    ]
    blind = last is not None and not last.sees_malloc
    if blind and growth.native_per_call >= MUCH_NATIVE * max(growth.bytes_per_call, LEAST_BYTES):
        notes.append(
            "tracemalloc does not see what libraries allocate with malloc: install memray in the "
            "measured interpreter to see its call sites"
        )
    return tuple(notes)
