"""Make culprits of growth that no survivor explains: buffers, call sites, lines, descriptors."""

from collections.abc import Iterator, Sequence

from memcurve.explain.advice import advise
from memcurve.explain.figures import LEAST_BYTES, Growth
from memcurve.explain.fingerprint import file_of, fingerprint
from memcurve.explain.places import is_stdlib, site_of, user_site_of
from memcurve.explain.signs import Signs
from memcurve.model.answers import PathStep, texts_of
from memcurve.model.findings import NOT_KNOWN, OUTSIDE, Culprit, Site
from memcurve.model.survivors_survey import GrownBuffer, SurvivorsSurvey
from memcurve.model.units import format_bytes

UNEXPLAINED = 0.2
"""A fifth of a growth may be left before another pass looks for it. Chosen: that pass costs as much
as the others together, and what it finds is told with its share."""
MOST_OVER = 1.5
"""A site that gained more than this times what is left of its heap is not its cause alone. Chosen:
a container that doubles within a window is off by less than half."""
ENOUGH = 0.6
"""Sites that gained less than this of what is left, together, leave most of it open. Chosen: then
the lines are counted, which needs no tracer."""
LARGEST_SMALL = 512
"""Bytes of the largest block that Python's own allocator serves (SMALL_REQUEST_THRESHOLD)."""
LEAST_RATE = 0.005
"""Descriptors a call, one in 200 calls: the least that a verdict counts as growth."""
TABLE = "descriptor table"
TRACED = "memory that the tracer counts as Python's"
"""Not "untracked": extensions report blocks of their own to tracemalloc, and whose these are, and
whether the collector tracks what is in them, nobody saw."""


def in_place(
    growth: Growth, survey: SurvivorsSurvey, culprits: Sequence[Culprit], sites: Sequence[Site]
) -> Iterator[Culprit]:
    """Yield buffers that grew; their site is the steepest that made no other culprit.

    What took the place of something shorter counts only where so much is left, and its site is the
    one that gained as much: its size differs from call to call, which may be all there is to it.
    """
    known = {place for culprit in culprits for place in culprit.stack}
    free = [site for site in sites if site.site not in known]
    left = growth.left(culprits)
    for buffer in sorted(survey.grown, key=lambda one: -one.grown):
        path = texts_of(buffer.path)
        size = buffer.grown / max(survey.calls_since_mark, 1)
        if buffer.replaced and not (growth.proved and size <= MOST_OVER * left):
            continue
        alike = [site for site in free if not buffer.replaced or _is_alike(site, size)]
        site = alike[0] if alike else None
        free = [one for one in free if one is not site]
        left -= size
        yield Culprit(
            type=buffer.type,
            per_call=0.0,
            bytes_per_call=size,
            root=buffer.root,
            path=path,
            steps=buffer.path,
            site=site.site if site else "",
            user_site=user_site_of(site.stack) if site else "",
            stack=site.stack if site else (),
            advice=_advice_of(buffer),
            fingerprint=fingerprint(growth.scenario, buffer.type, buffer.root, path, ""),
        )


def _is_alike(site: Site, size: float) -> bool:
    return size / MOST_OVER <= site.bytes_per_call <= MOST_OVER * size


def _advice_of(buffer: GrownBuffer) -> str:
    if not buffer.replaced:
        return "it grows in place: bound it, or write it out and empty it"
    return (
        f"a longer {buffer.type.rpartition('.')[2]} takes its place at each call "
        f"({format_bytes(buffer.size)} by then): bound it, or write it out and begin anew"
    )


def at_sites(
    growth: Growth, culprits: Sequence[Culprit], sites: Sequence[Site], unsearched: str = ""
) -> Iterator[Culprit]:
    """Charge what is left to the sites that no culprit was made at, the steepest first.

    A site that gained more than its heap did, or sites that gained much less than what is left
    together, are a coincidence: then nothing is charged to any.
    """
    if not growth.proved:
        return
    whole = left = growth.left(culprits)
    native_left = growth.native_left(culprits)
    known = {place for culprit in culprits for place in culprit.stack}
    found = []
    for site in sites:
        if left < max(UNEXPLAINED * growth.bytes_per_call, LEAST_BYTES):
            break
        if site.site in known or is_stdlib(site.site):
            continue
        if site.bytes_per_call <= MOST_OVER * _in_its_heap(site, whole, native_left):
            left -= site.bytes_per_call
            found.append(site)
    if whole - left >= ENOUGH * whole:
        yield from (of_site(growth, site, unsearched) for site in found)


def _in_its_heap(site: Site, left: float, native_left: float) -> float:
    """Return what is left of a site's heap; large blocks of Python are malloc's."""
    if site.native:
        return native_left
    small = site.bytes_per_call <= LARGEST_SMALL * site.blocks_per_call
    return left - native_left if small else left


def of_site(growth: Growth, site: Site, unsearched: str = "") -> Culprit:
    """Return the culprit of memory in which no new object of Python was found, made at a site.

    That of malloc belongs to no object then, and is held outside Python: all new ones were looked
    at. Where nobody could look, or where it is Python's own heap, no holder is claimed.
    """
    kind = "native memory (malloc)" if site.native else TRACED
    place = site_of(site.stack) or site.site
    proved = site.native and not unsearched
    root = OUTSIDE if proved else NOT_KNOWN
    path = OUTSIDE if proved else unsearched or "no new object was found in these blocks"
    return Culprit(
        type=kind,
        per_call=site.blocks_per_call,
        bytes_per_call=site.bytes_per_call,
        native_per_call=site.bytes_per_call if site.native else 0.0,
        root=root,
        path=(path,),
        steps=(PathStep("", path),),
        site=place,
        user_site=user_site_of(site.stack),
        stack=site.stack,
        advice=advise(Signs(type=kind, root=root, native=site.native)),
        fingerprint=fingerprint(growth.scenario, kind, OUTSIDE, (OUTSIDE,), file_of(place)),
    )


def descriptors(growth: Growth, survey: SurvivorsSurvey) -> Iterator[Culprit]:
    """Yield the kinds of descriptor that more are open of with every call."""
    if growth.fds_per_call < LEAST_RATE:
        return
    calls = max(survey.calls_since_mark, 1)
    for opened in survey.descriptors:
        if opened.count >= LEAST_RATE * calls:
            name = f"open descriptor ({opened.kind})"
            yield Culprit(
                type=name,
                per_call=opened.count / calls,
                bytes_per_call=0.0,
                root=TABLE,
                path=(TABLE,),
                steps=(PathStep("", TABLE),),
                advice="descriptors are opened at each call and not closed: close them, or use "
                "a with statement",
                fingerprint=fingerprint(growth.scenario, name, TABLE, (), ""),
            )
