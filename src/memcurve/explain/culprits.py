"""Join what survives, who holds it, where it was made and what it weighs into one ranked list.

A group of survivors is a culprit when its holder gained entries. Its bytes are those that letting
it go freed, malloc's included; where that could not be done, the sizes of its objects. Growth that
no group explains is charged to the call sites whose live bytes grow: memory that nothing in Python
refers to.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from memcurve.explain.advice import Signs, advise
from memcurve.explain.cycles import cycles_of
from memcurve.explain.fingerprint import file_of, fingerprint
from memcurve.explain.lines import growing_line
from memcurve.explain.places import as_places, is_stdlib, site_of
from memcurve.explain.sites import growing_sites, held_at_peak
from memcurve.findings import (
    OUTSIDE,
    Culprit,
    Cycle,
    Explanation,
    Peak,
    Site,
    TypeCount,
)
from memcurve.recording import PassRecord

MOST_CULPRITS = 12
LEAST_SHARE = 0.01
UNEXPLAINED = 0.2
LEAST_BYTES = 1.0
NATIVE_SHARE = 0.5
OWNERS = ("client", "session", "connection", "engine")


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """The judged growth a call: bytes by heap, and descriptors, threads and tasks."""

    scenario: str
    bytes_per_call: float
    python_per_call: float
    native_per_call: float
    deferred_objects: float = 0.0
    fds_per_call: float = 0.0
    threads_per_call: float = 0.0
    tasks_per_call: float = 0.0
    proved: bool = True


def join(
    growth: Growth, survivors: PassRecord, short: PassRecord, long: PassRecord, flame_graph: str
) -> Explanation:
    """Return the explanation of a growth from the passes that were run for it.

    A pass that failed leaves a note, and what the others found.
    """
    found = survivors.surveys.get("end", {"groups": [], "types": [], "calls": 1})
    calls = max(found["calls"], 1)
    cycles = cycles_of(survivors.surveys.get("cycles"))
    sites = _sites(short, long)
    culprits = list(_of_groups(growth, survivors.surveys, calls, cycles))
    culprits.extend(_in_place(growth, found, culprits, sites))
    culprits.extend(_unexplained(growth, culprits, sites))
    culprits.extend(_of_descriptors(growth, found, culprits))
    traced = long.surveys.get("stop")
    garbage = survivors.surveys.get("cycles", {})
    return Explanation(
        culprits=_ranked(growth, culprits),
        survivors=_types(found["types"], calls),
        cycles=cycles,
        deferred_objects=garbage.get("objects", 0) / max(garbage.get("calls", 1), 1),
        uncollectable=garbage.get("uncollectable", 0),
        sites=sites,
        peak=Peak(bytes=traced["peak_bytes"], sites=held_at_peak(traced)) if traced else None,
        calls=calls,
        tracer=traced["tracer"] if traced else "",
        flame_graph=flame_graph if traced else "",
        notes=_notes(growth, survivors, short, long, traced),
    )


def _sites(short: PassRecord, long: PassRecord) -> tuple[Site, ...]:
    if "stop" not in short.surveys or "stop" not in long.surveys:
        return ()
    return growing_sites(short.surveys["stop"], long.surveys["stop"])


def _types(rows: list[Any], calls: int) -> tuple[TypeCount, ...]:
    return tuple(
        TypeCount(type=name, per_call=count / calls, bytes_per_call=size / calls)
        for name, count, size in rows
    )


def _of_groups(
    growth: Growth, surveys: dict[str, Any], calls: int, cycles: tuple[Cycle, ...]
) -> Iterator[Culprit]:
    made = surveys.get("sites", {}).get("sites", [])
    weighed = dict(surveys.get("release", {}).get("released", []))
    for number, group in enumerate(surveys.get("end", {}).get("groups", [])):
        where = made[number] if number < len(made) else {}
        yield _of_group(growth, group, where, weighed.get(number), calls, cycles)


def _of_group(
    growth: Growth,
    group: dict[str, Any],
    made: dict[str, Any],
    weighed: dict[str, Any] | None,
    calls: int,
    cycles: tuple[Cycle, ...],
) -> Culprit:
    objects = group["objects"] / calls
    own = group["bytes"] / calls
    native = 0.0
    if weighed is not None and weighed["heads"]:
        each = max(group["objects"] / calls, 1 / calls)
        own = (weighed["python"] + weighed["malloc"]) / weighed["heads"] * each
        native = max(weighed["malloc"], 0) / weighed["heads"] * each
    root = weighed.get("root", group["root"]) if weighed else group["root"]
    path, kind, heavy = _named(group, weighed, root)
    frames = as_places(made.get(kind) or made.get(group["type"]))
    span = 2 * calls
    signs = Signs(
        type=kind,
        heavy=heavy,
        root=root,
        path=path,
        traits=tuple(group["traits"]),
        bound=group["bound"],
    )
    return Culprit(
        type=kind,
        per_call=objects,
        bytes_per_call=own + group["entries_bytes"] / span,
        native_per_call=native,
        root=root,
        path=path,
        site=site_of(frames),
        stack=frames,
        holds=_types(group["types"], calls),
        cycle=_cycle_of(kind, cycles),
        bound=group["bound"],
        advice=advise(signs),
        # of the holder and what it holds: how far down the weight was followed may differ
        fingerprint=fingerprint(
            growth.scenario, group["type"], group["root"], tuple(group["path"]), ""
        ),
    )


def _named(
    group: dict[str, Any], weighed: dict[str, Any] | None, root: str
) -> tuple[tuple[str, ...], str, str]:
    """Return path, the type to name, and the type that carries the native weight."""
    path = [root, *group["path"][1:]] if root != group["root"] else list(group["path"])
    steps = weighed["steps"] if weighed is not None else []
    if not steps:
        return tuple(path), group["type"], ""
    path.extend(f"{label}: {text}" for label, text, _, _ in steps)
    kinds = [group["type"], *(kind for _, _, kind, _ in steps)]
    owners = [k for k in kinds if k.rpartition(".")[2].lower().endswith(OWNERS)]
    named = owners[-1] if owners else kinds[-1]
    if named in ("dict", "list", "tuple", "set", "collections.deque"):
        named = group["type"]
    return tuple(path), named, kinds[-1]


def _cycle_of(kind: str, cycles: tuple[Cycle, ...]) -> str:
    for cycle in cycles:
        if any(count.type == kind for count in cycle.types):
            return cycle.words
    return ""


def _in_place(
    growth: Growth, found: dict[str, Any], culprits: list[Culprit], sites: tuple[Site, ...]
) -> Iterator[Culprit]:
    """Buffers that grew; their site is the steepest that made no other culprit."""
    known = {place for culprit in culprits for place in culprit.stack}
    free = [site for site in sites if site.site not in known]
    for kind, grown, calls, root, steps in found.get("in_place", []):
        path = tuple(steps)
        site = free.pop(0) if free else None
        yield Culprit(
            type=kind,
            per_call=0.0,
            bytes_per_call=grown / max(calls, 1),
            root=root,
            path=path,
            site=site.site if site else "",
            stack=site.stack if site else (),
            advice="it grows in place: bound it, or write it out and empty it",
            fingerprint=fingerprint(growth.scenario, kind, root, path, ""),
        )


def _unexplained(
    growth: Growth, culprits: list[Culprit], sites: tuple[Site, ...]
) -> Iterator[Culprit]:
    """Charge what is left to the sites that no culprit was made at, the steepest first."""
    if not growth.proved:
        return
    left = growth.bytes_per_call - sum(c.bytes_per_call for c in culprits)
    known = {place for culprit in culprits for place in culprit.stack}
    for site in sites:
        if left < max(UNEXPLAINED * growth.bytes_per_call, LEAST_BYTES):
            return
        if site.site in known or is_stdlib(site.site):
            continue
        left -= site.bytes_per_call
        yield _of_site(growth, site)


def _of_site(growth: Growth, site: Site) -> Culprit:
    """Return the culprit of memory that nothing in Python refers to, made at a site."""
    kind = "native memory (malloc)" if site.native else "untracked Python objects"
    place = site_of(site.stack) or site.site
    return Culprit(
        type=kind,
        per_call=site.blocks_per_call,
        bytes_per_call=site.bytes_per_call,
        native_per_call=site.bytes_per_call if site.native else 0.0,
        root=OUTSIDE,
        path=(OUTSIDE,),
        site=place,
        stack=site.stack,
        advice=advise(Signs(type=kind, root=OUTSIDE, native=site.native)),
        fingerprint=fingerprint(growth.scenario, kind, OUTSIDE, (OUTSIDE,), file_of(place)),
    )


def unexplained(growth: Growth, explanation: Explanation) -> float:
    """Return the share of a proved growth that no culprit explains."""
    if not growth.proved or growth.bytes_per_call <= 0:
        return 0.0
    return 1 - sum(c.bytes_per_call for c in explanation.culprits) / growth.bytes_per_call


def add_lines(growth: Growth, explanation: Explanation, counted: PassRecord) -> Explanation:
    """Charge what is left to the line that a count of live bytes line by line points at."""
    left = unexplained(growth, explanation) * growth.bytes_per_call
    found = counted.surveys.get("stop")
    site = growing_line(found, left) if found else None
    if site is None:
        text = f"{left:.0f} B a call could not be traced to an object or a line"
        return msgspec.structs.replace(explanation, notes=(*explanation.notes, text))
    site = msgspec.structs.replace(site, bytes_per_call=min(site.bytes_per_call, left))
    culprits = (*explanation.culprits, _of_site(growth, site))
    return msgspec.structs.replace(explanation, culprits=_ranked(growth, list(culprits)))


def _of_descriptors(
    growth: Growth, found: dict[str, Any], culprits: list[Culprit]
) -> Iterator[Culprit]:
    if growth.fds_per_call < 0.005:
        return
    for kind, count, calls in found.get("descriptors", []):
        if count >= 0.005 * calls:
            name = f"open descriptor ({kind})"
            yield Culprit(
                type=name,
                per_call=count / calls,
                bytes_per_call=0.0,
                root="descriptor table",
                path=("descriptor table",),
                advice="descriptors are opened at each call and not closed: close them, or use "
                "a with statement",
                fingerprint=fingerprint(growth.scenario, name, "descriptor table", (), ""),
            )


def _ranked(growth: Growth, culprits: list[Culprit]) -> tuple[Culprit, ...]:
    whole = max(growth.bytes_per_call, LEAST_BYTES)
    shared = [
        msgspec.structs.replace(c, share=round(min(max(c.bytes_per_call / whole, 0.0), 1.0), 4))
        for c in culprits
    ]
    shared.sort(key=lambda c: (-c.bytes_per_call, c.type))
    kept = [c for c in shared if c.share >= LEAST_SHARE or c.bytes_per_call == 0]
    return tuple(kept[:MOST_CULPRITS])


def _notes(
    growth: Growth,
    survivors: PassRecord,
    short: PassRecord,
    long: PassRecord,
    traced: dict[str, Any] | None,
) -> tuple[str, ...]:
    notes = [
        f"the {record.kind} pass ended early: {record.failure.message}"
        for record in (survivors, short, long)
        if record.failure is not None and record.failure.stage != "teardown"
    ]
    blind = traced is not None and not traced["sees_malloc"]
    if blind and growth.native_per_call >= 0.2 * max(growth.bytes_per_call, 1.0):
        notes.append(
            "tracemalloc does not see what libraries allocate with malloc: install memray in the "
            "measured interpreter to see its call sites"
        )
    return tuple(notes)
