"""Join what survives, who holds it, where it was made and what it weighs into one ranked list.

A group of survivors is a culprit when its holder gained entries. Growth that no group explains is
charged to the call sites whose live bytes grow: memory that nothing in Python refers to.
"""

from typing import Any

import msgspec

from memcurve.explain.cycles import cycles_of
from memcurve.explain.figures import LEAST_BYTES, Growth
from memcurve.explain.lines import growing_line
from memcurve.explain.other_culprits import (
    TABLE,
    at_sites,
    descriptors,
    in_place,
    of_site,
    unknown,
)
from memcurve.explain.sites import growing_sites, held_at_peak
from memcurve.explain.survivor_culprits import held_culprits, mark_of, types_of
from memcurve.model.findings import Culprit, Explanation, PassCost, Peak, Site
from memcurve.model.recording import PassRecord

MOST_CULPRITS = 12
LEAST_SHARE = 0.01
URGENT_FDS = 0.1


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
    found = survivors.surveys.get("end", {"groups": [], "types": [], "calls": 1})
    calls = max(found["calls"], 1)
    cycles = cycles_of(survivors.surveys.get("cycles"))
    sites = _sites(traced)
    culprits = list(held_culprits(growth, survivors.surveys, calls, cycles))
    culprits.extend(in_place(growth, found, culprits, sites))
    culprits.extend(at_sites(growth, culprits, sites))
    culprits.extend(descriptors(growth, found))
    last = traced[1].surveys.get("stop") if traced else None
    garbage = survivors.surveys.get("cycles", {})
    records = (survivors, *(traced or ()))
    return Explanation(
        culprits=_ranked(growth, culprits, urgent=not found.get("files", True)),
        survivors=types_of(found["types"], calls),
        cycles=cycles,
        deferred_objects=garbage.get("objects", 0) / max(garbage.get("calls", 1), 1),
        uncollectable=garbage.get("uncollectable", 0),
        sites=sites,
        peak=Peak(bytes=last["peak_bytes"], sites=held_at_peak(last)) if last else None,
        calls=calls,
        tracer=last["tracer"] if last else "",
        flame_graph=flame_graph if last and last.get("flame_graph") else "",
        notes=_notes(growth, records, last),
        passes=tuple(cost_of(record) for record in records),
        references=_references(growth, survivors.surveys),
    )


def add_lines(growth: Growth, explanation: Explanation, counted: PassRecord) -> Explanation:
    """Charge what is left to the line that a count of live bytes line by line points at."""
    left = growth.left(explanation.culprits)
    of_malloc = growth.is_left_in_malloc(explanation.culprits)
    found = counted.surveys.get("stop")
    site = growing_line(found, left, of_malloc=of_malloc) if found else None
    passes = (*explanation.passes, cost_of(counted))
    if site is None:
        text = f"{left:.0f} B a call could not be traced to an object or a line"
        notes = (*explanation.notes, text)
        explanation = msgspec.structs.replace(explanation, notes=notes)
        culprit = unknown(growth, explanation.culprits)
    else:
        site = msgspec.structs.replace(site, bytes_per_call=min(site.bytes_per_call, left))
        culprit = of_site(growth, site)
    ranked = _ranked(growth, [*explanation.culprits, culprit])
    return msgspec.structs.replace(explanation, passes=passes, culprits=ranked)


def cost_of(record: PassRecord) -> PassCost:
    """Return what a pass cost in all, by its last survey."""
    costs = [(s.get("pass_cpu_s", 0.0), s.get("pass_calls", 0)) for s in record.surveys.values()]
    cpu_s, calls = max(costs, default=(0.0, 0))
    return PassCost(kind=record.kind, calls=calls, cpu_s=cpu_s)


def _references(growth: Growth, surveys: dict[str, Any]) -> dict[str, str]:
    groups, drawn = surveys.get("end", {}).get("groups", []), surveys.get("draw", {})
    pairs = zip(groups, drawn.get("drawings", []), strict=False)
    return {mark_of(growth, group): text for group, text in pairs if text}


def _sites(traced: tuple[PassRecord, PassRecord] | None) -> tuple[Site, ...]:
    stops = [record.surveys.get("stop") for record in traced or ()]
    if len(stops) < 2 or stops[0] is None or stops[1] is None:
        return ()
    return growing_sites(stops[0], stops[1])


def _ranked(
    growth: Growth, culprits: list[Culprit], *, urgent: bool = False
) -> tuple[Culprit, ...]:
    """Return the culprits that weigh, the heaviest first.

    Descriptors come first where they are `urgent`: where none of the survivors can have one, no
    other culprit is their cause.
    """
    whole = max(growth.bytes_per_call, LEAST_BYTES)
    shared = [
        msgspec.structs.replace(c, share=round(min(max(c.bytes_per_call / whole, 0.0), 1.0), 4))
        for c in culprits
    ]
    first = urgent and growth.fds_per_call >= URGENT_FDS
    shared.sort(key=lambda c: (not (first and c.root == TABLE), -c.bytes_per_call, c.type))
    kept = [c for c in shared if c.share >= LEAST_SHARE or c.bytes_per_call == 0]
    return tuple(kept[:MOST_CULPRITS])


def _notes(
    growth: Growth, records: tuple[PassRecord, ...], last: dict[str, Any] | None
) -> tuple[str, ...]:
    notes = [
        f"the {record.kind} pass ended early: {record.failure.message}"
        for record in records
        if record.failure is not None and record.failure.stage != "teardown"
    ]
    blind = last is not None and not last["sees_malloc"]
    if blind and growth.native_per_call >= 0.2 * max(growth.bytes_per_call, 1.0):
        notes.append(
            "tracemalloc does not see what libraries allocate with malloc: install memray in the "
            "measured interpreter to see its call sites"
        )
    return tuple(notes)
