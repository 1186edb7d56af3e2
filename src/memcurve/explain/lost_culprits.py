"""Make culprits of what the collector does not track and nothing in Python leads to."""

from collections.abc import Iterator

from memcurve.explain.advice import advise
from memcurve.explain.figures import Growth
from memcurve.explain.fingerprint import file_of, fingerprint
from memcurve.explain.holding import who_has
from memcurve.explain.places import site_of, user_site_of
from memcurve.explain.signs import Signs
from memcurve.explain.survivor_culprits import types_of
from memcurve.model.answers import PathStep, TypeTotal
from memcurve.model.findings import OUTSIDE, Culprit
from memcurve.model.surveys import Surveys
from memcurve.model.survivors_survey import UntrackedObjects

NEARLY = 0.1
"""Of a count: blocks that the look itself takes or leaves meanwhile are missing or too many.
Measured: at most 6 % in windows of 50 calls, 4 % in those of 200."""


def lost_culprits(growth: Growth, surveys: Surveys, calls: int) -> Iterator[Culprit]:
    """Yield a culprit for each type of such objects."""
    release = surveys.release
    lost = release.lost if release is not None else ()
    kinds = {found.type for found in lost}
    for found in lost:
        if not _is_part(found, kinds):
            parts = [one for one in lost if _is_part(one, kinds) and one.where == found.type]
            yield _culprit(growth, found, parts, calls)


def _is_part(found: UntrackedObjects, kinds: set[str]) -> bool:
    """Say whether objects go with those of another type, which have their addresses."""
    return found.holder == "object" and found.where in kinds - {found.type}


def _culprit(
    growth: Growth, found: UntrackedObjects, parts: list[UntrackedObjects], calls: int
) -> Culprit:
    root, path = who_has(found.holder, found.where)
    frames = tuple(frame.place for frame in found.stack)
    place = site_of(frames)
    lost = _whole(found.references * found.objects / calls) if found.holder == "lost" else 0.0
    return Culprit(
        type=found.type,
        per_call=_whole(found.objects / calls),
        bytes_per_call=sum(one.bytes for one in (found, *parts)) / calls,
        native_per_call=sum(one.malloc for one in (found, *parts)) / calls,
        root=root,
        path=(path,),
        steps=(PathStep("", path),),
        site=place,
        user_site=user_site_of(frames),
        stack=frames,
        sample=found.sample,
        holds=types_of([TypeTotal(one.type, one.objects, one.bytes) for one in parts], calls),
        lost_references=lost,
        advice=advise(Signs(type=found.type, root=root, lost=found.holder == "lost")),
        fingerprint=fingerprint(growth.scenario, found.type, OUTSIDE, (OUTSIDE,), file_of(place)),
    )


def _whole(count: float) -> float:
    """Return a whole number for what is nearly one: some blocks come where others were before."""
    whole = round(count)
    return float(whole) if abs(count - whole) <= NEARLY * count else count
